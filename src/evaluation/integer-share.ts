import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import { cost } from '../ir/cost.ts';
import { inferShapes } from '../ir/infer-shapes.ts';
import type { Model } from '../ir/model.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import type { ProfileRecord } from '../runtime/profile.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { integerProductKernels } from './kernel-precision.ts';

/** Shares of the multiply-accumulates that ran in integer kernels, in [0, 1]; null where there are none. */
export interface IntegerShare {
  readonly conv: number | null;
  readonly gemm: number | null;
  readonly matmul: number | null;
  readonly total: number | null;
  /** What it was read from. */
  readonly source: string;
}

export interface IntegerShareOptions {
  readonly engine: Engine;
  readonly threads: number;
  /** What {@link integerKernelsOf} said of the {@link numberNodes numbered} model, where that has been run already. */
  readonly known?: ReadonlySet<string> | undefined;
}

const FAMILIES: Readonly<Record<string, 'conv' | 'gemm' | 'matmul'>> = {
  Conv: 'conv',
  ConvTranspose: 'conv',
  QLinearConv: 'conv',
  ConvInteger: 'conv',
  Gemm: 'gemm',
  MatMul: 'matmul',
  QLinearMatMul: 'matmul',
  MatMulInteger: 'matmul',
};

/**
 * Profiles one inference and reads which multiplications the engine ran in integer kernels. The nodes are numbered for
 * it, since the engine's kernels bear the names of the nodes they replace. A model without such nodes is not run.
 */
export async function integerShare(
  model: Model,
  feeds: Feeds,
  { engine, threads, known }: IntegerShareOptions,
): Promise<IntegerShare> {
  const numbered = numberNodes(model);
  const multiplies = [...numbered.graph.nodes()].some((node) => FAMILIES[node.opType] !== undefined);
  const running =
    known !== undefined || !multiplies
      ? Promise.resolve(known ?? new Set<string>())
      : integerKernels(numbered, feeds, engine, threads);
  running.catch(() => {});
  inferShapes(numbered);
  const products = cost(numbered, { symbols: sizesOf(numbered, feeds) }).nodes.filter(
    ({ node, macs }) => FAMILIES[node.opType] !== undefined && macs !== null && macs > 0,
  );
  const inIntegers = await running;
  const sums = { conv: [0, 0], gemm: [0, 0], matmul: [0, 0], total: [0, 0] };
  for (const { node, macs } of products) {
    for (const sum of [sums[FAMILIES[node.opType]!], sums.total]) {
      sum[0]! += macs!;
      if (inIntegers.has(node.name)) sum[1]! += macs!;
    }
  }
  const share = ([all, integer]: readonly number[]) => (all === 0 ? null : integer! / all!);
  return {
    conv: share(sums.conv),
    gemm: share(sums.gemm),
    matmul: share(sums.matmul),
    total: share(sums.total),
    source: "the engine's profile of one inference",
  };
}

/** A copy of a model whose nodes are called `n0`, `n1` and so on. */
export function numberNodes(model: Model): Model {
  const numbered = cloneModel(model);
  let count = 0;
  for (const node of numbered.graph.nodes()) node.name = `n${count++}`;
  return numbered;
}

/** Names of the nodes that the engine ran as products of integers. */
async function integerKernels(numbered: Model, feeds: Feeds, engine: Engine, threads: number): Promise<Set<string>> {
  const label = 'the compressed model';
  const session = await loadPieces(engine, encodeModel(numbered).pieces, { threads, profile: true, label });
  try {
    await session.run(feeds);
    return integerKernelsOf(await session.endProfiling());
  } finally {
    await session.release();
  }
}

/** Names of the numbered nodes that a profile shows as products of integers. */
export function integerKernelsOf(profile: readonly ProfileRecord[]): Set<string> {
  // The engine appends what it did to a node: n12_token_3, n12_nhwc.
  const products = profile.filter(({ opType }) => integerProductKernels.has(opType));
  return new Set(products.map(({ name }) => /^n\d+/.exec(name)?.[0] ?? name));
}

/** What the symbolic dimensions of the inputs are in these feeds. */
function sizesOf(model: Model, feeds: Feeds): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const input of model.graph.inputs) {
    for (const [i, dim] of (input.shape ?? []).entries()) {
      const size = feeds[input.name]?.dims[i];
      if (typeof dim === 'string' && size !== undefined) sizes[dim] = size;
    }
  }
  return sizes;
}
