import { existsSync } from 'node:fs';
import { z } from 'zod';
import { withLock } from '../storage/with-lock.ts';
import { writePieces } from '../storage/write-pieces.ts';
import type { CheckResult } from './check-schema.ts';
import { readBoundedText } from './read-bounded-text.ts';
import { type Metric, metrics } from './resolve-budgets.ts';

/** One line of a history: what one commit measured of one model on one target. */
export const historyRowSchema = z
  .object({
    historyVersion: z.literal(1),
    commit: z.string().min(1).max(200),
    time: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      .describe('When it was checked, in UTC.'),
    model: z.string(),
    target: z.string(),
    status: z.enum(['passed', 'failed', 'refused']),
    figures: z.record(z.string(), z.number()).describe('By metric, in its unit.'),
  })
  .describe('A row of a history file.');
export type HistoryRow = z.output<typeof historyRowSchema>;

export interface History {
  readonly rows: readonly HistoryRow[];
  /** Lines that are no rows; they are kept. */
  readonly damagedLines: number;
}

/** Rows that a file keeps; the oldest go first. */
export const MAX_HISTORY_ROWS = 5000;
const MAX_HISTORY_BYTES = 2 ** 26;

/** The row that a check adds. */
export function historyRow({ subject, status, figures }: CheckResult, commit: string, time: Date): HistoryRow {
  return {
    historyVersion: 1,
    commit,
    time: time.toISOString(),
    model: subject.model,
    target: subject.target,
    status,
    figures: Object.fromEntries(figures.map(({ metric, value }) => [metric, value])),
  };
}

/**
 * Adds a row at the end of a JSON-lines file, in place of an earlier one of the same commit, model and target. The file is
 * replaced whole; checks that run at the same time wait for each other.
 * @throws EdgepackError `output-unwritable`, or `usage` for a file that is too large for a history.
 */
export async function appendHistory(path: string, row: HistoryRow, maxRows = MAX_HISTORY_ROWS): Promise<History> {
  return withLock(path, () => {
    const before = readLines(path);
    const isSame = (other: HistoryRow | undefined) =>
      other?.commit === row.commit && other.model === row.model && other.target === row.target;
    const kept = before.filter((line) => !isSame(line.row));
    const lines = [...kept, { text: JSON.stringify(row), row }].slice(-maxRows);
    writePieces(path, [Buffer.from(lines.map(({ text }) => `${text}\n`).join(''))]);
    return historyOf(lines);
  });
}

export function readHistory(path: string): History {
  return historyOf(readLines(path));
}

/** The values of one metric of one model on one target, oldest first. */
export function seriesOf(
  { rows }: History,
  model: string,
  target: string,
  metric: Metric,
): { readonly commit: string; readonly value: number }[] {
  return rows.flatMap((row) => {
    const value = row.model === model && row.target === target ? row.figures[metric] : undefined;
    return value === undefined || !Number.isFinite(value) ? [] : [{ commit: row.commit, value }];
  });
}

/** The metrics that a history has values of. */
export function metricsOf(history: History, model: string, target: string): Metric[] {
  return metrics.filter((metric) => seriesOf(history, model, target, metric).length > 0);
}

interface Line {
  readonly text: string;
  readonly row: HistoryRow | undefined;
}

function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const text = readBoundedText(path, {
    what: 'the history',
    maxBytes: MAX_HISTORY_BYTES,
    hint: 'name a file of JSON lines, or one that is not there yet',
  });
  const lines = text.split(/\r?\n/);
  return lines.filter((text) => text.trim() !== '').map((text) => ({ text, row: parseRow(text) }));
}

function parseRow(text: string): HistoryRow | undefined {
  try {
    return historyRowSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function historyOf(lines: readonly Line[]): History {
  const rows = lines.flatMap(({ row }) => (row === undefined ? [] : [row]));
  return { rows, damagedLines: lines.length - rows.length };
}
