import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { foldWeightTransposes } from '../../../src/passes/quantize/fold-weight-transposes.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../optimize/graph-builder.ts';
import { operatorCounts } from '../optimize/optimize-model.ts';

it('gives a tied output layer a matrix of its own, and leaves transposes that others read', async () => {
  const b = new GraphBuilder();
  const table = b.float('table', [2, 3], [1, 2, 3, 4, 5, 6]);
  const words = b.op('Gather', [table, b.input('ids', ['N'], DataType.int64)]);
  const scores = b.op('MatMul', [words, b.op('Transpose', [table])]);
  const read = b.op('Transpose', [table]);
  b.output(b.op('Add', [scores, b.op('ReduceMean', [b.op('MatMul', [words, read])])])).output(b.op('Abs', [read]));
  await runPasses(b.model, [foldWeightTransposes()], { logger: silentLogger });
  expect(operatorCounts(b.model)).toMatchObject({ Transpose: 1, MatMul: 2 });
  const matrix = scores.producer!.input(1)!.tensor!;
  expect([matrix.dims, matrix.toNumbers()]).toEqual([
    [3, 2],
    [1, 4, 2, 5, 3, 6],
  ]);
});
