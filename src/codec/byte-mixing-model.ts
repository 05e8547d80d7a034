import type { BinaryCoder } from './binary-coder.ts';
import { type ByteContext, byteContextCount, hashPair as hash } from './byte-context.ts';
import { prepareLogistic, squash, stretchTable } from './logistic.ts';

/** Contexts of the bytes before, and of the place. */
const nearOrders = 8;
const orders = nearOrders + byteContextCount;
/** Two inputs per context (a probability, and one learned for its recent bits), two of the match model, one constant. */
const inputs = 2 * orders + 3;
const historyStates = 256;
/** Probability 1/2, never seen, no history. */
const unseen = (32768 << 16) | 1;
const maxMatch = 400;
const learningRate = Float64Array.from({ length: 61 }, (_, seen) => 1 / (seen + 1.6));
const nullCoder: BinaryCoder = { code: (bit) => bit };

/**
 * A context-mixing model of bytes (after M. Mahoney's PAQ, 2002 on): each bit is predicted in several contexts, and the predictions are
 * mixed in the logistic domain by weights that learn. Slow and strong: for graphs, names and small tensors. `record` 0 models text and
 * structure; otherwise bytes are those of numbers of `record` bytes, the most significant first.
 */
export class ByteMixingModel {
  readonly #mask: number;
  /**
   * Per context slot: probability of a one (16 bits), how often it was seen (8 bits), its last bits behind a leading one (8 bits).
   * Beside it, the probability learned for each order and history.
   */
  readonly #state: Int32Array;
  readonly #byHistory = initialByHistory();
  readonly #input = new Float64Array(inputs);
  readonly #slot = new Int32Array(orders);
  readonly #context = new Int32Array(orders);
  /** Mixing weights: one set by the bits so far, one by how far the past has matched. */
  readonly #weightsByNode = new Float64Array(256 * 2 * inputs).fill(0.085);
  readonly #weightsByMatch = new Float64Array(64 * inputs).fill(0.085);
  readonly #past: Uint8Array;
  readonly #lastSeen: Int32Array;
  readonly #byMatch = new Uint16Array(64 * 2).fill(32768);
  #length = 0;
  #matchFrom = 0;
  #matchLength = 0;
  #word = 0;
  #partStart = 0;
  #record = 0;
  #columns = 1;
  readonly #place: ByteContext | undefined;

  /** `byteCount` is the number of bytes that will be coded in all, those of `prime` included. */
  constructor(byteCount: number, place?: ByteContext) {
    prepareLogistic();
    this.#place = place;
    const bits = Math.max(12, Math.min(20, 32 - Math.clz32(byteCount * 16)));
    this.#mask = (1 << bits) - 1;
    this.#state = new Int32Array(orders << bits).fill(unseen);
    this.#past = new Uint8Array(byteCount);
    this.#lastSeen = new Int32Array(1 << 16).fill(-1);
  }

  /** Begins a part of another nature: text (`record` 0), or numbers of `record` bytes in rows of `columns`. */
  beginPart(record: number, columns: number): void {
    this.#record = record;
    this.#columns = columns;
    this.#partStart = this.#length;
    if (record === 0) this.#place?.begin();
  }

  /** Learns from bytes that both sides know, without coding them. */
  prime(bytes: Uint8Array): void {
    this.#place?.begin();
    for (const byte of bytes) this.code(nullCoder, byte);
  }

  /** Codes `byte` (ignored by a decoder) and returns it. */
  code(coder: BinaryCoder, byte: number): number {
    this.#setContexts();
    const expected = this.#matchLength > 0 ? this.#past[this.#matchFrom]! | 256 : 0;
    let node = 1;
    for (let shift = 7; shift >= 0; shift--) {
      node = (node << 1) | this.#codeBit(coder, (byte >>> shift) & 1, node, expected, shift);
    }
    this.#append(node & 255);
    return node & 255;
  }

