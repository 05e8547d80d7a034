import { seededRandom } from './seeded-random.ts';

/**
 * In which order `count` candidates have their turns in the rounds from the first on, without end. Every `count` rounds
 * a shuffled order is taken in all its rotations, themselves shuffled, so that each candidate is at each place equally
 * often and no rhythm of the host can favour one of them. The same seed gives the same orders.
 */
export function* turnOrders(count: number, seed: number): Generator<readonly number[], never, undefined> {
  const random = seededRandom(seed);
  const shuffled = () => {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  };
  for (;;) {
    const order = shuffled();
    for (const start of shuffled()) yield [...order.slice(start), ...order.slice(0, start)];
  }
}
