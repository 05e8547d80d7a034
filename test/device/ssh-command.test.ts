import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainSshFailure, shellCommand, shellWord, sshArguments } from '../../src/device/ssh-command.ts';

const target = { address: { host: 'board', user: 'pi', port: 2222 }, configPath: '/my config' };

describe('ssh', () => {
  it('asks nothing, accepts no key and forwards nothing', () => {
    const words = sshArguments(target, 'uname -a');
    expect(words.slice(0, 2)).toEqual(['-F', '/my config']);
    expect(words.slice(-7)).toEqual(['-p', '2222', '-l', 'pi', '--', 'board', 'uname -a']);
    for (const option of [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      'PasswordAuthentication=no',
      'ForwardAgent=no',
      'ClearAllForwardings=yes',
      'UpdateHostKeys=no',
    ]) {
      expect(words[words.indexOf(option) - 1]).toBe('-o');
    }
  });

  it.each([
    ['Host key verification failed.', 255, 'device-unverified'],
    ['@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.', 255, 'device-unverified'],
    ['pi@board: Permission denied (publickey).', 255, 'device-unreachable'],
    ['ssh: connect to host board port 22: Connection refused', 255, 'device-unreachable'],
    ['', null, 'device-unreachable'],
    ['sh: not found', 127, 'device-failed'],
  ])('explains %j', (words, exitCode, code) => {
    const error = explainSshFailure(target, exitCode, words);
    expect(error.code).toBe(code);
    expect(error.message).toContain('ssh://board:2222');
    expect(error.message).not.toContain('\n');
  });
});

describe.skipIf(process.platform === 'win32')('words for a shell', () => {
  const hostile = fc.array(
    fc.oneof(
      fc.constantFrom("'", '"', '$(id)', '`id`', '\\', '\n', ' ', ';', '&', '|', '*', '~', '!', '-', '--', '\t', '%s'),
      fc.string({ maxLength: 5 }).map((text) => text.replaceAll('\0', '')),
    ),
    { minLength: 0, maxLength: 8 },
  );

  it('arrive as they were', () => {
    fc.assert(
      fc.property(
        fc.array(
          hostile.map((parts) => parts.join('')),
          { maxLength: 4 },
        ),
        (words) => {
          const command = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
          const printed = execFileSync('sh', ['-c', command]).toString();
          const expected = words.length === 0 ? '\0' : words.map((word) => `${word}\0`).join('');
          expect(printed).toBe(Buffer.from(expected).toString());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reach a script as its parameters', () => {
    const command = shellCommand('printf "%s|" "$@"', ["it's", '$HOME', 'a b']);
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe("it's|$HOME|a b|");
  });
});
