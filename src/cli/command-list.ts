import type { Command } from 'commander';
import type { CommandContext } from './command-session.ts';

/** A command as the overview of all shows it; the rest is loaded when it is needed. */
export interface CommandEntry {
  readonly name: string;
  /** What follows the name in the help of the program. */
  readonly usage: string;
  readonly summary: string;
  load(): Promise<(context: CommandContext) => Command>;
}

/** All commands, in the order of the help. */
export const commandList: readonly CommandEntry[] = [
  {
    name: 'compress',
    usage: '[options] [model]',
    summary: 'Make a model smaller and faster for a device',
    load: async () => (await import('./commands/compress.ts')).compressCommand,
  },
  {
    name: 'inspect',
    usage: '[options] <model>',
    summary: 'Show what is in a model and what keeps it from int8',
    load: async () => (await import('./commands/inspect.ts')).inspectCommand,
  },
  {
    name: 'evaluate',
    usage: '[options] <model>',
    summary: 'Measure the accuracy of a model, alone or against another',
    load: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  },
  {
    name: 'bench',
    usage: '[options] [models...]',
    summary: 'Time models in turns, on this host or on a device',
    load: async () => (await import('./commands/bench.ts')).benchCommand,
  },
  {
    name: 'predict',
    usage: '[options] <model>',
    summary: 'Tell the latency on a device, with an interval',
    load: async () => (await import('./commands/predict.ts')).predictCommand,
  },
  {
    name: 'diff',
    usage: '[options] <a> <b>',
    summary: 'Show what changed between two models',
    load: async () => (await import('./commands/diff.ts')).diffCommand,
  },
  {
    name: 'check',
    usage: '[options] [subject]',
    summary: 'Judge a model by the budgets of the configuration',
    load: async () => (await import('./commands/check.ts')).checkCommand,
  },
  {
    name: 'init',
    usage: '[options]',
    summary: 'Write a configuration to start with',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'pack',
    usage: '[options] <model>',
    summary: 'Store a model as .epk, without any loss',
    load: async () => (await import('./commands/pack.ts')).packCommand,
  },
  {
    name: 'unpack',
    usage: '[options] <file>',
    summary: 'Get the model, or one tensor, back out of an .epk',
    load: async () => (await import('./commands/pack.ts')).unpackCommand,
  },
  {
    name: 'report',
    usage: '[options] <report>',
    summary: 'Make the page of a saved report',
    load: async () => (await import('./commands/report.ts')).reportCommand,
  },
  {
    name: 'targets',
    usage: '[options] [device]',
    summary: 'List the devices edgepack knows, show one, or calibrate one',
    load: async () => (await import('./commands/targets.ts')).targetsCommand,
  },
  {
    name: 'doctor',
    usage: '[options]',
    summary: 'Check this installation and this host',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'completion',
    usage: '<shell>',
    summary: 'Print a script that completes command lines',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
];
