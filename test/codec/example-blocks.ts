import { type BlockLayout, byteLayout } from '../../src/codec/block-layout.ts';

/** A small deterministic generator (xorshift32), so that examples are the same everywhere. */
export function randomSource(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** Sum of 6 uniform numbers: close to a normal distribution of variance 1/2, with integer-exact arithmetic. */
export function bell(random: () => number): number {
  let sum = -3;
  for (let k = 0; k < 6; k++) sum += random();
  return sum;
}

function clamp(value: number): number {
  return Math.max(-127, Math.min(127, Math.round(value)));
}

export interface ExampleBlock {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly layout: BlockLayout;
  /** The method an encoder should find. */
  readonly method: number;
}

const matrix = (rows: number, columns: number, more: Partial<BlockLayout> = {}): BlockLayout => ({
  elementBytes: 1,
  kind: 'signed',
  rows,
  columns,
  kernelSize: 1,
  kernelWidth: 1,
  ...more,
});

/** One block for each method. */
export function exampleBlocks(): ExampleBlock[] {
  const random = randomSource(7);
  const noise = Uint8Array.from({ length: 300 }, () => Math.floor(random() * 256));
  const classes = Int8Array.from({ length: 32 * 72 }, (_, i) =>
    clamp(bell(random) * (Math.floor(i / 72) % 2 ? 60 : 4) * (i % 9 === 4 ? 1.5 : 1)),
  );
  const sparse = new Uint8Array(4000);
  for (let i = 100; i < 4000; i += i % 7 === 0 ? 1 : 97) sparse[i] = 1 + Math.floor(random() * 3);
  const floats = Float32Array.from({ length: 1200 }, () => bell(random) / 64);
  const integers = Int32Array.from({ length: 300 }, () => Math.round(bell(random) * 500));
  const text = new TextEncoder().encode(
    Array.from({ length: 60 }, (_, i) => `node_${i} Conv kernel_shape strides pads output_${i * 7}`).join(';'),
  );
  return [
    { name: 'raw', bytes: noise, layout: byteLayout(300), method: 0 },
    { name: 'constant', bytes: new Uint8Array(5000).fill(9), layout: byteLayout(5000), method: 1 },
    {
      name: 'rans',
      bytes: new Uint8Array(classes.buffer),
      layout: matrix(32, 72, { kernelSize: 9, kernelWidth: 3 }),
      method: 2,
    },
    { name: 'zero runs', bytes: sparse, layout: matrix(4, 1000), method: 3 },
    {
      name: 'float planes',
      bytes: new Uint8Array(floats.buffer),
      layout: matrix(12, 100, { elementBytes: 4, kind: 'float' }),
      method: 4,
    },
    {
      name: 'integer planes',
      bytes: new Uint8Array(integers.buffer),
      layout: matrix(1, 300, { elementBytes: 4 }),
      method: 4,
    },
    { name: 'lz', bytes: text, layout: byteLayout(text.length), method: 6 },
  ];
}
