/** A block as copies of earlier bytes: before each copy some literals, and literals at the end. All numbers are coded as bytes. */
export interface LzSequences {
  readonly literals: Uint8Array;
  /** Per copy: literals before it, and its length less `minMatch`; 255 means 255 and more in the next byte. */
  readonly literalRuns: Uint8Array;
  readonly lengths: Uint8Array;
  /** Per copy: 0 for the distance of the previous copy, else 1 + the bit length of distance - 1. */
  readonly distanceCodes: Uint8Array;
  /** The bits of distance - 1 below its leading one, padded to whole bytes per copy, low byte first. */
  readonly distanceBits: Uint8Array;
}

export const minMatch = 4;
const maxChain = 48;
const hashBits = 16;
const enough = 512;

function hashAt(bytes: Uint8Array, i: number): number {
  const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
  return Math.imul(word, 0x9e3779b1) >>> (32 - hashBits);
}

/** Collects bytes in a buffer that grows. */
class Bytes {
  #bytes = new Uint8Array(1024);
  #length = 0;

  push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }

  pushRun(value: number): void {
    let rest = value;
    for (; rest >= 255; rest -= 255) this.push(255);
    this.push(rest);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Finds repetitions with hash chains; a copy is put off by one byte where that gives a longer one. */
export function findLzSequences(bytes: Uint8Array): LzSequences {
  const n = bytes.length;
  const head = new Int32Array(1 << hashBits).fill(-1);
  const previous = new Int32Array(n);
  const literals = new Bytes();
  const literalRuns = new Bytes();
  const lengths = new Bytes();
  const distanceCodes = new Bytes();
  const distanceBits = new Bytes();
  let lastDistance = 0;
  let foundLength = 0;
  let foundDistance = 0;

  const matchLength = (from: number, at: number): number => {
    let length = 0;
    while (at + length < n && bytes[from + length] === bytes[at + length]) length++;
    return length;
  };
  const find = (at: number): void => {
    foundLength = 0;
    if (at + minMatch > n) return;
    if (lastDistance > 0 && lastDistance <= at) {
      const length = matchLength(at - lastDistance, at);
      if (length >= minMatch) {
        // The previous distance costs a bit or two instead of a dozen: as good as a match two bytes longer.
        foundLength = length + 2;
        foundDistance = lastDistance;
      }
    }
    let candidate = head[hashAt(bytes, at)]!;
    for (let tries = 0; candidate >= 0 && tries < maxChain && foundLength < enough; tries++) {
      const length = matchLength(candidate, at);
      if (length >= minMatch && length > foundLength && (length > minMatch || at - candidate < 4096)) {
        foundLength = length;
        foundDistance = at - candidate;
      }
      candidate = previous[candidate]!;
    }
    if (foundDistance === lastDistance && foundLength > 0) foundLength = matchLength(at - foundDistance, at);
  };
  const insert = (at: number): void => {
    if (at + minMatch > n) return;
    const hash = hashAt(bytes, at);
    previous[at] = head[hash]!;
    head[hash] = at;
  };

  let run = 0;
  let at = 0;
  while (at < n) {
    find(at);
    insert(at);
    if (foundLength < minMatch) {
      literals.push(bytes[at++]!);
      run++;
      continue;
    }
    let length = foundLength;
    let distance = foundDistance;
    if (length < enough && at + 1 < n) {
      find(at + 1);
      if (foundLength > length + 1) {
        insert(at + 1);
        literals.push(bytes[at++]!);
        run++;
        length = foundLength;
        distance = foundDistance;
      }
    }
    literalRuns.pushRun(run);
    run = 0;
    lengths.pushRun(length - minMatch);
    if (distance === lastDistance) distanceCodes.push(0);
    else {
      const bits = 32 - Math.clz32(distance - 1);
      distanceCodes.push(1 + bits);
      for (let shift = 0, rest = distance - 1; shift < bits - 1; shift += 8, rest >>>= 8) {
        distanceBits.push(bits - 1 - shift < 8 ? rest & ((1 << (bits - 1 - shift)) - 1) : rest & 255);
      }
    }
    lastDistance = distance;
    for (let i = at + 1; i < at + length; i++) insert(i);
    at += length;
  }
  return {
    literals: literals.finish(),
    literalRuns: literalRuns.finish(),
    lengths: lengths.finish(),
    distanceCodes: distanceCodes.finish(),
    distanceBits: distanceBits.finish(),
  };
}

/** Rebuilds a block; false where the sequences do not fill `out` exactly. */
export function applyLzSequences(sequences: LzSequences, out: Uint8Array): boolean {
  const { literals, literalRuns, lengths, distanceCodes, distanceBits } = sequences;
  let literal = 0;
  let run = 0;
  let length = 0;
  let bit = 0;
  let at = 0;
  let distance = 0;
  for (let copy = 0; copy < distanceCodes.length; copy++) {
    let count = 0;
    let byte: number;
    do {
      if (run >= literalRuns.length) return false;
      byte = literalRuns[run++]!;
      count += byte;
    } while (byte === 255);
    if (count > literals.length - literal || count > out.length - at) return false;
    out.set(literals.subarray(literal, literal + count), at);
    literal += count;
    at += count;
    let size = minMatch;
    do {
      if (length >= lengths.length) return false;
      byte = lengths[length++]!;
      size += byte;
    } while (byte === 255);
    const code = distanceCodes[copy]!;
    if (code > 32) return false;
    if (code > 0) {
      let low = 0;
      for (let shift = 0; shift < code - 2; shift += 8) {
        if (bit >= distanceBits.length) return false;
        low |= distanceBits[bit++]! << shift;
      }
      distance = code === 1 ? 1 : 1 + (((1 << (code - 2)) | low) >>> 0);
    }
    if (distance === 0 || distance > at || size > out.length - at) return false;
    if (distance >= size) out.copyWithin(at, at - distance, at - distance + size);
    else for (let i = 0; i < size; i++) out[at + i] = out[at + i - distance]!;
    at += size;
  }
  const isComplete = run === literalRuns.length && length === lengths.length && bit === distanceBits.length;
  if (!isComplete || literals.length - literal !== out.length - at) return false;
  out.set(literals.subarray(literal), at);
  return true;
}
