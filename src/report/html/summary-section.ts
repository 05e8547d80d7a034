import { formatBytes, formatDecibels, formatDuration, formatPercent, formatPoints } from '../number-format.ts';
import { arithmeticOf, plural, threads } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { type Interval, inlineBar, inlineInterval, type Mark } from './inline-bar.ts';
import { type Content, html, type Markup } from './markup.ts';

type AccuracyLimit = NonNullable<NonNullable<Report['accuracy']>['limit']>;

interface Card {
  readonly id: string;
  readonly label: string;
  /** The change in one number, with its word. */
  readonly value: Content;
  readonly unit?: Content;
  readonly tone?: 'good' | 'bad' | 'plain' | 'absent';
  /** How sure that number is. */
  readonly certainty: Content;
  readonly rows: readonly (readonly [label: string, chart: Content, value: Content])[];
  readonly measured: Content;
}

/** Size, accuracy and latency side by side: the change, how sure it is, before and after, and where it was measured. */
export function summarySection(report: Report): Markup {
  const cards = [sizeCard(report), accuracyCard(report), latencyCard(report)];
  return html`<section class="cards" aria-label="At a glance">${cards.map(renderCard)}</section>`;
}

function renderCard({ id, label, value, unit, tone = 'plain', certainty, rows, measured }: Card): Markup {
  const table =
    rows.length > 0 &&
    html`<table class="mini"><tbody>${rows.map(
      ([name, chart, text]) =>
        html`<tr>${name === '' ? html`<td></td>` : html`<th scope="row">${name}</th>`}<td class="chart">${chart}</td><td class="number">${text}</td></tr>`,
    )}</tbody></table>`;
  return html`<article class="card" aria-labelledby="${id}"><h2 id="${id}">${label}</h2>
<p class="big ${tone}">${value}${unit !== undefined && html` <span class="unit">${unit}</span>`}</p>
<p class="certainty">${certainty}</p>
${table}<p class="measured">${measured}</p></article>`;
}

function sizeCard({ sizes }: Report): Card {
  const { originalBytes, onnxBytes, ortBytes, epkBytes } = sizes;
  const smallest = epkBytes ?? onnxBytes;
  const isSmaller = smallest <= originalBytes;
  const largest = Math.max(originalBytes, onnxBytes, ortBytes ?? 0, epkBytes ?? 0, 1);
  const row = (name: string, mark: Mark, value: number): Card['rows'][number] => [
    name,
    inlineBar(mark, value / largest),
    formatBytes(value),
  ];
  return {
    id: 'size',
    label: 'Size',
    value: `${factor(isSmaller ? originalBytes / Math.max(smallest, 1) : smallest / Math.max(originalBytes, 1))}×`,
    unit: isSmaller ? 'smaller' : 'larger',
    tone: isSmaller ? 'good' : 'bad',
    certainty: originalBytes > 0 && `${formatPercent(smallest / originalBytes)} of the original; counted, so exact`,
    rows: [
      row('original', 'before', originalBytes),
      row('.onnx', 'after', onnxBytes),
      ...(ortBytes === undefined ? [] : [row('.ort', 'after', ortBytes)]),
      ...(epkBytes === null ? [] : [row('.epk', 'after', epkBytes)]),
    ],
    measured: `The .onnx runs in a stock ONNX Runtime.${epkBytes === null ? '' : ' The .epk is the same file, entropy-coded: unpack gives it back.'}`,
  };
}

function accuracyCard(report: Report): Card {
  const { accuracy, missing, target, data, provider } = report;
  const absent = (reason: string): Card => ({
    id: 'accuracy',
    label: 'Accuracy',
    value: 'not measured',
    tone: 'absent',
    certainty: reason,
    rows: [],
    measured: 'Give samples with --data, and labels with them, and this is measured.',
  });
  if (accuracy === null) return absent(missing.accuracy ?? '');
  const { exact, original, paired, limit, samples } = accuracy;
  const chosen = exact ?? accuracy.host;
  if (chosen === null) return absent('no comparison was made');
  const arithmetic =
    exact === null
      ? "by this host's engine as it comes"
      : provider?.notRun != null
        ? `in ${arithmeticOf(report)}`
        : `in the ${target.arithmetic === 'exact' ? 'exact ' : ''}integer arithmetic of ${target.displayName}`;
  const measured =
    `${plural(samples, 'evaluation sample')}, which decided nothing${data.evaluation === null ? '' : ` (${data.evaluation.path})`}. ` +
    `Computed on this host, ${arithmetic}.`;
  if (original.top1 !== null && chosen.top1 !== null) {
    const change = chosen.top1.value - original.top1.value;
    const domain = shareDomain([original.top1, chosen.top1]);
    return {
      id: 'accuracy',
      label: 'Accuracy',
      value: formatPoints(change).replace(/ points$/, ''),
      unit: 'points',
      tone: limit?.met === false ? 'bad' : 'plain',
      certainty: [changeCertainty(paired, samples), limit !== null && `. ${limitText(limit)}`],
      rows: [
        ['original', inlineInterval('before', original.top1, domain), formatPercent(original.top1.value)],
        ['compressed', inlineInterval('after', chosen.top1, domain), formatPercent(chosen.top1.value)],
        ['', scale(domain, (x) => `${Math.round(x * 1000) / 10} %`), ''],
      ],
      measured,
    };
  }
  if (chosen.agreement !== null) {
    const { value, low, high } = chosen.agreement;
    const domain = shareDomain([chosen.agreement]);
    return {
      id: 'accuracy',
      label: 'Agreement',
      value: formatPercent(value),
      unit: 'same answers',
      certainty: `95 % interval ${formatPercent(low)} to ${formatPercent(high)}; without labels nobody knows which answer is right`,
      rows: [
        ['agreement', inlineInterval('after', chosen.agreement, domain), formatPercent(value)],
        ['', scale(domain, (x) => `${Math.round(x * 1000) / 10} %`), ''],
      ],
      measured,
    };
  }
  return {
    id: 'accuracy',
    label: 'Fidelity',
    value: chosen.sqnrDb === null ? 'identical' : formatDecibels(chosen.sqnrDb).replace(' dB', ''),
    ...(chosen.sqnrDb === null ? {} : { unit: 'dB SQNR' }),
    certainty: 'Signal to noise of the outputs against the original; these outputs are not classes',
    rows: [],
    measured,
  };
}

