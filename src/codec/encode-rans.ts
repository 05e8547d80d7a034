import { BinaryEncoder } from './binary-encoder.ts';
import { ByteWriter } from './byte-writer.ts';
import { codeClassTables } from './class-side-info.ts';
import { columnLines, type SymbolClasses } from './symbol-classes.ts';

/**
 * Codes a matrix of bytes by static-table range asymmetric numeral systems (J. Duda, arXiv:1311.2540), four states interleaved by column
 * (F. Giesen, arXiv:1402.3392), 32-bit states renormalized by 16 bits. `counts` are the symbol counts of each class.
 */
export function encodeRans(
  bytes: Uint8Array,
  classes: SymbolClasses,
  counts: readonly Uint32Array[],
  tableLog: number,
): Uint8Array {
  const side = new BinaryEncoder();
  const { frequencies } = codeClassTables(side, { classes, tableLog, counts });
  const sideBytes = side.finish();
  const { words, states } = encodeSymbols(bytes, classes, frequencies, tableLog);
  const writer = new ByteWriter();
  writer.varint(sideBytes.length);
  writer.bytes(sideBytes);
  for (const state of states) writer.u32(state >>> 0);
  writer.bytes(words);
  return writer.finish();
}

function encodeSymbols(
  bytes: Uint8Array,
  classes: SymbolClasses,
  frequencies: readonly Uint16Array[],
  tableLog: number,
): { words: Uint8Array; states: Int32Array } {
  const { rows, columns, rowLevel, classOf } = classes;
  // Per class and symbol: frequency << 16 | start, and the largest state (its upper 16 bits) from which no word has to be written.
  const packed = new Int32Array(classes.classCount * 256);
  for (let k = 0; k < classes.classCount; k++) {
    let start = 0;
    for (let s = 0; s < 256; s++) {
      const f = frequencies[k]![s]!;
      packed[k * 256 + s] = (f << 16) | start;
      start += f;
    }
  }
  const lines = columnLines(classes, classOf);
  // Written backwards from the end: the decoder reads forwards. A symbol never takes more than one word.
  const out = new Uint16Array(bytes.length);
  let at = out.length;
  const states = new Int32Array(4).fill(65536);
  const uniform = new Uint8Array(columns);
  for (let r = rows - 1; r >= 0; r--) {
    const level = rowLevel[r]!;
    const line = lines[level];
    const rowClass = line === undefined ? classOf[level]! : 0;
    at = encodeRow(bytes, r * columns, columns, line ?? uniform, rowClass, packed, tableLog, states, out, at);
  }
  return { words: new Uint8Array(out.buffer, at * 2, (out.length - at) * 2), states };
}

/** Codes a row from its last column to its first; a column's class is `line`'s plus `rowClass`. Returns where `out` now begins. */
function encodeRow(
  bytes: Uint8Array,
  begin: number,
  columns: number,
  line: Uint8Array,
  rowClass: number,
  packed: Int32Array,
  tableLog: number,
  states: Int32Array,
  out: Uint16Array,
  from: number,
): number {
  const limitShift = 16 - tableLog;
  const base = rowClass << 8;
  let at = from;
  let c = columns;
  for (const whole = columns & ~3; c > whole; ) {
    c--;
    const entry = packed[base + ((line[c]! << 8) | bytes[begin + c]!)]!;
    const f = entry >>> 16;
    let x = states[c & 3]!;
    if (x >>> 16 >= f << limitShift) {
      out[--at] = x;
      x = x >>> 16;
    }
    const q = ((x >>> 0) / f) | 0;
    states[c & 3] = (x + Math.imul(q, (1 << tableLog) - f) + (entry & 0xffff)) | 0;
  }
  const gap = 1 << tableLog;
  let x0 = states[0]!;
  let x1 = states[1]!;
  let x2 = states[2]!;
  let x3 = states[3]!;
  while (c > 0) {
    c -= 4;
    const i = begin + c;
    const e3 = packed[base + ((line[c + 3]! << 8) | bytes[i + 3]!)]!;
    const e2 = packed[base + ((line[c + 2]! << 8) | bytes[i + 2]!)]!;
    const e1 = packed[base + ((line[c + 1]! << 8) | bytes[i + 1]!)]!;
    const e0 = packed[base + ((line[c]! << 8) | bytes[i]!)]!;
    const f3 = e3 >>> 16;
    const f2 = e2 >>> 16;
    const f1 = e1 >>> 16;
    const f0 = e0 >>> 16;
    if (x3 >>> 16 >= f3 << limitShift) {
      out[--at] = x3;
      x3 = x3 >>> 16;
    }
    if (x2 >>> 16 >= f2 << limitShift) {
      out[--at] = x2;
      x2 = x2 >>> 16;
    }
    if (x1 >>> 16 >= f1 << limitShift) {
      out[--at] = x1;
      x1 = x1 >>> 16;
    }
    if (x0 >>> 16 >= f0 << limitShift) {
      out[--at] = x0;
      x0 = x0 >>> 16;
    }
    // floor(x / f) * 2^tableLog + x mod f + start, without the multiplication that the remainder would take.
    x3 = (x3 + Math.imul(((x3 >>> 0) / f3) | 0, gap - f3) + (e3 & 0xffff)) | 0;
    x2 = (x2 + Math.imul(((x2 >>> 0) / f2) | 0, gap - f2) + (e2 & 0xffff)) | 0;
    x1 = (x1 + Math.imul(((x1 >>> 0) / f1) | 0, gap - f1) + (e1 & 0xffff)) | 0;
    x0 = (x0 + Math.imul(((x0 >>> 0) / f0) | 0, gap - f0) + (e0 & 0xffff)) | 0;
  }
  states[0] = x0;
  states[1] = x1;
  states[2] = x2;
  states[3] = x3;
  return at;
}
