import { printable } from '../diagnostics/printable.ts';
import { calibrationText } from './calibration-text.ts';
import { demandBytes, describeDemand, describeOpen, describeShares, memoryWarning } from './memory-text.ts';
import {
  formatBytes,
  formatDuration,
  formatFactor,
  formatPercent,
  formatPoints,
  formatSizeChange,
} from './number-format.ts';
import type { Report, ReportComparison, ReportLatency } from './report-schema.ts';

/** One line of a summary: what it is about, what it says, and how it should look. */
export interface Finding {
  readonly label: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'muted';
}

/** What must be read before anything else: a slower model, a broken accuracy limit. Empty on a good day. */
export function alarms(report: Report): readonly string[] {
  const found: string[] = [];
  const latency = report.latency.host;
  const evidence = report.execution?.evidence.kind ?? 'host';
  if (evidence !== 'host' && isSlower(report)) {
    found.push(`Slower than the original: ${printable(report.execution!.because, 300)}.`);
  }
  // What this CPU takes says nothing of another provider, and nothing where the device itself was measured.
  const tells = report.provider?.notRun == null && evidence !== 'device';
  if (latency !== null && latency.ratioLow > 1 && tells) {
    const advice =
      evidence === 'profile' && !isSlower(report)
        ? `The target's profile tells otherwise: ${printable(report.execution!.because, 300)}.`
        : 'Measure on the target before you use it.';
    found.push(
      `Slower on this host: the compressed model takes ${formatFactor(latency.ratio)} the time of the original ` +
        `(${printable(latency.cpu)}, ${threads(latency.threads)}). ${advice}`,
    );
  }
  const limit = report.accuracy?.limit;
  if (limit?.met === false) {
    found.push(
      `Accuracy limit not met: ${limit.dropPoints.toFixed(2)} points lost, ${limit.maxAccuracyDropPoints} allowed.`,
    );
  }
  return found;
}

function isSlower({ execution }: Report): boolean {
  const shipped = execution?.variants.find((variant) => variant.shipped);
  return shipped?.verdict === 'slower' || shipped?.verdict === 'undecided';
}

/** The summary of a report, most important first; every line stands alone. */
export function findings(report: Report): readonly Finding[] {
  return [
    sizeFinding(report),
    providerFinding(report),
    accuracyFinding(report),
    agreementFinding(report),
    latencyFinding(report),
    deviceFinding(report),
    executionFinding(report),
    predictionFinding(report),
    integerFinding(report),
    floatFinding(report),
    memoryFinding(report),
    noteFinding(report),
  ].filter((finding) => finding !== undefined);
}

/** "accurate", with its parts that were changed by options left to the report itself. */
export function headline(report: Report): string {
  return (
    `${printable(report.model.name)} for ${printable(report.target.displayName)} ` +
    `(${report.target.name}), recipe ${report.recipe.name}`
  );
}

function sizeFinding({ sizes }: Report): Finding {
  const parts = [
    formatBytes(sizes.originalBytes),
    `${formatBytes(sizes.onnxBytes)} .onnx (${formatSizeChange(sizes.originalBytes, sizes.onnxBytes)})`,
  ];
  if (sizes.epkBytes !== null) {
    parts.push(`${formatBytes(sizes.epkBytes)} .epk (${formatSizeChange(sizes.originalBytes, sizes.epkBytes)})`);
  }
  if (sizes.ortBytes !== undefined) parts.push(`${formatBytes(sizes.ortBytes)} .ort`);
  const smallest = Math.min(sizes.onnxBytes, sizes.epkBytes ?? sizes.onnxBytes);
  return { label: 'size', text: parts.join(' → '), tone: smallest < sizes.originalBytes ? 'good' : 'bad' };
}

/** The execution provider, and what of the device stays idle. Processors that most boards do not have are left to report.json. */
function providerFinding({ provider }: Report): Finding | undefined {
  if (provider === undefined) return undefined;
  const { displayName, processor, notRun, unused } = provider;
  const where = processor === null ? '' : ` on ${printable(processor, 80)}`;
  const parts = [`${printable(displayName)} provider of ONNX Runtime${where}${notRun === null ? '' : `, ${notRun}`}`];
  const idle = unused.filter(({ optional }) => !optional);
  if (idle.length > 0) {
    parts.push(
      `not used: ${idle.map(({ name, reason }) => `${printable(name, 80)} (${printable(reason, 200)})`).join(', ')}`,
    );
  }
  return { label: 'provider', text: parts.join('; '), tone: 'muted' };
}

