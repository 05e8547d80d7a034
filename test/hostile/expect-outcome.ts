import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { printable } from '../../src/diagnostics/printable.ts';
import type { CaseFolder, CommandRun } from './command-run.ts';
import type { HostileCommand } from './hostile-case.ts';

type Result = Pick<CommandRun, 'exitCode' | 'stdout' | 'stderr'>;

/**
 * What holds for every command on a hostile file: refused in one line with a hint and nothing written, or handled with
 * nothing written but where it was asked for; never a stack, and never a character that moves a terminal's cursor.
 */
export function expectOutcome(
  command: HostileCommand,
  { exitCode, stdout, stderr }: Result,
  before: ReadonlyMap<string, string>,
  folder: CaseFolder,
): void {
  const said = `edgepack ${command.args.join(' ').slice(0, 200)}\n${stderr}`;
  expect([0, 2, 3], said).toContain(exitCode);
  if (command.outcome !== 'either') expect(exitCode === 0 ? 'handled' : 'refused', said).toBe(command.outcome);
  // What is printed is what `printable` leaves as it is, line by line.
  for (const line of `${stdout}\n${stderr}`.split('\n')) expect(printable(line, Number.POSITIVE_INFINITY)).toBe(line);
  expect(stderr, said).not.toMatch(/^ +at /m);
  const after = folder.snapshot();
  // Statistics that were finished before a run failed are kept for the next one.
  const changed = [...after]
    .filter(([path, content]) => before.get(path) !== content && !path.startsWith('/around/case/.edgepack-cache'))
    .map(([path]) => path);
  const gone = [...before.keys()].filter((path) => !after.has(path));
  expect(gone, said).toEqual([]);
  if (exitCode !== 0) {
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('warning:'));
    expect(lines, said).toEqual([expect.stringMatching(/^error: ./), expect.stringMatching(/^hint: [A-Z`"'-]/)]);
    expect(lines[0]!.length).toBeLessThan(2000);
    if (command.says !== undefined) expect(stderr).toMatch(command.says);
    if (command.outcome === 'refused' && command.exitCode !== undefined) expect(exitCode, said).toBe(command.exitCode);
    expect(changed, said).toEqual([]);
    return;
  }
  expect(
    changed.filter((path) => !path.startsWith('/around/case/')),
    said,
  ).toEqual([]);
  if (command.check === 'same-file') {
    const original = readFileSync(join(folder.path, 'model.onnx'));
    expect(readFileSync(join(folder.path, 'back.onnx')).equals(original), said).toBe(true);
  }
}
