import { describe, expect, it, vi } from 'vitest';
import { progressText, terminalLogger, type Verbosity } from '../../src/cli/terminal-logger.ts';

function collect(verbosity: Verbosity) {
  let text = '';
  const logger = terminalLogger({ write: (part) => (text += part) }, {}, verbosity);
  logger.debug('detail');
  logger.info('fact');
  logger.warn('care');
  const progress = logger.progress('Calibrating', 3);
  progress.update(3);
  progress.done();
  return text;
}

describe('terminalLogger', () => {
  it('says less when quiet and more when verbose', () => {
    expect(collect('quiet')).toBe('');
    expect(collect('normal')).toBe('fact\nwarning: care\n');
    expect(collect('verbose')).toMatch(/^detail\nfact\nwarning: care\nCalibrating: 3, [\d.]+ µs\n$/);
  });

  it('reports longer work in one line where there is no terminal', async () => {
    let text = '';
    const progress = terminalLogger({ write: (part) => (text += part) }, {}, 'normal').progress('Evaluating', 10);
    progress.update(10);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    progress.done();
    expect(text).toMatch(/^Evaluating: 10, \d+\.\d+ s\n$/);
  });
});

describe('on a terminal', () => {
  const terminal = (columns: number) => {
    const written: string[] = [];
    const cursor = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
    return { written, stream: { isTTY: true, columns, ...cursor, write: (text: string) => written.push(text) > 0 } };
  };

  it('shows a spinner with the progress, and takes it away at the end', async () => {
    const { written, stream } = terminal(80);
    const progress = terminalLogger(stream, {}, 'normal').progress('Calibrating', 3);
    progress.update(1);
    await vi.waitFor(() => expect(written.join('')).toContain('Calibrating 1/3'));
    progress.done();
    const before = written.length;
    progress.update(2);
    expect(written.length).toBe(before);
  });

  it('shows none for what is done before there could be one', async () => {
    const { written, stream } = terminal(80);
    const logger = terminalLogger(stream, {}, 'normal');
    logger.progress('Reading').done();
    const next = logger.progress('Writing');
    await vi.waitFor(() => expect(written.join('')).toContain('Writing'));
    next.done();
    expect(written.join('')).not.toContain('Reading');
  });

  it.each([
    ['an unknown width', 0, {}],
    ['TERM=dumb', 80, { TERM: 'dumb' }],
    ['CI', 80, { CI: 'true' }],
  ])('shows none with %s', (_, columns, env) => {
    const { written, stream } = terminal(columns);
    const progress = terminalLogger(stream, env, 'normal').progress('Calibrating', 3);
    progress.update(1);
    progress.done();
    expect(written).toEqual([]);
  });
});

describe('progressText', () => {
  it('tells the time left once there is a pace', () => {
    expect(progressText('Calibrating', 0, 100, 5000)).toBe('Calibrating 0/100');
    expect(progressText('Calibrating', 25, 100, 900)).toBe('Calibrating 25/100');
    expect(progressText('Calibrating', 25, 100, 5000)).toBe('Calibrating 25/100, 15 s left');
    expect(progressText('Calibrating', 10, 1000, 5000)).toBe('Calibrating 10/1000, 8 min 15 s left');
    expect(progressText('Calibrating', 100, 100, 5000)).toBe('Calibrating 100/100');
    expect(progressText('Searching', 7, undefined, 5000)).toBe('Searching 7');
  });
});
