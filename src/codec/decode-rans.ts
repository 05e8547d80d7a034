import { BinaryDecoder } from './binary-decoder.ts';
import { ByteReader } from './byte-reader.ts';
import { type ClassTables, codeClassTables } from './class-side-info.ts';
import { CorruptStreamError } from './corrupt-stream-error.ts';
import { columnLines, singleClass } from './symbol-classes.ts';

/** Inverse of `encodeRans`: fills `out`, a matrix of rows x columns bytes. Ends in an error unless code and states end together. */
export function decodeRans(coded: Uint8Array, out: Uint8Array, rows: number, columns: number): void {
  const reader = new ByteReader(coded);
  const side = new BinaryDecoder(reader.bytes(reader.varint(reader.remaining)));
  const tables = codeClassTables(side, {
    classes: singleClass(rows, columns),
    tableLog: 0,
    counts: [],
  });
  const states = new Int32Array(4);
  for (let i = 0; i < 4; i++) states[i] = reader.u32();
  if (reader.remaining % 2 !== 0) throw new CorruptStreamError('an entropy-coded stream has an odd length');
  // A copy, for 16-bit access at any alignment. All platforms Node and browsers run on are little-endian.
  const words = new Uint16Array(reader.rest().slice().buffer);
  const read = decodeSymbols(tables, words, states, out);
  if (read !== words.length || states.some((state) => state !== 65536)) {
    throw new CorruptStreamError('an entropy-coded stream does not end where its data does');
  }
}

/** Returns the number of words read. */
function decodeSymbols(tables: ClassTables, words: Uint16Array, states: Int32Array, out: Uint8Array): number {
  const { classes, tableLog, frequencies } = tables;
  const { rows, columns, rowLevel, classOf, classCount } = classes;
  const symbolAt = new Uint8Array(classCount << tableLog);
  const packed = new Int32Array(classCount * 256);
  for (let k = 0; k < classCount; k++) {
    let start = 0;
    for (let s = 0; s < 256; s++) {
      const f = frequencies[k]![s]!;
      packed[k * 256 + s] = (f << 16) | start;
      symbolAt.fill(s, (k << tableLog) + start, (k << tableLog) + start + f);
      start += f;
    }
  }
  const lines = columnLines(classes, classOf);
  let at = 0;
  for (let r = 0; r < rows; r++) {
    const level = rowLevel[r]!;
    const line = lines[level];
    const begin = r * columns;
    at =
      line === undefined
        ? decodeRow(symbolAt, packed, tableLog, classOf[level]!, words, at, states, out, begin, columns)
        : decodeMixedRow(symbolAt, packed, tableLog, line, words, at, states, out, begin, columns);
  }
  return at;
}

/** A row of one class. Past the end of `words` reads give undefined, which the bit operations turn into zero. */
function decodeRow(
  symbolAt: Uint8Array,
  packed: Int32Array,
  tableLog: number,
  classIndex: number,
  words: Uint16Array,
  from: number,
  states: Int32Array,
  out: Uint8Array,
  begin: number,
  columns: number,
): number {
  const mask = (1 << tableLog) - 1;
  const slots = classIndex << tableLog;
  const base = classIndex << 8;
  let at = from;
  let x0 = states[0]!;
  let x1 = states[1]!;
  let x2 = states[2]!;
  let x3 = states[3]!;
  let i = begin;
  const end = begin + columns;
  for (const whole = begin + (columns & ~3); i < whole; i += 4) {
    const s0 = symbolAt[slots | (x0 & mask)]!;
    const s1 = symbolAt[slots | (x1 & mask)]!;
    const s2 = symbolAt[slots | (x2 & mask)]!;
    const s3 = symbolAt[slots | (x3 & mask)]!;
    out[i] = s0;
    out[i + 1] = s1;
    out[i + 2] = s2;
    out[i + 3] = s3;
    const e0 = packed[base | s0]!;
    const e1 = packed[base | s1]!;
    const e2 = packed[base | s2]!;
    const e3 = packed[base | s3]!;
    x0 = (Math.imul(e0 >>> 16, x0 >>> tableLog) + (x0 & mask) - (e0 & 0xffff)) | 0;
    x1 = (Math.imul(e1 >>> 16, x1 >>> tableLog) + (x1 & mask) - (e1 & 0xffff)) | 0;
    x2 = (Math.imul(e2 >>> 16, x2 >>> tableLog) + (x2 & mask) - (e2 & 0xffff)) | 0;
    x3 = (Math.imul(e3 >>> 16, x3 >>> tableLog) + (x3 & mask) - (e3 & 0xffff)) | 0;
    if (x0 >>> 16 === 0) x0 = (x0 << 16) | words[at++]!;
    if (x1 >>> 16 === 0) x1 = (x1 << 16) | words[at++]!;
    if (x2 >>> 16 === 0) x2 = (x2 << 16) | words[at++]!;
    if (x3 >>> 16 === 0) x3 = (x3 << 16) | words[at++]!;
  }
  states[0] = x0;
  states[1] = x1;
  states[2] = x2;
  states[3] = x3;
  for (let lane = 0; i < end; i++, lane++) {
    let x = states[lane]!;
    const s = symbolAt[slots | (x & mask)]!;
    out[i] = s;
    const e = packed[base | s]!;
    x = (Math.imul(e >>> 16, x >>> tableLog) + (x & mask) - (e & 0xffff)) | 0;
    if (x >>> 16 === 0) x = (x << 16) | words[at++]!;
    states[lane] = x;
  }
  return at;
}

