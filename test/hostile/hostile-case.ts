import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Data that fits no hostile model: what is refused for the model must be so before it is looked at. */
export const digits = fileURLToPath(new URL('../../fixtures/digits.npz', import.meta.url));
/** A sound model that takes images of 28 x 28. */
export const digitsModel = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));

/**
 * `refused`: one line and a hint, exit code 2 or 3, nothing written. `handled`: exit code 0.
 * `either`: the one or the other, as the engine decides; never anything else.
 */
export type Outcome = 'refused' | 'handled' | 'either';

/** One command line, run in the folder of the case. */
export interface HostileCommand {
  readonly args: readonly string[];
  readonly outcome: Outcome;
  /** What the error line says. */
  readonly says?: RegExp;
  /** Exit code of a refusal; 3 where it is the model's fault. */
  readonly exitCode?: 2 | 3;
  /** What must be true of the files that were written. */
  readonly check?: Check;
  /** More time than the 2 s of small files: work that is the model's own. */
  readonly seconds?: number;
  /** Takes the way of another command of the case: run only where the whole corpus is. */
  readonly rare?: boolean;
  /** Needs the inference engine: run with the other slow ones. */
  readonly engine?: boolean;
}

export type Check = 'same-outputs' | 'same-file' | 'escaped';

export interface HostileCase {
  /** Writes the files of the case into an empty folder. */
  write(folder: string): void;
  readonly commands: readonly HostileCommand[];
}

/** Where a hostile file is refused by every command that reads a model. */
function everyCommand(says: RegExp | undefined): HostileCommand[] {
  const refused = { outcome: 'refused' as const, exitCode: 3 as const, ...(says === undefined ? {} : { says }) };
  return [
    { ...refused, args: ['inspect', 'model.onnx'] },
    { ...refused, args: ['pack', 'model.onnx', '-o', 'out.epk'] },
    { ...refused, args: ['compress', 'model.onnx', '-o', 'out'], engine: true },
    {
      ...refused,
      args: ['compress', 'model.onnx', '-o', 'out', '-d', digits, '-r', 'accurate'],
      engine: true,
      rare: true,
    },
    { ...refused, args: ['evaluate', 'model.onnx', '-d', digits], engine: true },
  ];
}

/** A model that the reader refuses. */
export function refused(bytes: () => Uint8Array, says: RegExp): HostileCase {
  return { write: (folder) => write(folder, { 'model.onnx': bytes() }), commands: everyCommand(says) };
}

/** As {@link refused}, with files of its own making. */
export function refusedFiles(writeFiles: (folder: string) => void, says: RegExp): HostileCase {
  return { write: writeFiles, commands: everyCommand(says) };
}

/** A model that can be read, but not be run: `compress` refuses it, and says so in a line. */
export function notRun(bytes: () => Uint8Array, says: RegExp, others: Outcome = 'either'): HostileCase {
  return {
    write: (folder) => write(folder, { 'model.onnx': bytes() }),
    commands: [
      { args: ['inspect', 'model.onnx'], outcome: others },
      { args: ['pack', 'model.onnx', '-o', 'out.epk'], outcome: others },
      { args: ['compress', 'model.onnx', '-o', 'out'], outcome: 'refused', exitCode: 3, says, engine: true },
      { args: ['bench', 'model.onnx', '--max-seconds', '0.1'], outcome: 'either', engine: true },
      ...(['balanced', 'accurate'] as const).map((recipe) => ({
        args: ['compress', 'model.onnx', '-o', 'out', '-d', digits, '-r', recipe],
        outcome: 'refused' as const,
        engine: true,
        rare: recipe === 'balanced',
      })),
    ],
  };
}

/** A sound model that the engine would load too slowly: what needs no engine handles it, the rest refuses it in a line. */
export function notLoaded(bytes: () => Uint8Array, says: RegExp): HostileCase {
  const { write: writeFiles, commands } = handled(bytes);
  const refusal = { outcome: 'refused' as const, exitCode: 3 as const, says, engine: true };
  return {
    write: writeFiles,
    commands: [
      ...commands.filter(({ engine }) => engine !== true),
      { ...refusal, args: ['compress', 'model.onnx', '-o', 'out'] },
      { ...refusal, args: ['bench', 'model.onnx', '--max-seconds', '0.1'] },
      { ...refusal, args: ['evaluate', 'model.onnx', '-d', digits] },
      { ...refusal, args: ['diff', 'model.onnx', 'model.onnx', '--run'] },
    ],
  };
}

/** A model that is strange and valid: every command works, and the result computes the same. */
export function handled(
  bytes: () => Uint8Array,
  options: { readonly check?: Check; readonly seconds?: number; readonly compress?: Outcome } = {},
): HostileCase {
  const { seconds, check = 'same-outputs', compress = 'handled' } = options;
  const patience = seconds === undefined ? {} : { seconds };
  return {
    write: (folder) => write(folder, { 'model.onnx': bytes() }),
    commands: [
      { args: ['inspect', 'model.onnx', '--layers'], outcome: 'handled', check: 'escaped', ...patience },
      { args: ['pack', 'model.onnx', '-o', 'out.epk'], outcome: 'handled', ...patience },
      { args: ['unpack', 'out.epk', '-o', 'back.onnx'], outcome: 'handled', check: 'same-file', ...patience },
      { args: ['compress', 'model.onnx', '-o', 'out'], outcome: compress, check, engine: true, ...patience },
    ],
  };
}

/** Data, settings or packed files: the commands say what is expected. */
export function files(writeFiles: (folder: string) => void, commands: readonly HostileCommand[]): HostileCase {
  return { write: writeFiles, commands };
}

export function write(folder: string, contents: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [name, content] of Object.entries(contents)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
