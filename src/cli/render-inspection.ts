import { printable } from '../diagnostics/printable.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import { describeDemand, describeOpen, describePeak } from '../report/memory-text.ts';
import { formatBytes, formatCount, formatPercent } from '../report/number-format.ts';
import { plural } from '../report/report-findings.ts';
import type { Style } from './paint.ts';
import { renderTable, shorten } from './render-table.ts';

interface InspectionStyle extends Style {
  readonly allLayers: boolean;
}

const largestShown = 10;
const livesShown = 5;

/** What is in a model, for a person: the whole first, then operators, layers, bytes, int8. */
export function renderInspection(inspection: Inspection, style: InspectionStyle): string {
  const title = (text: string) => style.paint(text, 'title');
  const sections = [
    overview(inspection, title),
    section(title('Operators'), operators(inspection)),
    section(title(layersTitle(inspection, style)), layers(inspection, style)),
    section(title('Bytes by type'), bytesByType(inspection)),
    section(title('Memory'), memory(inspection)),
    section(title('int8'), quantization(inspection, style)),
    providerSection(inspection, style),
    inspection.warnings
      .map((warning) => `${style.paint('warning:', 'bad')} ${printable(warning.message, 300)}`)
      .join('\n'),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function overview({ model, inputs, outputs, unknownDomains }: Inspection, title: (text: string) => string): string {
  const opsets = model.opsetImports.map(
    ({ domain, version }) => `${printable(domain === '' ? 'onnx' : domain)} ${version}`,
  );
  const rows = [
    ['size', `${formatBytes(model.sizeBytes)}, ${formatCount(model.parameters)} parameters, ${macs(model.macs)}`],
    ['graph', `${plural(model.nodes, 'node')}, opset ${opsets.join(', ')}`],
    ...inputs.map((value, index) => [index === 0 ? 'input' : '', describe(value)]),
    ...outputs.map((value, index) => [index === 0 ? 'output' : '', describe(value)]),
  ];
  if (unknownDomains.length > 0) {
    rows.push(['unknown', `${unknownDomains.map((domain) => printable(domain)).join(', ')}: passed through untouched`]);
  }
  return `${title(printable(model.name))}\n${renderTable(rows)}`;
}

function describe({ name, dataType, shape }: Inspection['inputs'][number]): string {
  const dims =
    shape === null
      ? 'of unknown rank'
      : `[${shape.map((dim) => (dim === null ? '?' : printable(String(dim)))).join(', ')}]`;
  return `${printable(name, 80)}  ${dataType} ${dims}`;
}

function operators({ operators: kinds }: Inspection): string {
  const sorted = [...kinds].sort((a, b) => (b.macs ?? 0) - (a.macs ?? 0) || b.count - a.count);
  const rows = sorted.map(({ domain, opType, count, macs: cost }) => [
    printable(domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`),
    String(count),
    cost === null || cost === 0 ? '' : `${formatCount(cost)} MACs`,
  ]);
  return rows.length === 0 ? '' : renderTable(rows, [1]);
}

function layersTitle({ layers: all }: Inspection, style: InspectionStyle): string {
  return style.allLayers || all.length <= largestShown
    ? 'Layers'
    : `Largest layers (${largestShown} of ${all.length}; --layers lists all)`;
}

function layers({ layers: all, model }: Inspection, style: InspectionStyle): string {
  const shown = style.allLayers ? all : [...all].sort((a, b) => b.weightBytes - a.weightBytes).slice(0, largestShown);
  const rows = shown.map((layer) => [
    shorten(printable(layer.name === '' ? '(unnamed)' : layer.name), Math.max(20, style.columns - 64)),
    layer.opType,
    layer.dataType,
    formatBytes(layer.weightBytes),
    `${formatCount(layer.parameters)} parameters`,
    layer.macs === null || model.macs === null || model.macs === 0
      ? ''
      : `${formatPercent(layer.macs / model.macs)} of MACs`,
  ]);
  return rows.length === 0 ? '' : renderTable(rows, [3, 4, 5]);
}

function bytesByType({ bytesByType: all }: Inspection): string {
  const rows = all.map((entry) => [
    entry.dataType,
    formatBytes(entry.sizeBytes),
    plural(entry.initializers, 'initializer'),
  ]);
  return rows.length === 0 ? '' : renderTable(rows, [1]);
}

/** What is in memory when it is fullest. */
function memory({ memory: demand }: Inspection): string {
  const lines = [`  ${describeDemand(demand)}${describePeak(demand)}`];
  const open = describeOpen(demand);
  if (open !== '') lines.push(`  ${open}`);
  const rows = demand.live
    .slice(0, livesShown)
    .map(({ name, sizeBytes }) => [shorten(printable(name), 60), formatBytes(sizeBytes)]);
  if (demand.liveCount > rows.length) rows.push([`and ${demand.liveCount - rows.length} more`, '']);
  return demand.live.length === 0 ? lines.join('\n') : `${lines.join('\n')}\n${renderTable(rows, [1])}`;
}

function quantization({ quantization: state }: Inspection, style: InspectionStyle): string {
  const lines = [
    {
      float: 'The layers compute in float.',
      int8: 'The layers compute in int8.',
      mixed: 'Some layers compute in int8, some in float.',
    }[state.state],
  ];
  if (state.blockers.length === 0 && state.state === 'float') lines.push('Nothing keeps them from int8.');
  const shown = style.allLayers ? state.blockers : state.blockers.slice(0, largestShown);
  for (const { subject, reason } of shown) lines.push(`Blocked: ${printable(subject, 80)}: ${printable(reason, 200)}`);
  if (shown.length < state.blockers.length)
    lines.push(`and ${state.blockers.length - shown.length} more (--layers lists all)`);
  if (state.saturation !== null) {
    const { possible, where, on } = state.saturation;
    lines.push(
      possible
        ? `Can saturate on ${printable(on, 200)}, in ${plural(where.length, 'node')}:`
        : `Cannot saturate, also not on ${printable(on, 200)}.`,
    );
    for (const { node, worstPairSum } of where.slice(0, style.allLayers ? where.length : largestShown)) {
      lines.push(
        `  ${shorten(printable(node), 60)}: two products can reach ${worstPairSum.toLocaleString('en-US')}, 16 bits hold 32,767`,
      );
    }
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

/** What a provider runs of it, a line for every kind of node that fares the same. */
function providerSection({ provider }: Inspection, style: InspectionStyle): string {
  if (provider === undefined) return '';
  const kinds = new Map<string, { readonly cells: readonly string[]; count: number }>();
  for (const { domain, opType, runsOn, precision, reason } of provider.nodes) {
    const where = runsOn === 'provider' ? provider.name : runsOn === 'cpu' ? 'CPU' : 'unknown';
    const what = precision === 'other' ? '' : precision;
    const name = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
    const cells = [printable(name), where, what, reason === null ? '' : printable(reason, 120)];
    const kind = kinds.get(cells.join('\0'));
    if (kind === undefined) kinds.set(cells.join('\0'), { cells, count: 1 });
    else kind.count++;
  }
  const all = [...kinds.values()].sort((a, b) => b.count - a.count);
  const shown = style.allLayers ? all : all.slice(0, 2 * largestShown);
  const rows = shown.map(({ cells: [name, ...rest], count }) => [name!, String(count), ...rest]);
  if (shown.length < all.length) rows.push(['more', String(all.length - shown.length), '--layers lists all']);
  const lines = [renderTable(rows, [1])];
  if (provider.withoutInt8 !== null) lines.push(`  No int8: ${printable(provider.withoutInt8, 300)}.`);
  if (provider.needs !== null) lines.push(`  Needs ${printable(provider.needs, 400)}.`);
  const heading = `${provider.displayName} provider on ${printable(provider.target)}, once optimised and quantized for it`;
  return `${style.paint(heading, 'title')}\n${lines.join('\n')}`;
}

function macs(value: number | null): string {
  return value === null ? 'multiply-accumulates unknown' : `${formatCount(value)} multiply-accumulates (MACs)`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `${title}\n${body}`;
}
