import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SizedInitializer, sizeTable } from '../../src/report/size-table.ts';

const initializer = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', '__proto__', ''),
  dataType: fc.constantFrom('float32', 'int8'),
  sizeBytes: fc.nat(10_000),
});
const initializers = fc.uniqueArray(initializer, { selector: (entry) => entry.name });
const total = (entries: readonly SizedInitializer[]) => entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);

describe('sizeTable', () => {
  it('gives every byte an owner', () => {
    fc.assert(
      fc.property(
        initializers,
        initializers,
        fc.nat(500),
        fc.nat(500),
        fc.nat(500),
        (original, compressed, x, y, z) => {
          const codedBytes = new Map(compressed.map((entry) => [entry.name, Math.ceil(entry.sizeBytes / 2)]));
          const coded = [...codedBytes.values()].reduce((sum, value) => sum + value, 0);
          const table = sizeTable({
            originalBytes: total(original) + x,
            original,
            onnxBytes: total(compressed) + y,
            compressed,
            epk: { sizeBytes: coded + z, codedBytes },
          });
          const sum = (key: 'originalBytes' | 'quantizedBytes' | 'codedBytes') =>
            table.initializers.reduce((all, row) => all + (row[key] ?? 0), 0);
          expect(sum('originalBytes') + table.overhead.originalBytes).toBe(table.originalBytes);
          expect(sum('quantizedBytes') + table.overhead.onnxBytes).toBe(table.onnxBytes);
          expect(sum('codedBytes') + table.overhead.epkBytes!).toBe(table.epkBytes);
          expect(table.overhead).toEqual({ originalBytes: x, onnxBytes: y, epkBytes: z });
        },
      ),
    );
  });

  it('joins a renamed initializer with the one it came from', () => {
    const table = sizeTable({
      originalBytes: 500,
      original: [{ name: 'w', dataType: 'float32', sizeBytes: 400 }],
      onnxBytes: 150,
      compressed: [
        { name: 'w_quantized', dataType: 'int8', sizeBytes: 100, layer: 'dense', sparsityRatio: 0.5 },
        { name: 'w_scale', dataType: 'float32', sizeBytes: 4 },
      ],
      epk: null,
      originalNames: new Map([['w_quantized', 'w']]),
    });
    expect(table.initializers).toEqual([
      {
        name: 'w',
        layer: 'dense',
        dataType: 'int8',
        originalBytes: 400,
        quantizedBytes: 100,
        codedBytes: null,
        sparsityRatio: 0.5,
      },
      {
        name: 'w_scale',
        layer: null,
        dataType: 'float32',
        originalBytes: 0,
        quantizedBytes: 4,
        codedBytes: null,
        sparsityRatio: null,
      },
    ]);
    expect(table.overhead).toEqual({ originalBytes: 100, onnxBytes: 46, epkBytes: null });
  });
});
