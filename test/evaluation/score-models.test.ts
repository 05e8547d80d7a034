import { expect, it } from 'vitest';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { outputNoise } from '../../src/evaluation/output-noise.ts';
import { scoreModels } from '../../src/evaluation/score-models.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { datasetOf } from '../passes/quantize/quantize-case.ts';

const floats = (dims: readonly number[], ...data: number[]) => ({
  dataType: DataType.float32,
  dims,
  data: Float32Array.from(data),
});

it('compares a detector that finds another number of boxes by its other outputs', async () => {
  const info = (name: string) => ({ name, dataType: DataType.float32, shape: undefined });
  const model = (outputs: Feeds) => ({
    inputs: [],
    outputs: [info('boxes'), info('scores')] as never,
    run: async () => outputs,
  });
  const found = { boxes: floats([2, 1, 2], 1, 2, 3, 4), scores: floats([2], 10, 0) };
  const other = { boxes: floats([1, 1, 2], 1, 2), scores: floats([2], 9, 0) };
  const { candidates } = await scoreModels(model(found), [model(other)], datasetOf([{}]), { logger: silentLogger });
  expect(candidates[0]).toMatchObject({ maxAbsoluteDifference: 1, sqnrDb: 20, agreement: null });
  expect(outputNoise(found, other, ['boxes', 'scores'])).toBeCloseTo(0.01, 9);
});
