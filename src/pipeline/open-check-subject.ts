import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { type CheckedReport, readCheckedReport } from '../budget/checked-report.ts';

/** A model that is checked, or compared with: what a report says about it, its file, or both. */
export interface CheckSubject {
  /** As it was given. */
  readonly path: string;
  readonly model: string;
  readonly target: string;
  readonly report: CheckedReport | undefined;
  /** The .onnx or .epk file; of a report the one beside it, if it still is the one that the report is about. */
  readonly modelPath: string | undefined;
}

/**
 * Opens a report.json, a folder that holds one, or a model.
 * @param target of a model that has no report.
 * @throws EdgepackError `file-not-found`, or `usage` for a file that is no report.
 */
export function openCheckSubject(path: string, target: string): CheckSubject {
  if (/\.(onnx|ort|epk)$/i.test(path)) {
    return { path, model: parse(path).name, target, report: undefined, modelPath: path };
  }
  const file = statusOf(path)?.isDirectory() === true ? join(path, 'report.json') : path;
  const report = readCheckedReport(file);
  return { path: file, model: report.model.name, target: report.target.name, report, modelPath: modelOf(report, file) };
}

function modelOf({ outputs }: CheckedReport, reportPath: string): string | undefined {
  // Where only an .ort was written beside it, the .epk holds the .onnx that both are of.
  const written = ['.onnx', '.epk'].flatMap(
    (extension) => outputs.find(({ path }) => path.toLowerCase().endsWith(extension)) ?? [],
  )[0];
  if (written === undefined) return undefined;
  // Reports are moved with their folder, and may come from Windows.
  const beside = join(dirname(reportPath), basename(written.path.replaceAll('\\', '/')));
  const status = statusOf(beside);
  // Not a pipe that never ends, and not more than a file of ONNX may have.
  if (status?.isFile() !== true || status.size >= 2 ** 31) return undefined;
  const sha256 = createHash('sha256').update(readFileSync(beside)).digest('hex');
  return sha256 === written.sha256 ? beside : undefined;
}

/** Undefined for what cannot be looked at: whoever reads it says why. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
