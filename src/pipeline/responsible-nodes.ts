import type { Judgement } from '../budget/judgement.ts';
import { printable } from '../diagnostics/printable.ts';
import type { BenchProfile } from '../report/bench-schema.ts';
import { formatDuration, formatPercent } from '../report/number-format.ts';

const SHOWN = 3;

/** The nodes that take longest on top of what they took, by the engine's profiler. */
export function slowerNodes(
  before: BenchProfile | undefined,
  after: BenchProfile | undefined,
): Judgement['responsible'] {
  if (before === undefined || after === undefined) return [];
  const old = new Map(before.nodes.map(({ name, runMs }) => [name, runMs]));
  return after.nodes
    .map((node) => ({ ...node, growthMs: node.runMs - (old.get(node.name) ?? 0) }))
    .filter(({ growthMs }) => growthMs > 0)
    .sort((a, b) => b.growthMs - a.growthMs)
    .slice(0, SHOWN)
    .map(({ name, opType, runMs, growthMs }) => ({
      name: printable(name, 80),
      detail: old.has(name)
        ? `${printable(opType, 40)}: ${formatDuration(runMs - growthMs)} → ${formatDuration(runMs)}`
        : `${printable(opType, 40)}: ${formatDuration(runMs)} (new)`,
    }));
}

/** The nodes that take longest, by the engine's profiler. */
export function slowestNodes(profile: BenchProfile | undefined): Judgement['responsible'] {
  return [...(profile?.nodes ?? [])]
    .sort((a, b) => b.runMs - a.runMs)
    .slice(0, SHOWN)
    .map(({ name, opType, runMs, share }) => ({
      name: printable(name, 80),
      detail: `${printable(opType, 40)}: ${formatDuration(runMs)}, ${formatPercent(share)} of the time`,
    }));
}
