import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { exercisePasses, type Fate, mutatedModel, RestartedEngine } from './fuzz-passes.ts';

const engine = new RestartedEngine();
afterAll(() => engine.close());

test('models changed at random are refused, or mean the same once they are optimised', async () => {
  const fates: Record<Fate, number> = { refused: 0, 'not run': 0, same: 0 };
  await fc.assert(
    fc.asyncProperty(mutatedModel, async (bytes) => {
      fates[await exercisePasses(bytes, engine)]++;
    }),
    { numRuns: 300 },
  );
  expect(fates.refused).toBeGreaterThan(30);
  expect(fates.same).toBeGreaterThan(30);
});
