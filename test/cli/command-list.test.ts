import { expect, it } from 'vitest';
import { commandList } from '../../src/cli/command-list.ts';
import type { CommandContext } from '../../src/cli/command-session.ts';
import { createProgram } from '../../src/cli/run.ts';
import { fakeApi } from './fake-api.ts';

const stream = { columns: 100, write: () => true };
const context: CommandContext = {
  process: { argv: [], env: {}, stdout: stream, stderr: stream, cwd: () => '/' },
  api: fakeApi(),
  signal: new AbortController().signal,
  onSearch: () => {},
  setExitCode: () => {},
  atEnd: () => {},
};

it('says of every command what the command itself says', async () => {
  const listed = await createProgram(context, () => false);
  const loaded = await createProgram(context);
  expect(listed.helpInformation()).toBe(loaded.helpInformation());
});

it('loads what the command line names, and all for a script that completes', async () => {
  const full = async (...words: string[]) => {
    const program = await createProgram(context, (name) => words.includes(name));
    return program.commands.filter((command) => command.description() !== '').map((command) => command.name());
  };
  expect(await full('--version')).toEqual([]);
  expect(await full('help', 'pack')).toEqual(['pack']);
  expect(await full('completion', 'bash')).toEqual(commandList.map(({ name }) => name));
});
