/**
 * Which frequency table codes which byte of a matrix: the byte at (row, column) belongs to class
 * `classOf[rowLevel[row] + columnLevel[floor(column / columnRepeat) mod columnLevel.length]]`. Levels are logarithms of scales (quarter
 * octaves), so that their sum stands for a product of scales.
 */
export interface SymbolClasses {
  readonly rows: number;
  readonly columns: number;
  readonly rowLevel: Uint8Array;
  /** Empty where columns make no difference. */
  readonly columnLevel: Uint8Array;
  readonly columnRepeat: number;
  readonly classOf: Uint8Array;
  readonly classCount: number;
}

/** Levels and their sums lie in [0, levelCount); a larger sum counts as the last level. */
export const levelCount = 64;
export const maxClassCount = 32;

/** One class for everything. */
export function singleClass(rows: number, columns: number): SymbolClasses {
  return {
    rows,
    columns,
    rowLevel: new Uint8Array(rows),
    columnLevel: new Uint8Array(0),
    columnRepeat: 1,
    classOf: new Uint8Array(levelCount),
    classCount: 1,
  };
}

/** For each row level that occurs, what `table` (indexed by level) gives for every column; undefined where columns make no difference. */
export function columnLines(
  classes: Pick<SymbolClasses, 'rows' | 'columns' | 'rowLevel' | 'columnLevel' | 'columnRepeat'>,
  table: Uint8Array,
): (Uint8Array | undefined)[] {
  const { rows, columns, rowLevel, columnLevel, columnRepeat } = classes;
  const lines: (Uint8Array | undefined)[] = new Array(levelCount).fill(undefined);
  if (columnLevel.length === 0) return lines;
  for (let r = 0; r < rows; r++) {
    const level = rowLevel[r]!;
    if (lines[level] !== undefined) continue;
    const line = new Uint8Array(columns);
    for (let c = 0, group = 0; c < columns; group = group + 1 === columnLevel.length ? 0 : group + 1) {
      const value = table[Math.min(levelCount - 1, level + columnLevel[group]!)]!;
      for (const end = Math.min(columns, c + columnRepeat); c < end; c++) line[c] = value;
    }
    lines[level] = line;
  }
  return lines;
}
