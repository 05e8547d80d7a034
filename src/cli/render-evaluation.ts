import { printable } from '../diagnostics/printable.ts';
import type { Evaluation } from '../report/evaluation-schema.ts';
import { formatPercent, formatPoints } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import type { ReportComparison } from '../report/report-schema.ts';
import type { Style } from './paint.ts';
import { renderTable } from './render-table.ts';

type Scores = Pick<ReportComparison, 'top1' | 'top5'>;

/** Accuracy of a model, and of the one it is compared with, for a person. */
export function renderEvaluation(evaluation: Evaluation, style: Style): string {
  const { comparison, data } = evaluation;
  const exactName = `arithmetic of ${printable(evaluation.target)}`;
  const header = ['', 'top-1', '(95 %)', 'top-5', 'agreement', 'SQNR', 'cosine', 'KL'];
  const rows: string[][] = [];
  if (comparison !== null && evaluation.against !== null)
    rows.push(row(printable(evaluation.against.path, 60), comparison.against, null));
  if (evaluation.exact !== null) rows.push(row(exactName, evaluation.exact, comparison?.exact ?? null));
  if (evaluation.host !== null) rows.push(row("this host's engine", evaluation.host, comparison?.host ?? null));
  if (evaluation.device !== null)
    rows.push(row(printable(evaluation.device.address, 60), evaluation.device, comparison?.device ?? null));
  const used = header.map((_, column) => column === 0 || rows.some((cells) => cells[column] !== ''));
  const keep = (cells: readonly string[]) => cells.filter((_, column) => used[column]);
  const sections = [
    style.paint(`${printable(evaluation.model.path, 300)} on ${plural(data.samples, 'sample')}`, 'title'),
    used.filter(Boolean).length > 1 ? renderTable([keep(header), ...rows.map(keep)], [1, 2, 3, 4, 5, 6, 7]) : '',
  ];
  if (!data.labelled && comparison === null) {
    sections.push('  The data has no labels: give --labels for accuracy or --against to compare with another model.');
  }
  if (comparison?.paired != null) {
    const { b, c, difference, standardError } = comparison.paired;
    sections.push(
      `  ${formatPoints(-difference)} against ${printable(evaluation.against?.path ?? '', 60)}, standard error ${(standardError * 100).toFixed(2)} points ` +
        `(${b} samples lost, ${c} won)`,
    );
  }
  if (evaluation.note !== null) sections.push(`  ${printable(evaluation.note, 400)}`);
  if (evaluation.deviceNote !== null) sections.push(`  ${printable(evaluation.deviceNote, 400)}`);
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function row(name: string, scores: Scores, comparison: ReportComparison | null): string[] {
  const { top1, top5 } = scores;
  return [
    name,
    top1 === null ? '' : formatPercent(top1.value),
    top1 === null ? '' : `${(top1.low * 100).toFixed(1)} to ${(top1.high * 100).toFixed(1)}`,
    top5 === null ? '' : formatPercent(top5.value),
    comparison?.agreement == null ? '' : formatPercent(comparison.agreement.value),
    comparison === null ? '' : comparison.sqnrDb === null ? 'identical' : `${comparison.sqnrDb.toFixed(1)} dB`,
    comparison?.cosine == null ? '' : comparison.cosine.toFixed(5),
    comparison?.klDivergence == null ? '' : comparison.klDivergence.toExponential(1),
  ];
}
