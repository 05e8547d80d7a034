/**
 * A slow decoder of blocks, written after docs/epk-format.md and sharing nothing with the fast one but the two mixing models
 * (which it does not read). Symbols are found by searching, states are BigInts, every step is spelled out.
 */
import type { BlockLayout } from '../../src/codec/block-layout.ts';

class Input {
  readonly bytes: number[];
  position = 0;
  constructor(bytes: Iterable<number>) {
    this.bytes = [...bytes];
  }
  u8(): number {
    const byte = this.bytes[this.position++];
    if (byte === undefined) throw new Error('reference: out of data');
    return byte;
  }
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }
  take(count: number): number[] {
    return Array.from({ length: count }, () => this.u8());
  }
  rest(): number[] {
    return this.take(this.bytes.length - this.position);
  }
}

class ArithmeticDecoder {
  low = 0n;
  high = 0xffffffffn;
  code = 0n;
  input: number[];
  constructor(bytes: number[]) {
    this.input = [...bytes];
    for (let i = 0; i < 4; i++) this.code = this.code * 256n + BigInt(this.input.shift() ?? 0);
  }
  bit(probability: number): number {
    const middle = this.low + ((this.high - this.low) * BigInt(probability)) / 65536n;
    const bit = this.code <= middle ? 1 : 0;
    if (bit) this.high = middle;
    else this.low = middle + 1n;
    while (this.low >> 24n === this.high >> 24n) {
      this.low = (this.low << 8n) & 0xffffffffn;
      this.high = ((this.high << 8n) & 0xffffffffn) | 255n;
      this.code = ((this.code << 8n) & 0xffffffffn) | BigInt(this.input.shift() ?? 0);
    }
    return bit;
  }
  raw(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value = value * 2 + this.bit(32768);
    return value;
  }
}

class AdaptiveBits {
  readonly probability = new Map<string, { p: number; n: number }>();
  readonly limit: number;
  constructor(limit: number) {
    this.limit = limit;
  }
  bit(decoder: ArithmeticDecoder, key: string): number {
    const state = this.probability.get(key) ?? { p: 32768, n: 0 };
    const bit = decoder.bit(state.p);
    const p = state.p + Math.trunc((65536 * bit - state.p) / (state.n + 2));
    this.probability.set(key, { p: Math.max(32, Math.min(65504, p)), n: Math.min(this.limit, state.n + 1) });
    return bit;
  }
}

function readNumber(decoder: ArithmeticDecoder, model: AdaptiveBits, context: string, maxBits: number): number {
  let length = 0;
  while (length < maxBits && model.bit(decoder, `${context} longer than ${length}`)) length++;
  if (length < 2) return length;
  let value = 2 + model.bit(decoder, `${context} below the first of ${length}`);
  for (let i = 0; i < length - 2; i++) value = value * 2 + decoder.bit(32768);
  return value;
}

function readLevels(decoder: ArithmeticDecoder, count: number): number[] {
  const model = new AdaptiveBits(60);
  return Array.from({ length: count }, () => {
    let prefix = '';
    for (let i = 0; i < 6; i++) prefix += model.bit(decoder, prefix);
    return Number.parseInt(prefix, 2);
  });
}

function readWeights(decoder: ArithmeticDecoder, lengthModel: AdaptiveBits, precision: number, before?: number[]) {
  const lengths: number[] = [];
  const weights: number[] = [];
  for (let s = 0; s < 256; s++) {
    const a = lengths[s - 1] ?? 0;
    const b = lengths[s - 2] ?? a;
    let e = (2 * a + b + 1) / 3;
    if (before !== undefined) {
      const qa = before[s - 1] ?? 0;
      const qb = before[s - 2] ?? qa;
      e = (e + before[s]! + (a - qa + b - qb) / 2) / 2;
    }
    const guess = Math.max(0, Math.min(31, Math.floor(e)));
    const folded = readNumber(decoder, lengthModel, `${guess === 0} ${before === undefined}`, 6);
    const length = guess + (folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2);
    lengths.push(length);
    let weight = length === 0 ? 0 : 1;
    for (let k = 1; k < length; k++) weight = weight * 2 + (k <= precision ? decoder.bit(32768) : 0);
    weights.push(weight);
  }
  return { lengths, weights };
}

function frequenciesOf(weights: number[], tableLog: number): number[] {
  const target = 2 ** tableLog;
  const total = weights.reduce((sum, w) => sum + w, 0);
  const f = weights.map((w) => (w === 0 ? 0 : Math.max(1, Math.floor((w * target) / total + 0.5))));
  const sum = (): number => f.reduce((s, x) => s + x, 0);
  const largest = (): number => f.indexOf(Math.max(...f));
  const atFirst = largest();
  while (sum() > target) f[largest()]! -= Math.min(sum() - target, Math.max(1, Math.floor(f[largest()]! / 16)));
  f[atFirst]! += target - sum();
  return f;
}

