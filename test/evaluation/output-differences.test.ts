import { describe, expect, it } from 'vitest';
import { OutputComparer } from '../../src/evaluation/output-differences.ts';
import type { Runnable } from '../../src/runtime/session.ts';
import { DataType } from '../../src/tensor/data-type.ts';

const float = (...values: number[]) => ({
  dataType: DataType.float32,
  dims: [values.length],
  data: Float32Array.from(values),
});
const session = (...runs: number[][]): Runnable => ({
  inputs: [],
  outputs: [],
  run: async () => ({ y: float(...runs.shift()!), z: float(0.25) }),
});

describe('differences between two places', () => {
  it('are counted in elements and, of integer outputs, in steps', async () => {
    const comparer = new OutputComparer(new Map([['y', 0.5]]));
    const first = comparer.watch(session([1, 2, 3], [4, 5, 6]), 0);
    const second = comparer.watch(session([1, 2.5, 3], [4, 6.5, 6.000001]), 1);
    // One place may be ahead of the other.
    await first.run({});
    await first.run({});
    await second.run({});
    await second.run({});
    const { maxAbsolute, ...found } = comparer.result();
    expect(found).toEqual({ elements: 8, different: 3, integers: { elements: 6, different: 2, maxSteps: 3 } });
    expect(maxAbsolute).toBe(1.5);
  });
});
