/** Rows of cells as a Markdown table with aligned columns; numbers to the right. */
export function table(header, rows) {
  const cells = [header, ...rows].map((row) => row.map((cell) => (cell ?? '–').toString()));
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const isNumber = header.map((_, column) => rows.some((row) => /^([<>]=? )?\d/.test((row[column] ?? '').toString())));
  const line = (row) =>
    `| ${row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (isNumber[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

export const count = (value) => (value == null ? null : value.toLocaleString('en'));
export const percent = (value, digits = 1) => (value == null ? null : `${(100 * value).toFixed(digits)} %`);
export const fixed = (value, digits = 2) => (value == null ? null : value.toFixed(digits));