function limitText({ maxAccuracyDropPoints, dropPoints, met }: AccuracyLimit): string {
  const verdict = dropPoints <= maxAccuracyDropPoints ? 'met' : met ? 'not clearly exceeded' : 'exceeded';
  return `Limit of a ${maxAccuracyDropPoints}-point loss: ${verdict}`;
}

/** The paired interval of a change, or what can be said where no answer changed. */
function changeCertainty(paired: NonNullable<Report['accuracy']>['paired'], samples: number): string {
  if (paired === null) return 'no paired interval';
  if (paired.b + paired.c === 0) {
    return `No answer changed sides; ${plural(samples, 'sample')} can miss changes under ${(300 / samples).toFixed(1)} points`;
  }
  const half = 1.96 * paired.standardError;
  const [low, high] = [-paired.difference - half, -paired.difference + half].map((x) =>
    formatPoints(x).replace(/ points$/, ''),
  );
  return `95 % interval ${low} to ${high}, paired sample by sample`;
}

function latencyCard({ latency, missing, target }: Report): Card {
  const { host } = latency;
  if (host === null) {
    return {
      id: 'latency',
      label: 'Latency',
      value: 'not measured',
      tone: 'absent',
      certainty: missing['latency.host'] ?? '',
      rows: [],
      measured: '',
    };
  }
  const { original, compressed, ratio } = host;
  const isClear = host.ratioHigh < 1 || host.ratioLow > 1;
  const isFaster = isClear && ratio <= 1;
  const interval = isFaster
    ? { low: 1 / host.ratioHigh, high: 1 / host.ratioLow }
    : { low: host.ratioLow, high: host.ratioHigh };
  const [before, after] = [original, compressed].map(
    ({ medianMs, medianLowMs, medianHighMs }): Interval => ({ value: medianMs, low: medianLowMs, high: medianHighMs }),
  ) as [Interval, Interval];
  const domain: [number, number] = [0, Math.max(before.high, after.high) * 1.05];
  return {
    id: 'latency',
    label: 'Latency',
    value: `${factor(isFaster ? 1 / ratio : ratio)}×`,
    unit: isFaster ? 'faster' : isClear ? 'slower' : 'the time',
    tone: !isClear ? 'plain' : isFaster ? 'good' : 'bad',
    certainty: `95 % interval ${factor(interval.low)}× to ${factor(interval.high)}×${isClear ? '' : ': no clear difference'}`,
    rows: [
      ['original', inlineInterval('before', before, domain), formatDuration(original.medianMs)],
      ['compressed', inlineInterval('after', after, domain), formatDuration(compressed.medianMs)],
      ['', scale(domain, (x) => (x === 0 ? '0' : formatDuration(x))), ''],
    ],
    measured: html`Measured on <strong>this host, not on ${target.displayName}</strong>: ${host.cpu}, ${threads(host.threads)}. The target may order them differently.`,
  };
}

/** The ends of an axis under the intervals that share it. */
function scale([low, high]: readonly [number, number], format: (x: number) => string): Markup {
  return html`<span class="scale"><span>${format(low)}</span><span>${format(high)}</span></span>`;
}

/** An axis that holds all intervals and ends on whole steps of five percent, at most at 100 %. */
function shareDomain(intervals: readonly Interval[]): [number, number] {
  const low = Math.min(...intervals.map((interval) => interval.low));
  return [Math.max(0, Math.floor(low * 20 - 0.2) / 20), 1];
}

/** "4.41": three digits, as a factor is read. */
function factor(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
