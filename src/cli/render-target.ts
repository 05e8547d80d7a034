import { printable } from '../diagnostics/printable.ts';
import { providersOf } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import type { Style } from './paint.ts';
import { renderProcessors } from './render-capabilities.ts';
import { renderTable } from './render-table.ts';

/** One line per device. @param calibrations what is to be said of the user's own, for each. */
export function renderTargets(
  targets: readonly Target[],
  calibrations: readonly (string | undefined)[],
  style: Style,
): string {
  const rows = targets.map((target, i) => [
    target.name,
    printable(target.displayName),
    cores(target),
    target.cpu.dotProduct ? 'int8 dot product' : '',
    target.arithmetic === 'exact' ? '' : 'int8 saturates',
    providersOf(target).join(', '),
    printable(calibrations[i] ?? '', 60),
  ]);
  return `${renderTable(rows)}\n\n${style.paint('"edgepack targets <name>" shows one with its sources, "--providers" what its execution providers run.', 'muted')}\n`;
}

/** Everything about a device, each value with its source. */
export function renderTarget(target: Target, calibration: string | undefined, style: Style): string {
  const { memory, quantization } = target;
  const facts: [string, string, string][] = [
    ['chip', printable(target.soc), 'soc'],
    ['cores', cores(target), 'cpu.cores'],
    ['vector units', target.cpu.simd.map((name) => printable(name)).join(', ') || 'none', 'cpu.simd'],
    ['int8 dot product', yes(target.cpu.dotProduct), 'cpu.dotProduct'],
    ['int8 matrix multiply', yes(target.cpu.int8MatrixMultiply), 'cpu.int8MatrixMultiply'],
    ['fp16 arithmetic', yes(target.cpu.fp16Arithmetic), 'cpu.fp16Arithmetic'],
    [
      'integer arithmetic',
      target.arithmetic === 'exact' ? 'exact' : 'pairs of u8 x s8 products saturate',
      'arithmetic',
    ],
    [
      'memory',
      `${memoryRange(memory)}${memory.type === null ? '' : ` ${printable(memory.type)}`}`,
      'memory.maxSizeBytes',
    ],
    ['engine', `${target.engine.name}, ${target.engine.executionProvider}`, 'engine'],
    ['threads', String(target.threads), 'threads'],
    [
      'int8 form',
      `activations ${quantization.activationType}${quantization.activationSymmetric ? ' symmetric' : ''}, ` +
        `weights ${quantization.weightType}${quantization.perChannel ? ' per channel' : ''}`,
      'quantization',
    ],
  ];
  const open = (path: string) => target.unchecked.some((entry) => entry === path || path.startsWith(`${entry}.`));
  const used = [...new Set(facts.map(([, , path]) => sourceOf(target, path)))].filter((source) => source !== undefined);
  const rows = facts.map(([label, value, path]) => {
    const number = used.indexOf(sourceOf(target, path) ?? '') + 1;
    return [label, value, number === 0 ? '' : `[${number}]`, open(path) ? 'unchecked' : ''];
  });
  const sections = [`${style.paint(printable(target.displayName), 'title')} (${target.name})`, renderTable(rows)];
  const processors = renderProcessors(target, style);
  if (processors !== '') sections.push(processors);
  if (calibration !== undefined) sections.push(`  Latency: ${printable(calibration, 1000)}`);
  if (target.notes.length > 0) sections.push(target.notes.map((note) => `  ${printable(note, 300)}`).join('\n'));
  if (used.length > 0) {
    const list = used.map((source, index) => `  [${index + 1}] ${printable(source, 500)}`);
    sections.push(style.paint(['Sources', ...list].join('\n'), 'muted'));
  }
  return `${sections.join('\n\n')}\n`;
}

function sourceOf(target: Target, path: string): string | undefined {
  for (let key = path; ; key = key.slice(0, key.lastIndexOf('.'))) {
    if (Object.hasOwn(target.sources, key)) return target.sources[key];
    if (!key.includes('.')) return undefined;
  }
}

function cores({ cpu, architecture }: Target): string {
  const clock = cpu.clockGhz === null ? '' : ` at ${cpu.clockGhz} GHz`;
  return `${cpu.cores} × ${printable(cpu.core ?? `${architecture} core`)}${clock}`;
}

function memoryRange({ minSizeBytes, maxSizeBytes }: Target['memory']): string {
  const size = (value: number) => (value >= 2 ** 30 ? `${value / 2 ** 30} GiB` : `${value / 2 ** 20} MiB`);
  if (minSizeBytes === null) return maxSizeBytes === null ? 'any' : `up to ${size(maxSizeBytes)}`;
  if (maxSizeBytes === null || maxSizeBytes === minSizeBytes) return size(minSizeBytes);
  return `${size(minSizeBytes)} to ${size(maxSizeBytes)}`;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
