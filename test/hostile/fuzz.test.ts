import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { exercisePasses, type Fate, mutatedModel } from './fuzz-passes.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
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