/** What the integer arithmetic of the accuracy figures is. */
export function arithmeticOf({ target, provider }: Pick<Report, 'target' | 'provider'>): string {
  if (provider !== undefined && provider.notRun !== null) {
    return `exact arithmetic on the CPU, not by ${printable(provider.displayName)}`;
  }
  return `arithmetic of ${target.name}`;
}

function accuracyFinding(report: Report): Finding {
  const { accuracy } = report;
  if (accuracy === null) return absent('accuracy', report.missing.accuracy);
  const before = accuracy.original.top1;
  const after = accuracy.exact?.top1 ?? null;
  if (before === null || after === null) {
    return { label: 'accuracy', text: 'not measured: the evaluation samples have no labels', tone: 'muted' };
  }
  const error = accuracy.paired === null ? '' : ` ± ${(accuracy.paired.standardError * 196).toFixed(1)}`;
  const change = formatPoints(after.value - before.value).replace(' points', `${error} points`);
  return {
    label: 'accuracy',
    text:
      `${formatPercent(before.value)} → ${formatPercent(after.value)} right (${change}), ` +
      `${plural(accuracy.samples, 'sample')}, in ${report.provider?.notRun == null ? 'the arithmetic of the target' : arithmeticOf(report)}`,
    tone: accuracy.limit?.met === false ? 'bad' : 'plain',
  };
}

function agreementFinding({ accuracy }: Report): Finding | undefined {
  const exact = accuracy?.exact;
  if (accuracy === null || exact === undefined || exact === null) return undefined;
  const parts: string[] = [];
  if (exact.agreement !== null) parts.push(`${formatPercent(exact.agreement.value)} same answer as the original`);
  parts.push(exact.sqnrDb === null ? 'outputs identical' : `SQNR ${exact.sqnrDb.toFixed(1)} dB`);
  return { label: 'agreement', text: parts.join(', '), tone: 'plain' };
}

function latencyFinding(report: Report): Finding {
  const latency = report.latency.host;
  return latency === null ? absent('latency', report.missing['latency.host']) : pairedFinding('latency', latency);
}

function deviceFinding({ latency: { device } }: Report): Finding | undefined {
  return device === undefined ? undefined : pairedFinding('device', device);
}

/** Why something else is shipped than what the recipe made, or that something slower is. */
function executionFinding(report: Report): Finding | undefined {
  const { execution } = report;
  if (execution === undefined || (execution.variants[0]?.shipped === true && !isSlower(report))) return undefined;
  const tone = isSlower(report) ? 'bad' : 'plain';
  return { label: 'shipped', text: printable(execution.because, 300), tone };
}

function pairedFinding(label: string, latency: ReportLatency): Finding {
  const { original, compressed, ratio, ratioLow, ratioHigh } = latency;
  const isClear = ratioHigh < 1 || ratioLow > 1;
  const isFaster = isClear && ratio <= 1;
  const [low, high] = isFaster ? [1 / ratioHigh, 1 / ratioLow] : [ratioLow, ratioHigh];
  const interval = `95 %: ${formatFactor(low).replace(' ×', '')} to ${formatFactor(high)}`;
  const factor = isFaster ? `${formatFactor(1 / ratio)} faster` : `${formatFactor(ratio)} the time`;
  const change = `${isClear ? '' : 'no clear difference, '}${factor}, ${interval}`;
  return {
    label,
    text:
      `${formatDuration(original.medianMs)} → ${formatDuration(compressed.medianMs)} median (${change}), ` +
      printable(latency.label, 200),
    tone: ratioHigh <= 1 ? 'good' : ratioLow > 1 ? 'bad' : 'plain',
  };
}

