/** Columns of text, padded to their widest cell; `right` names the columns that hold numbers. */
export function renderTable(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  indent = '  ',
): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      (
        indent +
        row
          .map((cell, column) =>
            right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
          )
          .join('  ')
      ).trimEnd(),
    )
    .join('\n');
}

/** A name cut in the middle, where the telling parts are the ends. */
export function shorten(name: string, room: number): string {
  if (name.length <= room) return name;
  const half = Math.floor((room - 1) / 2);
  return `${name.slice(0, room - 1 - half)}…${name.slice(name.length - half)}`;
}
