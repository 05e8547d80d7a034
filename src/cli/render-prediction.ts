import { printable } from '../diagnostics/printable.ts';
import { calibrationText } from '../report/calibration-text.ts';
import { demandBytes, describeDemand, describeOpen, describeShares } from '../report/memory-text.ts';
import { formatDuration } from '../report/number-format.ts';
import type { Prediction } from '../report/prediction-schema.ts';
import { wrapWords } from '../report/wrap-words.ts';
import type { Style } from './paint.ts';

/** The interval first, then how far to trust it; or why there is none and what would give one. */
export function renderPrediction(result: Prediction, style: Style): string {
  const { prediction, question, target } = result;
  const { paint } = style;
  const precision = prediction?.precision ?? question.precision;
  const setting = [
    question.engine,
    ...(precision === null ? [] : [precision]),
    `${question.threads} ${question.threads === 1 ? 'thread' : 'threads'}`,
  ].join(', ');
  const title = paint(`${printable(result.model.name)} on ${printable(target.displayName)} (${setting})`, 'title');
  if (prediction === null) {
    return `${[
      title,
      ...rows('latency', `no number: ${result.missing ?? ''}`, style),
      ...rows(
        'instead',
        'measure it on the device with "edgepack bench --device", or calibrate yours: "edgepack targets calibrate"',
        style,
      ),
      ...memoryRows(result, style),
    ].join('\n')}\n`;
  }
  const { latencyMs, lowMs, highMs, coverage, tested, widened, engineVersion } = prediction;
  const lines = [
    title,
    ...rows(
      'latency',
      `${formatDuration(latencyMs)}, ${Math.round(100 * coverage)} % interval ${formatDuration(lowMs)} to ${formatDuration(highMs)}, ${prediction.label}`,
      style,
    ),
  ];
  if (tested !== null) {
    const text = `${tested.rowsCovered} of ${tested.rows} measured networks lay in such an interval made without them`;
    lines.push(...rows('tested', text, style));
  }
  for (const reason of widened) lines.push(...rows('wider', printable(reason, 400), style));
  if (widened.length > 0) lines.push(...rows('', 'the coverage of a widened interval could not be tested', style));
  if (prediction.calibration !== null) lines.push(...rows('profile', calibrationText(prediction.calibration), style));
  const version = engineVersion === null ? '' : `${prediction.engine} ${printable(engineVersion)}: `;
  lines.push(...rows('source', version + printable(prediction.source, 1000), style));
  lines.push(...memoryRows(result, style));
  return `${lines.join('\n')}\n`;
}

/** Weights and activations beside the memory of the smallest and the largest board. */
function memoryRows({ memory }: Prediction, style: Style): string[] {
  const { demand, deviceMinSizeBytes: minSizeBytes, deviceMaxSizeBytes: maxSizeBytes, warning } = memory;
  const need = demandBytes(demand);
  const shares = need === null ? '' : describeShares(need, { minSizeBytes, maxSizeBytes });
  const parts = [describeDemand(demand), shares, describeOpen(demand)].filter((part) => part !== '');
  return [...rows('memory', parts.join('; '), style), ...(warning === null ? [] : rows('', warning, style))];
}

const LABEL_COLUMNS = 10;

function rows(label: string, text: string, style: Style): string[] {
  const room = Math.max(30, (style.columns ?? 100) - LABEL_COLUMNS - 3);
  return wrapWords(text, room).map((part, i) => `  ${(i === 0 ? label : '').padEnd(LABEL_COLUMNS)}${part}`);
}
