import type { ProfileRecord } from '../runtime/profile.ts';

/** Kinds of multiplying operators, with the names the engine's kernels have for them. */
const FAMILIES = {
  conv: {
    float: ['Conv', 'FusedConv', 'NhwcFusedConv', 'ConvTranspose'],
    integer: ['QLinearConv', 'ConvInteger'],
  },
  gemm: { float: ['Gemm', 'FusedGemm'], integer: ['QGemm'] },
  matmul: {
    float: ['MatMul', 'FusedMatMul', 'MatMulScale'],
    integer: ['QLinearMatMul', 'MatMulInteger', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'QAttention'],
  },
} as const;

/** Shares of the multiply-accumulates that ran in integer kernels, in [0, 1]; null where there are none. */
export interface IntegerShare {
  readonly conv: number | null;
  readonly gemm: number | null;
  readonly matmul: number | null;
  readonly total: number | null;
  /** What it was read from. */
  readonly source: string;
}

/** Reads from the engine's profile of one inference which multiplications ran in integer kernels. */
export function integerShare(profile: readonly ProfileRecord[]): IntegerShare {
  const sums = { conv: [0, 0], gemm: [0, 0], matmul: [0, 0], total: [0, 0] };
  for (const record of profile) {
    for (const family of ['conv', 'gemm', 'matmul'] as const) {
      const isInteger = (FAMILIES[family].integer as readonly string[]).includes(record.opType);
      if (!isInteger && !(FAMILIES[family].float as readonly string[]).includes(record.opType)) continue;
      const macs = macsOf(record, family);
      for (const sum of [sums[family], sums.total]) {
        sum[0]! += macs;
        if (isInteger) sum[1]! += macs;
      }
    }
  }
  const share = ([all, integer]: readonly number[]) => (all === 0 ? null : integer! / all!);
  return {
    conv: share(sums.conv),
    gemm: share(sums.gemm),
    matmul: share(sums.matmul),
    total: share(sums.total),
    source: "the engine's profile of one inference of the written model",
  };
}

/** Multiply-accumulates of a kernel from the shapes it was called with, in whatever memory layout. */
function macsOf(record: ProfileRecord, family: keyof typeof FAMILIES): number {
  const inputs = record.inputTypeShapes.map((entry) => Object.values(entry)[0] ?? []);
  const output = product(Object.values(record.outputTypeShapes[0] ?? {})[0] ?? []);
  if (family !== 'conv') return output * (inputs[0]?.at(-1) ?? 0);
  // The weights are the largest constant of rank 3 or more behind the input; their first axis is the output channels.
  const weights = inputs.slice(1).find((shape) => shape.length >= 3) ?? [];
  return weights[0] === undefined || weights[0] === 0 ? 0 : (output * product(weights)) / weights[0];
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
