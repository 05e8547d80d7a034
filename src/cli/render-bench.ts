import { printable } from '../diagnostics/printable.ts';
import type { BenchMeasurement, BenchProfile, BenchResult } from '../report/bench-schema.ts';
import { formatBytes, formatDuration, formatFactor, formatPercent } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import { wrapWords } from '../report/wrap-words.ts';
import type { Style } from './paint.ts';
import { renderTable, shorten } from './render-table.ts';
import { sparklines } from './sparkline.ts';

export interface BenchStyle extends Style {
  /** Whether the terminal shows block characters. */
  readonly blocks: boolean;
}

const LISTED_NODES = 10;
const LISTED_OPERATORS = 8;
const SPARKLINE_CELLS = 40;

const reasons: Readonly<Record<BenchMeasurement['stopped'], string>> = {
  precision: 'known precisely enough',
  time: 'time was up',
  rounds: 'all rounds done',
};

/** What was timed, for a person: one table per number of threads, then memory, profiles and warnings. */
export function renderBench(result: BenchResult, style: BenchStyle): string {
  const { paint } = style;
  const { source, inputs } = result;
  const sizes = Object.entries(inputs.sizes).map(([name, size]) => `${printable(name, 40)}=${size}`);
  const fed =
    inputs.kind === 'data'
      ? `first sample of ${printable(inputs.path ?? '', 100)}`
      : `made-up inputs${sizes.length === 0 ? '' : ` (${sizes.join(', ')})`}`;
  const sections = [
    `${wrapped(capitalize(printable(source.label, 200)), style, '')
      .map((row) => paint(row, 'title'))
      .join('\n')}\n${paint(wrapped(`ONNX Runtime ${source.engine.version}, ${fed}`, style).join('\n'), 'muted')}`,
    ...result.measurements.map((measurement) => renderMeasurement(measurement, style)),
    renderMemory(result, style),
    ...(result.profiles ?? []).map((profile) => renderProfile(profile, style)),
    result.warnings.flatMap(({ message }) => warning(message, style)).join('\n'),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function renderMeasurement(measurement: BenchMeasurement, style: BenchStyle): string {
  const { models, threads, rounds, stopped, elapsedMs } = measurement;
  const several = models.length > 1;
  const names = nameRoom(style);
  const header = ['', 'median', '95 %', 'p90', 'p99', ...(several ? ['ratio', '95 %'] : [])];
  const rows = models.map(({ label, median, p90, p99, ratio }) => [
    shorten(printable(label), names),
    formatDuration(median.valueMs),
    rangeOf(median.interval),
    formatDuration(p90.valueMs),
    formatDuration(p99.valueMs),
    ...(several
      ? ratio === null
        ? ['1', '']
        : [ratio.value.toPrecision(3), `${ratio.interval.low.toPrecision(3)} to ${ratio.interval.high.toPrecision(3)}`]
      : []),
  ]);
  const lines = renderTable([header, ...rows], [1, 2, 3, 4, 5, 6]).split('\n');
  const runs = models.map(({ roundsMs }) => roundsMs.length * (roundsMs[0]?.length ?? 0));
  const runText = new Set(runs).size === 1 ? plural(runs[0]!, 'run') : `${runs.join(' and ')} runs`;
  const title = `${plural(threads, 'thread')}: ${plural(rounds, 'round')} in turns, ${runText}, ${formatDuration(elapsedMs)}, ${reasons[stopped]}`;
  const text = [`  ${title}`, style.paint(lines[0]!, 'muted'), ...lines.slice(1)];
  for (const model of models) {
    if (model.ratio !== null) text.push(style.paint(`  ${verdict(model, models[0]!.label, names)}`, tone(model.ratio)));
  }
  if (style.blocks) text.push(...distributions(models, names));
  return text.join('\n');
}

type Ratio = NonNullable<BenchMeasurement['models'][number]['ratio']>;

function verdict({ label, ratio }: BenchMeasurement['models'][number], first: string, room: number): string {
  const { value, interval } = ratio!;
  const [name, other] = [shorten(printable(label), room), shorten(printable(first), room)];
  if (interval.high < 1) {
    return `${name} is ${formatFactor(1 / value)} faster than ${other} (${factorRange({ low: 1 / interval.high, high: 1 / interval.low })})`;
  }
  if (interval.low > 1)
    return `${name} is slower: ${formatFactor(value)} the time of ${other} (${factorRange(interval)})`;
  return `no difference between ${name} and ${other} could be told apart from noise`;
}

function tone({ interval }: Ratio): 'good' | 'bad' | 'plain' {
  return interval.high < 1 ? 'good' : interval.low > 1 ? 'bad' : 'plain';
}

/** One line per model on a common scale: how its runs are spread. The last cell holds the tail as well, which has no end. */
function distributions(models: BenchMeasurement['models'], names: number): string[] {
  const low = Math.min(...models.map(({ minMs }) => minMs));
  const bulk = Math.max(...models.map(({ p90 }) => p90.valueMs));
  const high = bulk + (bulk - low) / 4;
  const drawn = sparklines(
    models.map(({ roundsMs }) => roundsMs.flat()),
    { low, high, cells: SPARKLINE_CELLS },
  );
  const labels = models.map(({ label }) => shorten(printable(label), names));
  const width = Math.max(...labels.map(({ length }) => length));
  const [start, end] = [formatDuration(low), `${formatDuration(high)} and more`];
  return [
    ...labels.map((label, i) => `  ${label.padEnd(width)}  ${drawn[i]}`),
    `  ${''.padEnd(width)}  ${start}${end.padStart(Math.max(end.length + 1, SPARKLINE_CELLS - start.length))}`,
  ];
}

function renderMemory({ models }: BenchResult, style: BenchStyle): string {
  const rows = models.map(({ label, facts, loadMs, enginePeakBytes, engineIdleBytes }) => [
    shorten(printable(label), nameRoom(style)),
    formatBytes(facts.sizeBytes),
    formatDuration(loadMs),
    formatBytes(enginePeakBytes),
    formatBytes(Math.max(0, enginePeakBytes - engineIdleBytes)),
  ]);
  const [header, ...lines] = renderTable(
    [['', 'unpacked', 'load', 'peak memory', 'over idle engine'], ...rows],
    [1, 2, 3, 4],
  ).split('\n');
  return [style.paint(header!, 'muted'), ...lines].join('\n');
}

function renderProfile(profile: BenchProfile, style: BenchStyle): string {
  const { label, threads, runs, shares, operators, nodes, nodeCount, nodeMs } = profile;
  const used = (['int8', 'float', 'conversion', 'other'] as const).filter((kernel) => shares[kernel] > 0);
  const split = used.map((kernel) => `${formatPercent(shares[kernel])} ${kernel}`).join(', ');
  const byOperator = operators
    .slice(0, LISTED_OPERATORS)
    .map(({ opType, kernel, nodes: count, runMs, share }) => [
      printable(opType, 40),
      kernel,
      plural(count, 'node'),
      formatDuration(runMs),
      formatPercent(share),
    ]);
  const slowest = nodes
    .slice(0, LISTED_NODES)
    .map(({ name, opType, kernel, runMs, share, outputShape }) => [
      shorten(printable(name, 200), Math.max(20, style.columns - 70)),
      printable(opType, 30),
      kernel,
      outputShape === null ? '' : outputShape.join('×'),
      formatDuration(runMs),
      formatPercent(share),
    ]);
  const more =
    nodeCount > slowest.length
      ? style.paint(`  the slowest ${slowest.length} of ${plural(nodeCount, 'node')}`, 'muted')
      : '';
  const providers = [...new Set(nodes.map(({ provider }) => provider))].map((name) => printable(name, 40)).join(', ');
  return [
    style.paint(`Profile of ${printable(label)}, ${plural(threads, 'thread')}, ${plural(runs, 'run')}`, 'title'),
    `  ${formatDuration(nodeMs)} in kernels per run, ${providers}: ${split}`,
    '',
    renderTable(byOperator, [2, 3, 4]),
    '',
    ...(more === '' ? [] : [more]),
    renderTable(slowest, [4, 5]),
  ].join('\n');
}

function warning(message: string, style: BenchStyle): string[] {
  const rows = wrapped(printable(message, 400), style, '    ');
  return rows.map((row, i) => style.paint(i === 0 ? row.replace('    ', '  ! ') : row, 'bad'));
}

function wrapped(text: string, { columns }: BenchStyle, margin = '  '): string[] {
  return wrapWords(text, columns - margin.length - 1).map((row) => `${margin}${row}`);
}

function nameRoom(style: BenchStyle): number {
  return Math.max(12, Math.min(40, style.columns - 76));
}

/** "1.90 to 1.95 ms": the unit once, where both have the same. */
function rangeOf(interval: { readonly low: number; readonly high: number } | null): string {
  if (interval === null) return '';
  const [low, high] = [formatDuration(interval.low), formatDuration(interval.high)];
  const [lowUnit, highUnit] = [low, high].map((text) => text.slice(text.indexOf(' ')));
  return lowUnit === highUnit ? `${low.slice(0, low.indexOf(' '))} to ${high}` : `${low} to ${high}`;
}

function factorRange({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${formatFactor(low).replace(' ×', '')} to ${formatFactor(high).replace(' ×', '')}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
