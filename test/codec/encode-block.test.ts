import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BlockLayout, byteLayout } from '../../src/codec/block-layout.ts';
import { CorruptStreamError } from '../../src/codec/corrupt-stream-error.ts';
import { decodeBlock } from '../../src/codec/decode-block.ts';
import { encodeBlock, encodeMixedBlock } from '../../src/codec/encode-block.ts';
import { bell, exampleBlocks, randomSource } from './example-blocks.ts';
import { referenceDecodeBlock } from './reference-decoder.ts';

function decode(coded: Uint8Array, layout: BlockLayout): Uint8Array {
  const out = new Uint8Array(layout.rows * layout.columns * layout.elementBytes);
  decodeBlock(coded, out, layout);
  return out;
}

function signedMatrix(values: Int8Array, rows: number): { bytes: Uint8Array; layout: BlockLayout } {
  const layout: BlockLayout = { ...byteLayout(values.length / rows), kind: 'signed', rows };
  return { bytes: new Uint8Array(values.buffer), layout };
}

/** Bytes as distributions that break coders: uniform, constant, two values, rare outliers, ramps, repeats, long runs. */
const adversarialBytes = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.nat(255)).map(([n, value]) => new Uint8Array(n).fill(value)),
  fc.array(fc.constantFrom(0, 255), { maxLength: 3000 }).map((list) => Uint8Array.from(list)),
  fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(255)).map(([n, at, value]) => {
    const bytes = new Uint8Array(n);
    bytes[at % n] = value;
    return bytes;
  }),
  fc.integer({ min: 0, max: 2000 }).map((n) => Uint8Array.from({ length: n }, (_, i) => i)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 100 }))
    .map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, i) => unit[i % unit.length]!)),
  fc
    .tuple(fc.integer({ min: 1, max: 6000 }), fc.integer(), fc.constantFrom(0.3, 3, 30, 200))
    .map(([n, seed, scale]) => {
      const random = randomSource(seed);
      return Uint8Array.from({ length: n }, () => bell(random) * scale);
    }),
);

const layoutOf = (
  bytes: Uint8Array,
  elementBytes: 1 | 2 | 4 | 8,
  kind: BlockLayout['kind'],
  wish: number,
  kernel: number,
) => {
  const size = Math.floor(bytes.length / elementBytes);
  const rows = Math.max(1, Math.min(wish, size));
  const columns = Math.floor(size / rows);
  const kernelSize = columns % kernel === 0 ? kernel : 1;
  const layout = { elementBytes, kind, rows, columns, kernelSize, kernelWidth: kernelSize === 9 ? 3 : kernelSize };
  return { bytes: bytes.slice(0, rows * columns * elementBytes), layout };
};

const block = fc
  .tuple(
    adversarialBytes,
    fc.constantFrom<1 | 2 | 4 | 8>(1, 1, 1, 2, 4, 8),
    fc.constantFrom<BlockLayout['kind']>('signed', 'unsigned', 'float', 'bytes'),
    fc.constantFrom(1, 2, 3, 16, 100),
    fc.constantFrom(1, 9, 5),
  )
  .map(([bytes, elementBytes, kind, rows, kernel]) => layoutOf(bytes, elementBytes, kind, rows, kernel));

