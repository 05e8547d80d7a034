import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  appendHistory,
  type HistoryRow,
  historyRow,
  metricsOf,
  readHistory,
  seriesOf,
} from '../../src/budget/history.ts';
import { withLock } from '../../src/storage/with-lock.ts';
import { exampleCheck } from '../cli/example-check.ts';

const fresh = () => join(mkdtempSync(join(tmpdir(), 'edgepack-history-')), 'history.jsonl');
const time = new Date('2026-01-02T03:04:05Z');
const row = (commit: string, change: Partial<HistoryRow> = {}): HistoryRow => ({
  ...historyRow(exampleCheck(), commit, time),
  ...change,
});
const commits = (path: string) => readHistory(path).rows.map(({ commit }) => commit);

describe('history', () => {
  it('has a row for every commit, model and target, the last one of the same wins', async () => {
    const path = fresh();
    await appendHistory(path, row('a'));
    await appendHistory(path, row('b'));
    await appendHistory(path, row('a', { target: 'rpi5' }));
    await appendHistory(path, row('a', { figures: { 'size.file': 7 } }));
    const history = readHistory(path);
    expect(history.rows.map(({ commit, target }) => `${commit} ${target}`)).toEqual(['b rpi4', 'a rpi5', 'a rpi4']);
    expect(seriesOf(history, 'digits', 'rpi4', 'size.file')).toEqual([
      { commit: 'b', value: 105_000 },
      { commit: 'a', value: 7 },
    ]);
    expect(metricsOf(history, 'digits', 'rpi4')).toEqual(['size.file', 'size.epk', 'accuracy.top1']);
    expect(JSON.parse(readFileSync(path, 'utf8').split('\n')[0]!)).toEqual(row('b'));
  });

  it('keeps the latest rows', async () => {
    const path = fresh();
    for (const commit of ['a', 'b', 'c', 'd']) await appendHistory(path, row(commit), 3);
    expect(commits(path)).toEqual(['b', 'c', 'd']);
  });

  it('leaves lines that are no rows where they are, and counts them', async () => {
    const path = fresh();
    writeFileSync(path, `<<<<<<< ours\r\n${JSON.stringify(row('a'))}\r\n{"historyVersion":1}\r\n`);
    const { damagedLines } = await appendHistory(path, row('b'));
    expect([damagedLines, commits(path)]).toEqual([2, ['a', 'b']]);
    expect(readFileSync(path, 'utf8')).toMatch(/^<<<<<<< ours\n/);
  });

  it('loses no row of checks that run at the same time', async () => {
    const path = fresh();
    const script = join(import.meta.dirname, 'append-from-process.ts');
    const ended = ['p', 'q', 'r'].map(
      (name) =>
        new Promise((resolve) => {
          spawn(process.execPath, [...process.execArgv, script, path, name, '12'], { stdio: 'inherit' }).on(
            'exit',
            resolve,
          );
        }),
    );
    expect(await Promise.all(ended)).toEqual([0, 0, 0]);
    expect(new Set(commits(path)).size).toBe(36);
    expect(readdirSync(join(path, '..'))).toEqual(['history.jsonl']);
  });
});

describe('withLock', () => {
  it('takes over a lock that was left behind, and waits for a fresh one', async () => {
    const path = fresh();
    writeFileSync(`${path}.lock`, '');
    await expect(withLock(path, () => 1, { patienceMs: 50 })).rejects.toMatchObject({
      code: 'output-unwritable',
      message: 'is locked by another process',
    });
    const old = Date.now() / 1000 - 120;
    utimesSync(`${path}.lock`, old, old);
    expect(await withLock(path, () => 2)).toBe(2);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('gives the lock back where the action fails, and says where the folder is missing', async () => {
    const path = fresh();
    const failing = withLock(path, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(`${path}.lock`)).toBe(false);
    const nowhere = join(path, 'nowhere', 'h.jsonl');
    await expect(withLock(nowhere, () => 1)).rejects.toMatchObject({ code: 'output-unwritable' });
  });
});
