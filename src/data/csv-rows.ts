/** A table of more fields is no table of labels; each takes a few hundred bytes once it is read. */
const maxFields = 2 ** 19;

/**
 * Reads comma-separated text with a header line (RFC 4180: quoted fields, doubled quotes, LF or CRLF; empty lines are skipped).
 * @returns the rows as records by column name, with the line each starts on.
 * @throws SyntaxError where there are more than 524,288 fields, a quote is left open or a row is shorter than the header.
 */
export function csvRows(text: string): { readonly columns: readonly string[]; readonly rows: readonly CsvRow[] } {
  const lines = fieldsByLine(text.replace(/^\ufeff/, ''));
  const columns = (lines[0]?.fields ?? []).map((name) => name.trim());
  const rows = lines.slice(1).map(({ fields, line }) => {
    if (fields.length < columns.length) {
      throw new SyntaxError(`line ${line} has ${fields.length} fields, the header ${columns.length}`);
    }
    return { line, fields: new Map(columns.map((name, i) => [name, fields[i]!.trim()])) };
  });
  return { columns, rows };
}

export interface CsvRow {
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
}

function fieldsByLine(text: string): { fields: string[]; line: number }[] {
  const lines: { fields: string[]; line: number }[] = [];
  let fields: string[] = [];
  let line = 1;
  let start = 1;
  let count = 0;
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (pattern.lastIndex < text.length || fields.length > 0) {
    if (++count > maxFields) throw new SyntaxError(`there are more than ${maxFields} fields`);
    const match = pattern.exec(text);
    if (match === null) throw new SyntaxError(`a quote is out of place on line ${line}`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    line += match[0].split('\n').length - 1;
    if (match[3] === ',') continue;
    if (fields.length > 1 || fields[0] !== '') lines.push({ fields, line: start });
    fields = [];
    start = line;
    if (match[3] === '') break;
  }
  return lines;
}