/** On the target, where published or own rows support it; nothing is said where they do not. */
function predictionFinding({ latency: { predicted }, missing }: Report): Finding | undefined {
  const { original, compressed } = predicted ?? { original: null, compressed: null };
  const known = original ?? compressed;
  if (known === null) return undefined;
  const show = (part: typeof original, path: string) =>
    part === null
      ? `none (${printable(missing[path] ?? '', 160)})`
      : `${formatDuration(part.latencyMs)} (${formatDuration(part.lowMs)} to ${formatDuration(part.highMs)})`;
  const parts = [show(original, 'latency.predicted.original'), show(compressed, 'latency.predicted.compressed')];
  const from = known.calibration === null ? '' : `, from ${calibrationText(known.calibration)}`;
  const text = `${parts.join(' → ')} on the target, ${known.engine}, ${threads(known.threads)}, ${Math.round(100 * known.coverage)} % intervals, ${known.label}${from}`;
  return { label: 'target', text, tone: 'muted' };
}

function integerFinding(report: Report): Finding | undefined {
  const share = report.integerShare?.total;
  if (share === undefined || share === null) return undefined;
  return {
    label: 'integer',
    text: `${formatPercent(share)} of the multiply-accumulates run in integer kernels${report.provider?.notRun == null ? '' : ' of the CPU provider here'}`,
    tone: 'plain',
  };
}

function floatFinding(report: Report): Finding | undefined {
  const kept = report.layers.filter((layer) => layer.precision === 'float');
  if (kept.length === 0) return undefined;
  const shown = kept.slice(0, 3);
  const more = kept.length > shown.length ? ` and ${kept.length - shown.length} more` : '';
  const reasonOf = ({ reason }: Report['layers'][number]) => (reason === null ? '' : ` (${printable(reason, 100)})`);
  const isShared = kept.length > 1 && kept.every(({ reason }) => reason === kept[0]!.reason);
  const named = shown.map((layer) => {
    const name = printable(layer.name === '' ? layer.opType : layer.name, 60);
    return isShared ? name : `${name}${reasonOf(layer)}`;
  });
  return {
    label: 'float',
    text: `${plural(kept.length, 'layer')} kept in float: ${named.join(', ')}${more}${isShared ? reasonOf(kept[0]!) : ''}`,
    tone: 'plain',
  };
}

/** What both models need on the device, and what share of it that is; then what the engine took here. */
function memoryFinding({ memory, target }: Report): Finding | undefined {
  if (memory === null || memory.enginePeakBytes === null) return undefined;
  const here = `${formatBytes(memory.enginePeakBytes)} at most in the engine here`;
  if (memory.demand === undefined) return { label: 'memory', text: here, tone: 'muted' };
  const { original, compressed } = memory.demand;
  const need = demandBytes(compressed);
  const shares = need === null ? '' : describeShares(need, target.memory);
  const parts = [
    `${describeDemand(original)} → ${describeDemand(compressed)}`,
    shares === '' ? '' : `${shares} (smallest and largest ${printable(target.displayName, 80)})`,
    describeOpen(compressed),
    here,
  ];
  const tone = memoryWarning(compressed, target) === undefined ? 'muted' : 'bad';
  return { label: 'memory', text: parts.filter((part) => part !== '').join('; '), tone };
}

function noteFinding({ accuracy }: Report): Finding | undefined {
  if (accuracy === null || accuracy.note === null) return undefined;
  return { label: 'note', text: printable(accuracy.note, 400), tone: 'plain' };
}

function absent(label: string, reason: string | undefined): Finding {
  return { label, text: `not measured${reason === undefined ? '' : `: ${printable(reason, 200)}`}`, tone: 'muted' };
}

/** The rows of a table that sets the target's arithmetic beside this host's engine. */
export function comparisonRows(
  report: Report,
): readonly { readonly name: string; readonly comparison: ReportComparison }[] {
  const { accuracy } = report;
  if (accuracy === null) return [];
  return [
    { name: `compressed, ${arithmeticOf(report)}`, comparison: accuracy.exact },
    { name: "compressed, this host's engine", comparison: accuracy.host },
  ].filter((row): row is { name: string; comparison: ReportComparison } => row.comparison !== null);
}

export function threads(count: number): string {
  return plural(count, 'thread');
}

/** "1 layer", "3 layers", "1,000 samples". */
export function plural(count: number, noun: string): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ',')} ${noun}${count === 1 ? '' : 's'}`;
}