  #setContexts(): void {
    const past = this.#past;
    const n = this.#length;
    const context = this.#context;
    const a = n > 0 ? past[n - 1]! : 0;
    const b = n > 1 ? past[n - 2]! : 0;
    const c = n > 2 ? past[n - 3]! : 0;
    const d = n > 3 ? past[n - 4]! : 0;
    if (this.#record === 0) {
      const e = n > 4 ? past[n - 5]! : 0;
      const f = n > 5 ? past[n - 6]! : 0;
      context[0] = 0;
      context[1] = hash(1, a);
      context[2] = hash(2, a | (b << 8));
      context[3] = hash(3, a | (b << 8) | (c << 16));
      context[4] = hash(4, a | (b << 8) | (c << 16) | (d << 24));
      context[5] = hash(hash(5, a | (b << 8) | (c << 16) | (d << 24)), e | (f << 8));
      context[6] = hash(hash(6, this.#word), a);
      context[7] = hash(7, (b << 8) | (c << 16) | (this.#matchLength > 0 ? past[this.#matchFrom]! : 0));
      for (let k = 0; k < byteContextCount; k++) {
        context[nearOrders + k] = hash(32 + k, this.#place?.contexts[k] ?? 0);
      }
      return;
    }
    const at = n - this.#partStart;
    const record = this.#record;
    const place = (at % record) | (record << 4);
    const column = Math.floor(at / record) % this.#columns;
    const above = at >= record ? past[n - record]! : 0;
    const above2 = at >= 2 * record ? past[n - 2 * record]! : 0;
    const first = place & 15;
    const high = first > 0 ? past[n - first]! : above;
    const next = first > 1 ? past[n - first + 1]! : 0;
    context[0] = hash(16, place);
    context[1] = hash(17, place | (above << 8));
    context[2] = hash(18, place | (high << 8));
    context[3] = hash(19, place | (high << 8) | (next << 16));
    context[4] = hash(20, place | (above << 8) | (high << 16));
    context[5] = hash(21, place | (above << 8) | (above2 << 16));
    context[6] = hash(22, place | (Math.min(column, 65535) << 8));
    context[7] = hash(23, place | ((above >>> 3) << 8) | ((above2 >>> 3) << 16) | (high << 24));
    const above3 = at >= 3 * record ? past[n - 3 * record]! : above2;
    const mean = (above + above2 + above3) >> 2;
    context[8] = hash(24, place | (mean << 8) | (high << 20));
    context[9] = hash(25, place | ((high >>> 4) << 8) | ((next >>> 5) << 16));
    context[10] = hash(26, place | ((mean >>> 3) << 8));
    context[11] = hash(27, place | (Math.max(above, above2, above3) << 8));
  }

  #codeBit(coder: BinaryCoder, wanted: number, node: number, expected: number, shift: number): number {
    const input = this.#input;
    const slots = this.#slot;
    const mask = this.#mask;
    const state = this.#state;
    const context = this.#context;
    const byHistory = this.#byHistory;
    const nodeHash = Math.imul(node, 0x9e3779b1);
    let sure = 0;
    for (let k = 0; k < orders; k++) {
      const slot = k * (mask + 1) + ((Math.imul(context[k]! + nodeHash, 0x2c1b3c6d) >>> 9) & mask);
      slots[k] = slot;
      const s = state[slot]!;
      if (s === unseen) {
        input[2 * k] = 0;
        input[2 * k + 1] = 0;
        continue;
      }
      sure++;
      input[2 * k] = stretchTable[s >>> 20]!;
      input[2 * k + 1] = stretchTable[byHistory[k * historyStates + (s & 255)]! >>> 4]!;
    }
    const predicts = expected !== 0 && expected >>> (shift + 1) === node;
    const bitExpected = (expected >>> shift) & 1;
    const lengthClass = predicts
      ? Math.min(31, this.#matchLength < 16 ? this.#matchLength : 12 + (this.#matchLength >>> 2))
      : 0;
    const matchSlot = lengthClass * 2 + bitExpected;
    input[2 * orders] = predicts ? stretchTable[this.#byMatch[matchSlot]! >>> 4]! : 0;
    input[2 * orders + 1] = predicts ? (bitExpected ? 1 : -1) * Math.min(4, this.#matchLength / 8) : 0;
    input[2 * orders + 2] = 0.4;

    const byNode = this.#weightsByNode;
    const byMatch = this.#weightsByMatch;
    const nodeSet = (node + (this.#record === 0 ? 0 : 256)) * inputs;
    const matchSet = ((lengthClass === 0 ? 0 : 1 + Math.min(2, lengthClass >>> 3)) * (orders + 1) + sure) * inputs;
    let dotNode = 0;
    let dotMatch = 0;
    for (let i = 0; i < inputs; i++) {
      const x = input[i]!;
      dotNode += byNode[nodeSet + i]! * x;
      dotMatch += byMatch[matchSet + i]! * x;
    }
    const pNode = squash(dotNode);
    const pMatch = squash(dotMatch);
    const p = Math.max(4, Math.min(65532, Math.floor(squash((dotNode + dotMatch) / 2) * 65536)));
    const bit = coder.code(wanted, p);

    const rate = this.#length < 4096 ? 0.02 : 0.008;
    const errorNode = (bit - pNode) * rate;
    const errorMatch = (bit - pMatch) * rate;
    for (let i = 0; i < inputs; i++) {
      const x = input[i]!;
      byNode[nodeSet + i] = byNode[nodeSet + i]! + errorNode * x;
      byMatch[matchSet + i] = byMatch[matchSet + i]! + errorMatch * x;
    }
    const target = bit ? 65535 : 0;
    for (let k = 0; k < orders; k++) {
      const slot = slots[k]!;
      const s = state[slot]!;
      const probability = s >>> 16;
      const seen = (s >>> 8) & 255;
      const history = s & 255;
      const moved = probability + Math.trunc((target - probability) * learningRate[seen]!);
      if (seen > 0) {
        const h = k * historyStates + history;
        byHistory[h] = byHistory[h]! + ((target - byHistory[h]!) >> 5);
      }
      const newHistory = ((history << 1) & 255) | bit | (history & 128);
      state[slot] = (moved << 16) | ((seen < 60 ? seen + 1 : 60) << 8) | newHistory;
    }
    if (predicts) this.#byMatch[matchSlot] = this.#byMatch[matchSlot]! + ((target - this.#byMatch[matchSlot]!) >> 5);
    return bit;
  }

  #append(byte: number): void {
    const past = this.#past;
    past[this.#length++] = byte;
    if (this.#record === 0) this.#place?.append(byte);
    const n = this.#length;
    const letter = (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90);
    this.#word = letter ? hash(this.#word, byte) : byte >= 48 && byte <= 57 ? this.#word : 0;
    if (this.#matchLength > 0 && past[this.#matchFrom] === byte) {
      this.#matchFrom++;
      if (this.#matchLength < maxMatch) this.#matchLength++;
    } else this.#matchLength = 0;
    if (n < 5) return;
    const key =
      hash(past[n - 1]! | (past[n - 2]! << 8) | (past[n - 3]! << 16) | (past[n - 4]! << 24), past[n - 5]!) & 0xffff;
    const candidate = this.#lastSeen[key]!;
    this.#lastSeen[key] = n;
    if (this.#matchLength > 0 || candidate < 0) return;
    let length = 0;
    while (length < 32 && candidate - length > 0 && past[candidate - 1 - length] === past[n - 1 - length]) length++;
    if (length >= 4) {
      this.#matchFrom = candidate;
      this.#matchLength = length;
    }
  }
}

/** To begin with, a history of ones and zeros is believed as far as its length goes. */
function initialByHistory(): Uint16Array {
  const table = new Uint16Array(orders * historyStates);
  for (let i = 0; i < table.length; i++) {
    const history = i % historyStates;
    const length = Math.max(0, 31 - Math.clz32(history));
    let ones = 0;
    for (let k = 0; k < length; k++) ones += (history >>> k) & 1;
    table[i] = Math.floor((65536 * (ones + 0.3)) / (length + 0.6));
  }
  return table;
}
