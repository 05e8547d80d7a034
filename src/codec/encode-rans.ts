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
  const limitShift = 16 - tableLog;
  const lines = columnLines(classes, classOf);
  const flat = new Uint8Array(0);
  // Written backwards from the end: the decoder reads forwards. A symbol never takes more than one word.
  const out = new Uint16Array(bytes.length);
  let at = out.length;
  const states = new Int32Array(4).fill(65536);
  for (let r = rows - 1; r >= 0; r--) {
    const level = rowLevel[r]!;
    const line = lines[level] ?? flat;
    const rowBase = classOf[level]! << 8;
    const begin = r * columns;
    for (let c = columns - 1; c >= 0; c--) {
      const base = line.length > 0 ? line[c]! << 8 : rowBase;
      const entry = packed[base | bytes[begin + c]!]!;
      const frequency = entry >>> 16;
      let x = states[c & 3]!;
      if (x >>> 16 >= frequency << limitShift) {
        out[--at] = x;
        x = x >>> 16;
      }
      const quotient = ((x >>> 0) / frequency) | 0;
      states[c & 3] = (quotient << tableLog) + ((x >>> 0) - quotient * frequency) + (entry & 0xffff);
    }
  }
  return { words: new Uint8Array(out.buffer, at * 2, (out.length - at) * 2), states };
}
