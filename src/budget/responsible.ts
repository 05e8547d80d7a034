import { printable } from '../diagnostics/printable.ts';
import { formatBytes } from '../report/number-format.ts';
import type { Evidence, Part } from './evidence.ts';

/** A layer or initializer that explains an exceeded limit. */
export interface Responsible {
  readonly name: string;
  readonly detail: string;
}

const SHOWN = 3;

/**
 * The initializers that grew most since the baseline; without one the largest.
 * @param wholeGrowthBytes of the file, of which what is in no initializer is told as well.
 */
export function grownParts(
  parts: readonly Part[] | undefined,
  before: readonly Part[] | undefined,
  wholeGrowthBytes: number | undefined,
): Responsible[] {
  if (parts === undefined) return [];
  if (before === undefined) {
    const largest = [...parts].sort((a, b) => b.value - a.value).slice(0, SHOWN);
    return largest.filter(({ value }) => value > 0).map(({ name, value }) => named(name, formatBytes(value)));
  }
  const old = new Map(before.map(({ name, value }) => [name, value]));
  const changes = parts.map(({ name, value }) => ({ name, value, growth: value - (old.get(name) ?? 0) }));
  const kept = new Set(parts.map(({ name }) => name));
  const gone = before.filter(({ name }) => !kept.has(name)).reduce((sum, { value }) => sum + value, 0);
  const inParts = changes.reduce((sum, { growth }) => sum + growth, 0) - gone;
  const rest = wholeGrowthBytes === undefined ? 0 : wholeGrowthBytes - inParts;
  const found = changes
    .filter(({ growth }) => growth > 0)
    .map(({ name, value, growth }) => ({
      growth,
      name,
      detail: old.has(name)
        ? `+${formatBytes(growth)} (${formatBytes(value - growth)} → ${formatBytes(value)})`
        : `+${formatBytes(growth)} (new)`,
    }));
  if (rest > 0) found.push({ growth: rest, name: 'graph, names, container', detail: `+${formatBytes(rest)}` });
  return found
    .sort((a, b) => b.growth - a.growth)
    .slice(0, SHOWN)
    .map(({ name, detail }) => named(name, detail));
}

/** The layers whose outputs lost most against the baseline, else those with the lowest SQNR. */
export function noisyLayers({ layers }: Evidence, baseline: Evidence | undefined): Responsible[] {
  const known = (layers ?? []).flatMap(({ name, sqnrDb }) => (sqnrDb === null ? [] : [{ name, sqnrDb }]));
  const old = new Map((baseline?.layers ?? []).map(({ name, sqnrDb }) => [name, sqnrDb]));
  const worse = known
    .map((layer) => ({ ...layer, lost: (old.get(layer.name) ?? layer.sqnrDb) - layer.sqnrDb }))
    .filter(({ lost }) => lost > 0.05)
    .sort((a, b) => b.lost - a.lost);
  if (worse.length > 0) {
    return worse
      .slice(0, SHOWN)
      .map(({ name, sqnrDb, lost }) => named(name, `SQNR ${(sqnrDb + lost).toFixed(1)} → ${sqnrDb.toFixed(1)} dB`));
  }
  return [...known]
    .sort((a, b) => a.sqnrDb - b.sqnrDb)
    .slice(0, SHOWN)
    .map(({ name, sqnrDb }) => named(name, `SQNR ${sqnrDb.toFixed(1)} dB`));
}

/** Layers that left int8 since the baseline, then layers that are new. */
export function slowerLayers({ layers }: Evidence, baseline: Evidence | undefined): Responsible[] {
  if (layers === undefined || baseline?.layers === undefined) return [];
  const old = new Map(baseline.layers.map(({ name, precision }) => [name, precision]));
  const left = layers.filter(({ name, precision }) => precision === 'float' && old.get(name) === 'int8');
  const added = layers.filter(({ name }) => !old.has(name));
  return [
    ...left.map(({ name, opType }) => named(name, `${printable(opType)}: int8 → float`)),
    ...added.map(({ name, opType }) => named(name, `${printable(opType)}: new`)),
  ].slice(0, SHOWN);
}

function named(name: string, detail: string): Responsible {
  return { name: printable(name, 80), detail };
}