function decodeRans(input: Input, rows: number, columns: number): number[] {
  const side = new ArithmeticDecoder(input.take(input.varint()));
  const tableLog = 8 + side.raw(3);
  const classCount = 1 + side.raw(5);
  let rowLevels = new Array<number>(rows).fill(0);
  let columnLevels: number[] = [];
  let repeat = 1;
  const classOf = [0];
  if (classCount > 1) {
    if (side.raw(1)) rowLevels = readLevels(side, rows);
    const groups = readNumber(side, new AdaptiveBits(30), 'columns', 31);
    if (groups > 0) {
      repeat = readNumber(side, new AdaptiveBits(30), 'repeat', 31);
      columnLevels = readLevels(side, groups);
    }
    for (let level = 1; level < 64; level++) classOf.push(classOf[level - 1]! + side.bit(8192));
  }
  const lengthModel = new AdaptiveBits(30);
  const precisionModel = new AdaptiveBits(30);
  const tables: number[][] = [];
  let before: number[] | undefined;
  for (let k = 0; k < classCount; k++) {
    const precision = readNumber(side, precisionModel, 'precision', 3);
    const { lengths, weights } = readWeights(side, lengthModel, precision, before);
    before = lengths;
    tables.push(frequenciesOf(weights, tableLog));
  }
  const states = Array.from({ length: 4 }, () => {
    const [a, b, c, d] = input.take(4) as [number, number, number, number];
    return BigInt(a) + 256n * BigInt(b) + 65536n * BigInt(c) + 16777216n * BigInt(d);
  });
  const words = input.rest();
  const slots = 2n ** BigInt(tableLog);
  const out: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const columnLevel =
        columnLevels.length === 0 ? 0 : columnLevels[Math.floor(column / repeat) % columnLevels.length]!;
      const table = tables[classOf[Math.min(63, rowLevels[row]! + columnLevel)] ?? 0]!;
      let x = states[column % 4]!;
      const slot = x % slots;
      let start = 0n;
      let symbol = 0;
      while (start + BigInt(table[symbol]!) <= slot) start += BigInt(table[symbol++]!);
      out.push(symbol);
      x = BigInt(table[symbol]!) * (x / slots) + slot - start;
      if (x < 65536n) x = x * 65536n + BigInt(words.shift()! + 256 * words.shift()!);
      states[column % 4] = x;
    }
  }
  if (words.length > 0 || states.some((x) => x !== 65536n)) throw new Error('reference: the code does not end');
  return out;
}

function decodeZeroRuns(input: Input): number[] {
  const zero = input.u8();
  const runCount = input.varint();
  const restCount = input.varint();
  const runs = referenceDecodeBlock(input.take(input.varint()), bytesLayout(runCount));
  const rest = referenceDecodeBlock(input.rest(), bytesLayout(restCount));
  const out: number[] = [];
  for (const run of runs) {
    for (let i = 0; i < run; i++) out.push(zero);
    if (run < 255 && rest.length > 0) out.push(rest.shift()!);
  }
  return out;
}

function decodePlanes(input: Input, layout: BlockLayout): number[] {
  const { elementBytes, rows, columns, kind } = layout;
  const planes = Array.from({ length: elementBytes }, (_, p) => {
    const coded = p < elementBytes - 1 ? input.take(input.varint()) : input.rest();
    return referenceDecodeBlock(coded, { ...bytesLayout(0), rows, columns });
  });
  const size = BigInt(8 * elementBytes);
  const out: number[] = [];
  for (let i = 0; i < rows * columns; i++) {
    let word = 0n;
    for (const plane of planes) word = word * 256n + BigInt(plane[i]!);
    if (kind === 'float') word = word / 2n + (word % 2n) * 2n ** (size - 1n);
    if (kind === 'signed') word = BigInt.asUintN(Number(size), word % 2n === 0n ? word / 2n : -(word + 1n) / 2n);
    for (let k = 0; k < elementBytes; k++, word /= 256n) out.push(Number(word % 256n));
  }
  return out;
}

function decodeLz(input: Input): number[] {
  const next = (): number[] => {
    const size = input.varint();
    return referenceDecodeBlock(input.take(input.varint()), bytesLayout(size));
  };
  const [literals, runs, lengths, codes, bits] = [next(), next(), next(), next(), next()];
  const sum = (list: number[]): number => {
    const byte = list.shift()!;
    return byte === 255 ? 255 + sum(list) : byte;
  };
  const out: number[] = [];
  let distance = 0;
  for (const code of codes) {
    for (let n = sum(runs); n > 0; n--) out.push(literals.shift()!);
    const length = 4 + sum(lengths);
    if (code === 1) distance = 1;
    if (code > 1) {
      let low = 0;
      for (let k = 0; 8 * k < code - 2; k++) low += bits.shift()! * 256 ** k;
      distance = 1 + 2 ** (code - 2) + low;
    }
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]!);
  }
  return [...out, ...literals];
}

function bytesLayout(size: number): BlockLayout {
  return { elementBytes: 1, kind: 'bytes', rows: 1, columns: size, kernelSize: 1, kernelWidth: 1 };
}

export function referenceDecodeBlock(coded: Iterable<number>, layout: BlockLayout): number[] {
  const input = new Input(coded);
  const size = layout.rows * layout.columns * layout.elementBytes;
  const method = input.u8();
  let out: number[];
  if (method === 0) out = input.rest();
  else if (method === 1) out = new Array<number>(size).fill(input.u8());
  else if (method === 2) out = decodeRans(input, layout.rows, layout.columns);
  else if (method === 3) out = decodeZeroRuns(input);
  else if (method === 4) out = decodePlanes(input, layout);
  else if (method === 6) out = decodeLz(input);
  else throw new Error(`reference: method ${method}`);
  if (out.length !== size) throw new Error('reference: wrong size');
  return out;
}
