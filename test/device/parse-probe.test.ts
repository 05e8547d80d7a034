import { describe, expect, it } from 'vitest';
import { parseProbe } from '../../src/device/parse-probe.ts';

const board = {
  system: 'Linux',
  machine: 'aarch64',
  bits: '64',
  node: '22.11.0/arm64 /usr/bin/node',
  free: '1000000',
};
const printed = (lines: Readonly<Record<string, string | undefined>>, more: readonly string[] = ['has abc', 'end']) =>
  [
    'Welcome to the board',
    'edgepack-probe 1',
    ...Object.entries(lines).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`])),
    ...more,
    '',
  ].join('\n');
const parse = (text: string) => parseProbe(text, 'ssh://board');

describe('what a device tells', () => {
  it('is read, after what its shell greets with', () => {
    expect(parse(printed(board))).toEqual({
      address: 'ssh://board',
      architecture: 'arm64',
      nodePath: '/usr/bin/node',
      has: new Set(['abc']),
      freeBytes: 1_024_000_000,
    });
  });

  it.each(['18.20.0/arm64 /usr/bin/node', '22.0.0/arm /usr/bin/node', '/ ', undefined])(
    'has no Node.js of use: %s',
    (node) => {
      expect(parse(printed({ ...board, node })).nodePath).toBeUndefined();
    },
  );

  it('takes the second Node.js where the first is too old', () => {
    const node = '16.0.0/arm64 /usr/bin/node\nnode 20.1.0/arm64 /opt/my node/bin/nodejs';
    expect(parse(printed({ ...board, node })).nodePath).toBe('/opt/my node/bin/nodejs');
  });

  it.each([
    [{ ...board, system: 'Darwin' }, /Darwin/],
    [{ ...board, machine: 'armv7l', bits: '32' }, /armv7l/],
    [{ ...board, bits: '32' }, /32-bit system/],
    [{ ...board, machine: 'riscv64' }, /riscv64/],
    [{ ...board, libc: 'musl' }, /musl/],
    [{ ...board, lacks: 'tar' }, /lacks tar/],
  ])('is no device for us: %j', (lines, reason) => {
    const text = printed(lines);
    expect(() => parse(text)).toThrow(reason);
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'device-unsuitable' }));
  });

  it('says that nothing can be written there', () => {
    expect(() => parse(printed(board, ['unwritable']))).toThrow(/cannot be made/);
  });

  it.each(['', 'edgepack-probe 1\nsystem Linux\n', 'This account is not available.'])('is no answer: %j', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'device-failed' }));
  });
});
