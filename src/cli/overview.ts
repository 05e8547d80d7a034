import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from './command-session.ts';
import { terminalStyle } from './paint.ts';

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));

/** What "edgepack" alone says: what it is, the three commands used most, and where to read on. */
export function overview({ api, process }: CommandContext): string {
  const { paint } = terminalStyle(process.stdout, process.env);
  // Who came by npx has no "edgepack" in the PATH.
  const program = process.env.npm_lifecycle_event === 'npx' ? 'npx edgepack' : 'edgepack';
  const command = (line: string, what: string) => `  ${paint(`${program} ${line}`, 'path')}\n      ${what}`;
  const lines = [
    `${paint(`edgepack ${api.version}`, 'title')} makes ONNX models smaller and faster for edge devices, and says honestly what that cost.`,
    '',
    command('inspect model.onnx', 'what is in a model, and what keeps it from int8'),
    command(
      'compress model.onnx --target rpi4 --data photos/',
      'an int8 model for a Raspberry Pi 4, calibrated and measured on your data',
    ),
    command(
      'evaluate out/model.onnx --against model.onnx --data photos/',
      'how often the compressed model still gives the same answer',
    ),
    '',
    ...example(process.cwd(), command),
    `"${program} help" lists all commands, "${program} <command> --help" the options and examples of one.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A command that works as it stands: on the model that comes with edgepack. */
function example(cwd: string, command: (line: string, what: string) => string): readonly string[] {
  if (!existsSync(fixtures)) return [];
  const near = relative(cwd, fixtures);
  const folder = (near.startsWith('..') ? fixtures : near).replaceAll('\\', '/');
  const path = (name: string) => (/^[\w@+:./-]+$/.test(folder) ? `${folder}/${name}` : `"${folder}/${name}"`);
  const line = `compress ${path('digits-conv.onnx')} --target rpi4 --data ${path('digits.npz')}`;
  return ['No model at hand? A small one comes with edgepack:', command(line, 'writes into out/'), ''];
}
