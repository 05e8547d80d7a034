import { errorCatalogue } from '../../src/diagnostics/edgepack-error.ts';
import { code, table } from './markdown.mjs';

/** A table of all error codes, linked to their sections. */
export function errorTable() {
  const rows = Object.entries(errorCatalogue).map(([name, { exitCode, summary }]) => [
    `[${code(name)}](#${name})`,
    exitCode,
    summary,
  ]);
  return table(['code', 'exit code', 'meaning'], rows);
}
