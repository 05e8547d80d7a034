import type { ProfileRecord } from '../runtime/profile.ts';
import { type KernelPrecision, kernelPrecision } from './kernel-precision.ts';

/** Where the time of a model's runs goes; times are per run of the model and typical ones, shares are of the time in kernels. */
export interface ProfileSummary {
  readonly nodeMs: number;
  readonly shares: Readonly<Record<KernelPrecision, number>>;
  /** By operator and precision, the slowest first. */
  readonly operators: readonly {
    readonly opType: string;
    readonly kernel: KernelPrecision;
    readonly nodes: number;
    readonly runMs: number;
    readonly share: number;
  }[];
  /** Every node, the slowest first. */
  readonly nodes: readonly {
    readonly name: string;
    readonly opType: string;
    readonly kernel: KernelPrecision;
    readonly provider: string;
    readonly runMs: number;
    readonly share: number;
    /** Of the first output; undefined where the engine does not say. */
    readonly outputShape: readonly number[] | undefined;
  }[];
}

/** Their time is that of the nodes in their bodies, which are recorded themselves. */
const CONTAINERS = new Set(['If', 'Loop', 'Scan']);

/**
 * Adds up what the engine's profiler recorded of `runs` runs of a model. A node counts with its median time, as often as it
 * ran in one run of the model: a run that was interrupted, or the first one, would weigh too much in a mean.
 */
export function summarizeProfile(records: readonly ProfileRecord[], runs: number): ProfileSummary {
  const counted = records
    .filter(({ opType }) => !CONTAINERS.has(opType))
    .map((record) => ({ record, kernel: kernelPrecision(record), runMs: (record.medianMs * record.runs) / runs }));
  const nodeMs = counted.reduce((sum, { runMs }) => sum + runMs, 0);
  const shareOf = (ms: number) => (nodeMs === 0 ? 0 : ms / nodeMs);
  const sums = { int8: 0, float: 0, conversion: 0, other: 0 };
  const operators = new Map<string, { opType: string; kernel: KernelPrecision; nodes: number; runMs: number }>();
  for (const { record, kernel, runMs } of counted) {
    const { opType } = record;
    sums[kernel] += runMs;
    const key = `${kernel} ${opType}`;
    const sum = operators.get(key) ?? { opType, kernel, nodes: 0, runMs: 0 };
    operators.set(key, { ...sum, nodes: sum.nodes + 1, runMs: sum.runMs + runMs });
  }
  const slowestFirst = (a: { readonly runMs: number }, b: { readonly runMs: number }) => b.runMs - a.runMs;
  return {
    nodeMs,
    shares: {
      int8: shareOf(sums.int8),
      float: shareOf(sums.float),
      conversion: shareOf(sums.conversion),
      other: shareOf(sums.other),
    },
    operators: Array.from(operators.values(), (sum) => ({ ...sum, share: shareOf(sum.runMs) })).sort(slowestFirst),
    nodes: counted
      .map(({ record, kernel, runMs }) => ({
        name: record.name,
        opType: record.opType,
        kernel,
        provider: record.provider,
        runMs,
        share: shareOf(runMs),
        outputShape: Object.values(record.outputTypeShapes[0] ?? {})[0],
      }))
      .sort(slowestFirst),
  };
}
