import type { Target } from '../../src/targets/target-schema.ts';

export const tableMarkers = ['<!-- table: npm run fit:latency -->', '<!-- end of table -->'] as const;

/** The cross-validated errors of all built-in profiles, as Markdown. */
export function errorTable(targets: readonly Target[]): string {
  const lines = [
    '| device | board | in | threads | networks | median error | ≤ 10 % | ≤ 20 % | p90 error | 90 % band | inside |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const { name, latency } of targets) {
    for (const { board, precision, threads, cores, error, band } of latency?.profiles ?? []) {
      if (error === null) continue;
      const cells = [
        name,
        board,
        precision,
        `${threads}${cores === 'all' ? '' : ` (${cores})`}`,
        error.rows,
        percent(error.medianError),
        percent(error.within10),
        percent(error.within20),
        percent(error.p90Error),
        `−${percent(1 - band.lowRatio)} to +${percent(band.highRatio - 1)}`,
        `${band.rowsCovered} of ${band.rows}`,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** The text with the part between the markers replaced. */
export function withTable(text: string, table: string): string {
  const [begin, end] = tableMarkers;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error('the page has no place for the table');
  return `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