describe('encodeBlock', () => {
  it.each(exampleBlocks())(
    'codes $name by its method, and both decoders give the bytes back',
    ({ bytes, layout, method }) => {
      const coded = encodeBlock(bytes, layout);
      expect(coded[0]).toBe(method);
      expect(decode(coded, layout)).toEqual(bytes);
      expect(referenceDecodeBlock(coded, layout)).toEqual([...bytes]);
    },
  );

  it('gives back any bytes in any layout, by both decoders, and never grows by more than the method byte', () => {
    fc.assert(
      fc.property(block, ({ bytes, layout }) => {
        const coded = encodeBlock(bytes, layout);
        expect(coded.length).toBeLessThanOrEqual(bytes.length + 1);
        expect(decode(coded, layout)).toEqual(bytes);
        expect(referenceDecodeBlock(coded, layout)).toEqual([...bytes]);
      }),
      { numRuns: 150 },
    );
  });

  it('gives back any bytes by mixing', () => {
    fc.assert(
      fc.property(block, ({ bytes, layout }) => {
        const coded = encodeMixedBlock(bytes, layout);
        expect(coded.length).toBeLessThanOrEqual(bytes.length + 1);
        expect(decode(coded, layout)).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps mixing stable over long stretches of zeros', () => {
    const values = new Int8Array(9 * 40_000);
    values.set([100, -100, 3], 9 * 20_000);
    values.set([1, 2, 3], values.length - 3);
    const layout = {
      ...byteLayout(values.length / 200),
      kind: 'signed' as const,
      rows: 200,
      kernelSize: 9,
      kernelWidth: 3,
    };
    const bytes = new Uint8Array(values.buffer);
    const coded = encodeMixedBlock(bytes, layout);
    expect(coded.length).toBeLessThan(1000);
    expect(decode(coded, layout)).toEqual(bytes);
  });

  it('takes a row-wise mixture of scales within 1 % of its entropy per row scale', () => {
    const random = randomSource(3);
    const [rows, columns] = [128, 2304];
    const scales = [3, 12, 40, 90];
    const values = Int8Array.from({ length: rows * columns }, (_, i) => {
      const value = bell(random) * scales[Math.floor(i / columns) % 4]!;
      return Math.max(-127, Math.min(127, Math.round(value)));
    });
    let bits = 0;
    for (let k = 0; k < 4; k++) {
      const counts = new Map<number, number>();
      for (let r = k; r < rows; r += 4) {
        for (const v of values.subarray(r * columns, (r + 1) * columns)) counts.set(v, (counts.get(v) ?? 0) + 1);
      }
      const total = (rows * columns) / 4;
      for (const count of counts.values()) bits += count * Math.log2(total / count);
    }
    const { bytes, layout } = signedMatrix(values, rows);
    const sideBytes = 4 * 300 + rows;
    expect(encodeBlock(bytes, layout).length).toBeLessThan((bits / 8) * 1.01 + sideBytes);
    // One table for all would cost a quarter more: this is what classes are for.
    expect(encodeBlock(bytes, { ...layout, rows: 1, columns: values.length }).length).toBeGreaterThan((bits / 8) * 1.1);
  });

  it('takes 90 % zeros below 0.6 bit per weight beyond what the other values cost', () => {
    const random = randomSource(5);
    const signs = Int8Array.from({ length: 200_000 }, () => (random() < 0.9 ? 0 : random() < 0.5 ? 1 : -1));
    const ternary = signedMatrix(signs, 100);
    expect((encodeBlock(ternary.bytes, ternary.layout).length * 8) / signs.length).toBeLessThan(0.6);
    const wide = Int8Array.from({ length: 200_000 }, () => (random() < 0.9 ? 0 : 1 + Math.floor(random() * 127)));
    const others = wide.reduce((n, v) => n + (v === 0 ? 0 : 1), 0) * Math.log2(127);
    const full = signedMatrix(wide, 100);
    expect((encodeBlock(full.bytes, full.layout).length * 8 - others) / wide.length).toBeLessThan(0.5);
  });

  it('refuses every truncation of every method or decodes nothing wrong in silence', () => {
    for (const { bytes, layout } of exampleBlocks()) {
      const coded = encodeBlock(bytes, layout);
      for (let n = 0; n < coded.length; n += coded.length > 1000 ? 13 : 1) {
        let decoded: Uint8Array | undefined;
        try {
          decoded = decode(coded.subarray(0, n), layout);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptStreamError);
        }
        if (decoded !== undefined) expect(decoded.length).toBe(bytes.length);
      }
    }
  });

  it('survives random damage: a clear error or some bytes, never another failure', () => {
    const blocks = exampleBlocks().map(({ bytes, layout }) => ({ coded: encodeBlock(bytes, layout), layout }));
    fc.assert(
      fc.property(
        fc.nat(blocks.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (which, edits) => {
          const { coded, layout } = blocks[which]!;
          const damaged = coded.slice();
          for (const [at, value] of edits) damaged[at % damaged.length] = value;
          try {
            decode(damaged, layout);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptStreamError);
          }
        },
      ),
      { numRuns: 600 },
    );
  });
});
