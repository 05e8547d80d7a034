const blocks = '▁▂▃▄▅▆▇█';

/**
 * Histograms in one line of text each, on a common scale from `low` to `high` in `cells` cells; larger values are counted
 * in the last cell. Each line's fullest cell is the highest block; an empty cell is a blank.
 */
export function sparklines(
  series: readonly (readonly number[])[],
  { low, high, cells }: { readonly low: number; readonly high: number; readonly cells: number },
): string[] {
  return series.map((values) => {
    const counts = new Array<number>(cells).fill(0);
    for (const value of values) {
      const cell = high > low ? Math.floor(((value - low) / (high - low)) * cells) : 0;
      counts[Math.max(0, Math.min(cells - 1, cell))]!++;
    }
    const fullest = Math.max(1, ...counts);
    return counts
      .map((count) => (count === 0 ? ' ' : blocks[Math.ceil((count / fullest) * blocks.length) - 1]!))
      .join('');
  });
}