/** A row whose columns differ in class: `line` holds the class of each. */
function decodeMixedRow(
  symbolAt: Uint8Array,
  packed: Int32Array,
  tableLog: number,
  line: Uint8Array,
  words: Uint16Array,
  from: number,
  states: Int32Array,
  out: Uint8Array,
  begin: number,
  columns: number,
): number {
  const mask = (1 << tableLog) - 1;
  let at = from;
  let x0 = states[0]!;
  let x1 = states[1]!;
  let x2 = states[2]!;
  let x3 = states[3]!;
  let c = 0;
  for (const whole = columns & ~3; c < whole; c += 4) {
    const k0 = line[c]!;
    const k1 = line[c + 1]!;
    const k2 = line[c + 2]!;
    const k3 = line[c + 3]!;
    const s0 = symbolAt[(k0 << tableLog) | (x0 & mask)]!;
    const s1 = symbolAt[(k1 << tableLog) | (x1 & mask)]!;
    const s2 = symbolAt[(k2 << tableLog) | (x2 & mask)]!;
    const s3 = symbolAt[(k3 << tableLog) | (x3 & mask)]!;
    out[begin + c] = s0;
    out[begin + c + 1] = s1;
    out[begin + c + 2] = s2;
    out[begin + c + 3] = s3;
    const e0 = packed[(k0 << 8) | s0]!;
    const e1 = packed[(k1 << 8) | s1]!;
    const e2 = packed[(k2 << 8) | s2]!;
    const e3 = packed[(k3 << 8) | s3]!;
    x0 = (Math.imul(e0 >>> 16, x0 >>> tableLog) + (x0 & mask) - (e0 & 0xffff)) | 0;
    x1 = (Math.imul(e1 >>> 16, x1 >>> tableLog) + (x1 & mask) - (e1 & 0xffff)) | 0;
    x2 = (Math.imul(e2 >>> 16, x2 >>> tableLog) + (x2 & mask) - (e2 & 0xffff)) | 0;
    x3 = (Math.imul(e3 >>> 16, x3 >>> tableLog) + (x3 & mask) - (e3 & 0xffff)) | 0;
    if (x0 >>> 16 === 0) x0 = (x0 << 16) | words[at++]!;
    if (x1 >>> 16 === 0) x1 = (x1 << 16) | words[at++]!;
    if (x2 >>> 16 === 0) x2 = (x2 << 16) | words[at++]!;
    if (x3 >>> 16 === 0) x3 = (x3 << 16) | words[at++]!;
  }
  states[0] = x0;
  states[1] = x1;
  states[2] = x2;
  states[3] = x3;
  for (let lane = 0; c < columns; c++, lane++) {
    const k = line[c]!;
    let x = states[lane]!;
    const s = symbolAt[(k << tableLog) | (x & mask)]!;
    out[begin + c] = s;
    const e = packed[(k << 8) | s]!;
    x = (Math.imul(e >>> 16, x >>> tableLog) + (x & mask) - (e & 0xffff)) | 0;
    if (x >>> 16 === 0) x = (x << 16) | words[at++]!;
    states[lane] = x;
  }
  return at;
}
