import { describe, expect, it } from 'vitest';
import { turnOrders } from '../../src/runtime/turn-order.ts';

function firstOrders(count: number, seed: number, rounds: number): (readonly number[])[] {
  const orders = turnOrders(count, seed);
  return Array.from({ length: rounds }, () => orders.next().value);
}

describe('turnOrders', () => {
  it.each([1, 2, 3, 5])('gives each of %i candidates every place equally often', (count) => {
    const orders = firstOrders(count, 1, 12 * count);
    const places = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (const order of orders) {
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      for (const [place, candidate] of order.entries()) places[candidate]![place]!++;
    }
    expect(places).toEqual(Array(count).fill(Array(count).fill(12)));
  });

  it('is shuffled by the seed, without a rhythm', () => {
    const starts = (seed: number) =>
      firstOrders(2, seed, 60)
        .map(([first]) => first)
        .join('');
    expect(starts(1)).toBe(starts(1));
    expect(starts(1)).not.toBe(starts(2));
    expect(starts(1)).toContain('00');
    expect(starts(1)).toContain('11');
  });
});
