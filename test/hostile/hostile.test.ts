import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import * as api from '../../src/index.ts';
import { CaseFolder } from './command-run.ts';
import { expectOutcome } from './expect-outcome.ts';
import { findCases } from './find-cases.ts';
import type { HostileCommand } from './hostile-case.ts';

/** Runs a command line in this process. */
async function runHere(args: readonly string[], folder: string) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exitCode = await run(
    {
      argv: ['node', 'edgepack', ...args],
      env: { NO_COLOR: '1' },
      cwd: () => folder,
      stdout: stream('stdout'),
      stderr: stream('stderr'),
    },
    { ...api },
  );
  return { exitCode, ...written };
}

const cases = await findCases();

/** Commands that start the engine take most of a second each: they are run among the slow tests. */
const isQuick = ({ engine, seconds }: HostileCommand) => engine !== true && seconds === undefined;

test('the corpus has a case for each of hundreds of mistakes', () => {
  expect(cases.length).toBeGreaterThan(400);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

describe.skipIf(process.platform === 'win32')('hostile files', () => {
  test.each(cases.filter(({ commands }) => commands.some(isQuick)).map((hostile) => [hostile.name, hostile] as const))(
    '%s',
    async (_name, { write, commands }) => {
      const folder = new CaseFolder();
      try {
        write(folder.path);
        for (const command of commands.filter(isQuick)) {
          const before = folder.snapshot();
          const result = await runHere(command.args, folder.path);
          expectOutcome(command, result, before, folder);
        }
      } finally {
        folder.remove();
      }
    },
  );
});
