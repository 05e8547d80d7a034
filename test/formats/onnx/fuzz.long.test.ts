import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conformanceModels, hasConformance } from './conformance-archive.ts';
import { damaged, exerciseReader, oddModel } from './fuzz-reader.ts';

test('30,000 well-formed nonsense models', () => {
  fc.assert(
    fc.property(oddModel, (bytes) => {
      exerciseReader(bytes);
    }),
    { numRuns: 30_000 },
  );
});

describe.skipIf(!hasConformance)('conformance models', () => {
  test('each damaged 40 times', () => {
    const outcomes = { accepted: 0, refused: 0 };
    // Every model is damaged in other places, and in the same ones in every run.
    let seed = fc.readConfigureGlobal().seed ?? 0;
    for (const [path, bytes] of conformanceModels()) {
      if (bytes.length > 100_000) continue;
      const check = fc.property(damaged(bytes), (changed) => {
        outcomes[exerciseReader(changed)]++;
      });
      expect(fc.check(check, { numRuns: 40, seed: seed++ }).failed, path).toBe(false);
    }
    expect(outcomes.refused).toBeGreaterThan(1000);
    expect(outcomes.accepted).toBeGreaterThan(1000);
  });
});
