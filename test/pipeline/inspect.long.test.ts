import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { inspect } from '../../src/pipeline/inspect.ts';
import { inspectionSchema } from '../../src/report/inspection-schema.ts';
import { conformanceModels, hasConformance } from '../formats/onnx/conformance-archive.ts';

describe.skipIf(!hasConformance)('inspect on the conformance models', () => {
  it('describes every fourth one, and all of integers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-inspect-'));
    const path = join(folder, 'model.onnx');
    const failed: string[] = [];
    let integer = 0;
    try {
      // Neighbours differ in an attribute or a shape.
      const chosen = [...conformanceModels()].filter(([name], i) => i % 4 === 0 || /qlinear|integer/.test(name));
      for (const [name, bytes] of chosen) {
        writeFileSync(path, bytes);
        try {
          const { quantization } = inspectionSchema.parse(await inspect(path));
          if (quantization.state !== 'float') integer++;
        } catch (error) {
          failed.push(`${name}: ${error instanceof EdgepackError ? error.code : ''} ${String(error)}`);
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect(failed).toEqual([]);
    // QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger.
    expect(integer).toBeGreaterThan(3);
  });
});
