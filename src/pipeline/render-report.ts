import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { renderHtml } from '../report/render-html.ts';
import { renderMarkdown } from '../report/render-markdown.ts';
import { type Report, reportSchema } from '../report/report-schema.ts';
import { writePieces } from '../storage/write-pieces.ts';
import type { FileFacts, RenderReportOptions } from './api-types.ts';
import { fileFacts } from './file-facts.ts';

/** A report of a model with 100,000 layers is still below. */
const MAX_REPORT_BYTES = 64 * 2 ** 20;

/**
 * Makes the page of a saved `report.json` again: HTML, or Markdown where the format or the name of the output says so. It is
 * written beside the report as `report.html` or `report.md`, or to `output`.
 * @throws EdgepackError `report-unreadable` for a file that is no report of this version, `file-not-found`, `output-exists`
 *   without `force`, `output-unwritable`.
 */
export async function renderReport(reportPath: string, options: RenderReportOptions = {}): Promise<FileFacts> {
  const format = options.format ?? (/^\.(md|markdown)$/i.test(extname(options.output ?? '')) ? 'md' : 'html');
  const output = options.output ?? join(dirname(reportPath), `report.${format}`);
  if (options.force !== true && existsSync(output)) {
    throw new EdgepackError('output-exists', `${printable(output, 300)} is already there`, {
      hint: 'Choose another name with -o, or overwrite it with --force.',
      location: { file: output },
    });
  }
  const report = readReport(reportPath);
  const bytes = Buffer.from(format === 'md' ? renderMarkdown(report) : await renderHtml(report));
  writePieces(output, [bytes]);
  return fileFacts(output, bytes);
}

function readReport(path: string): Report {
  try {
    return readCheckedJson(path, reportSchema, 'report-unreadable', 'report', MAX_REPORT_BYTES);
  } catch (error) {
    if (!(error instanceof EdgepackError) || error.code !== 'report-unreadable') throw error;
    throw new EdgepackError(error.code, error.message, {
      hint: 'Give the report.json of this version of edgepack; "compress" writes it anew.',
      location: error.location,
      cause: error,
    });
  }
}
