import { printable } from '../diagnostics/printable.ts';
import type { CalibrationResult } from '../report/calibration-result-schema.ts';
import { formatDuration, formatFactor, formatPercent } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import { wrapWords } from '../report/wrap-words.ts';
import type { Style } from './paint.ts';
import { renderTable } from './render-table.ts';

/** What was measured, what came of it, and where it lies; of a dry run what would be. */
export function renderCalibration(result: CalibrationResult, style: Style): string {
  const { source, file, warnings, inSpiteOf } = result;
  const sections = [
    source === null ? renderPlan(result, style) : renderSource(source, result, style),
    ...(source === null ? [] : result.threads.map((threads) => renderRows(result, threads, style))),
    result.fits.map((fit) => `  ${fitText(fit)}`).join('\n'),
    [
      ...inSpiteOf.map((reason) => `in spite of: ${reason}`),
      ...warnings.filter(({ code }) => inSpiteOf.length === 0 || code !== 'load').map(({ message }) => message),
    ]
      .flatMap((text) => marked(text, style))
      .join('\n'),
    file.isWritten ? whereText(result) : '',
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function renderPlan(
  { target, networks, precisions, threads, maxSeconds, file }: CalibrationResult,
  style: Style,
): string {
  return [
    style.paint(`Would calibrate ${printable(target.displayName)}`, 'title'),
    `  ${networks.join(', ')}`,
    `  in ${precisions.join(' and ')} with ${threads.join(', ')} ${threads.join() === '1' ? 'thread' : 'threads'}, as far as it has cores; at most ${formatDuration(1000 * maxSeconds)} of measuring`,
    `  into ${printable(file.path, 300)}`,
  ].join('\n');
}

function renderSource(
  source: NonNullable<CalibrationResult['source']>,
  { target }: CalibrationResult,
  { paint }: Style,
): string {
  const place = source.address === null ? 'this host' : printable(source.address, 100);
  const facts = [
    `${printable(source.board, 80)}, ${place}`,
    `ONNX Runtime ${printable(source.engine.version, 40)}`,
    ...(source.governor === null ? [] : [`governor ${printable(source.governor, 40)}`]),
    ...(source.maxFrequencyMhz === null ? [] : [`at most ${Math.round(source.maxFrequencyMhz)} MHz`]),
  ];
  return `${paint(`Calibration of ${printable(target.displayName)}`, 'title')}\n${paint(`  ${facts.join(', ')}`, 'muted')}`;
}

function renderRows({ rows, networks, precisions }: CalibrationResult, threads: number, { paint }: Style): string {
  const both = precisions.length === 2;
  const header = [plural(threads, 'thread'), ...precisions, ...(both ? ['int8 is'] : [])];
  const lines = networks.map((network) => {
    const times = precisions.map(
      (precision) =>
        rows.find((row) => row.network === network && row.precision === precision && row.threads === threads)!
          .latencyMs,
    );
    const at = (precision: 'fp32' | 'int8') => times[precisions.indexOf(precision)]!;
    const gain = at('fp32') / at('int8');
    const text = gain >= 1 ? `${formatFactor(gain)} faster` : `${formatFactor(1 / gain)} slower`;
    return [network, ...times.map(formatDuration), ...(both ? [text] : [])];
  });
  const [first, ...rest] = renderTable([header, ...lines], [1, 2, 3]).split('\n');
  return [paint(first!, 'muted'), ...rest].join('\n');
}

function fitText({ precision, threads, medianError, lowRatio, highRatio }: CalibrationResult['fits'][number]): string {
  const [low, high] = [1 - lowRatio, highRatio - 1].map((share) => formatPercent(share, 0));
  return `${precision}, ${plural(threads, 'thread')}: within ${formatPercent(medianError, 0)} of these networks (median), 90 % interval of predictions −${low} to +${high}`;
}

function whereText({ file, target, threads }: CalibrationResult): string {
  const kept = file.keptProfiles === 0 ? '' : `, with ${plural(file.keptProfiles, 'profile')} from before`;
  const path = printable(file.path, 300);
  if (!file.isUsed) return `Wrote ${path}${kept}. Predictions do not use it there.`;
  const asked = threads.length === 1 ? ` --threads ${threads[0]}` : '';
  return `Wrote ${path}${kept}.\nNow used by "edgepack predict model.onnx --target ${target.name}${asked}" and by compress.`;
}

function marked(text: string, { paint, columns }: Style): string[] {
  return wrapWords(printable(text, 400), Math.max(30, (columns ?? 100) - 5)).map((row, i) =>
    paint(`${i === 0 ? '  ! ' : '    '}${row}`, 'bad'),
  );
}
