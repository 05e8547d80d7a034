import { describe, expect, it } from 'vitest';
import { dotProduct, quantizeNumber, roundToNearestEven } from './integer-arithmetic.ts';
import { integerConv, integerMatMul } from './integer-conv.ts';

const unsigned = (dims: number[], values: number[], zeroPoint = 0) => ({ dims, values, zeroPoint, isSigned: false });

describe('rounding', () => {
  it('takes halves to the even neighbour', () => {
    const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, -0.51];
    expect(halves.map((value) => roundToNearestEven(value) + 0)).toEqual([-2, -2, 0, 0, 2, 2, 0, -1]);
  });

  it('happens before the zero point is added, clamping after', () => {
    expect(quantizeNumber(1.25, 0.5, 1, false)).toBe(3);
    expect(quantizeNumber(1.75, 0.5, 1, false)).toBe(5);
    expect(quantizeNumber(-10, 0.5, 1, false)).toBe(0);
    expect(quantizeNumber(100, 0.5, 1, true)).toBe(127);
    expect(quantizeNumber(-100, 0.5, 1, true)).toBe(-128);
  });
});

describe('sums of products', () => {
  it('saturate by pairs where the processor does', () => {
    const [x, w] = [
      [255, 255, 255],
      [127, 127, 127],
    ];
    expect(dotProduct(x, w, 0, false, 'exact')).toBe(3 * 255 * 127);
    expect(dotProduct(x, w, 0, false, 'saturating')).toBe(32767 + 255 * 127);
    expect(dotProduct(x, [-127, -127, 0], 0, false, 'saturating')).toBe(-32768);
    expect(dotProduct(x, [127, -127, 0], 0, false, 'saturating')).toBe(0);
  });

  it('take the zero point off, of unsigned and of signed bytes', () => {
    expect(dotProduct([10, 20], [3, -4], 5, false, 'exact')).toBe(5 * 3 - 15 * 4);
    expect(dotProduct([10, 20], [3, -4], 5, false, 'saturating')).toBe(5 * 3 - 15 * 4);
    expect(dotProduct([-10, 20], [3, -4], -5, true, 'exact')).toBe(-5 * 3 - 25 * 4);
    expect(dotProduct([-10, 20], [3, -4], -5, true, 'saturating')).toBe(-5 * 3 - 25 * 4);
  });
});

describe('the reference convolution', () => {
  const plain = { group: 1, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const image = unsigned([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it('adds up a window', () => {
    const { dims, values } = integerConv(image, { dims: [1, 1, 2, 2], values: [1, 2, 3, 4] }, plain);
    expect(dims).toEqual([1, 1, 2, 2]);
    expect([...values]).toEqual([37, 47, 67, 77]);
  });

  it('steps, dilates and pads with what stands for zero', () => {
    const weights = { dims: [1, 1, 2, 2], values: [1, 2, 3, 4] };
    const dilated = integerConv(image, weights, { ...plain, dilations: [2, 2] });
    expect([...dilated.values]).toEqual([1 + 2 * 3 + 3 * 7 + 4 * 9]);
    const padded = integerConv({ ...image, zeroPoint: 1 }, weights, { ...plain, strides: [2, 2], pads: [1, 1, 0, 0] });
    expect([...padded.values]).toEqual([0, 3 * 1 + 4 * 2, 2 * 3 + 4 * 6, 4 + 2 * 5 + 3 * 7 + 4 * 8]);
  });

  it('keeps groups apart, in one dimension', () => {
    const x = unsigned([1, 2, 3], [1, 2, 3, 4, 5, 6]);
    const options = { group: 2, strides: [1], dilations: [1], pads: [0, 0] };
    const { values } = integerConv(x, { dims: [2, 1, 2], values: [1, 1, 1, -1] }, options);
    expect([...values]).toEqual([3, 5, -1, -1]);
  });

  it('sums the same in either order, unless sums saturate', () => {
    const x = unsigned([1, 2, 1, 2], [255, 255, 255, 255]);
    const weights = { dims: [1, 2, 1, 2], values: [127, 127, -127, -127] };
    const run = (accumulation: 'exact' | 'saturating', order: 'channels-first' | 'positions-first') =>
      integerConv(x, weights, plain, accumulation, order).values[0];
    expect(run('exact', 'channels-first')).toBe(0);
    expect(run('exact', 'positions-first')).toBe(0);
    expect(run('saturating', 'channels-first')).toBe(32767 - 32768);
    expect(run('saturating', 'positions-first')).toBe(0);
  });

  it('never saturates where it is depthwise', () => {
    const weights = { dims: [2, 1, 1, 2], values: [127, 127, -127, -127] };
    const x = unsigned([1, 2, 1, 2], [255, 255, 255, 255]);
    const { values } = integerConv(x, weights, { ...plain, group: 2 }, 'saturating');
    expect([...values]).toEqual([2 * 255 * 127, -2 * 255 * 127]);
  });

  it('multiplies matrices', () => {
    const x = unsigned([2, 2], [1, 2, 3, 4], 1);
    const { dims, values } = integerMatMul(x, { dims: [2, 3], values: [1, 2, 3, 4, 5, 6] });
    expect(dims).toEqual([2, 3]);
    expect([...values]).toEqual([4, 5, 6, 14, 19, 24]);
  });
});
