import type { BinaryCoder } from './binary-coder.ts';
import { CorruptStreamError } from './corrupt-stream-error.ts';
import { FrequencyTableCoder, normalizeFrequencies } from './frequency-table.ts';
import { NumberModel } from './number-model.ts';
import { levelCount, type SymbolClasses } from './symbol-classes.ts';
import { TreeModel } from './tree-model.ts';

/** What a decoder must know before the symbols: classes, and the normalized frequencies of each (256 per class, sum 2^tableLog). */
export interface ClassTables {
  readonly classes: SymbolClasses;
  readonly tableLog: number;
  readonly frequencies: readonly Uint16Array[];
}

export const minTableLog = 8;
export const maxTableLog = 14;

function codeRaw(coder: BinaryCoder, value: number, bits: number): number {
  let result = 0;
  for (let shift = bits - 1; shift >= 0; shift--) result = (result << 1) | coder.code((value >>> shift) & 1, 32768);
  return result;
}

function codeCount(coder: BinaryCoder, value: number, limit: number): number {
  const count = new NumberModel(1).code(coder, value, 0, 31);
  if (count > limit) throw new CorruptStreamError(`a stream speaks of ${count} columns where there are ${limit}`);
  return count;
}

function codeLevels(coder: BinaryCoder, levels: Uint8Array): Uint8Array {
  const model = new TreeModel(6);
  const coded = new Uint8Array(levels.length);
  for (let i = 0; i < levels.length; i++) coded[i] = model.code(coder, levels[i]!);
  return coded;
}

/**
 * Codes the side information of a stream of `rows` x `columns` bytes: `classes` and `counts` are given by an encoder and ignored by a
 * decoder, which passes levels of the right length.
 */
export function codeClassTables(
  coder: BinaryCoder,
  wanted: { classes: SymbolClasses; tableLog: number; counts: readonly Uint32Array[] },
): ClassTables {
  const { rows, columns } = wanted.classes;
  const tableLog = minTableLog + codeRaw(coder, wanted.tableLog - minTableLog, 3);
  if (tableLog > maxTableLog) throw new CorruptStreamError('a frequency table is larger than this version allows');
  const classCount = 1 + codeRaw(coder, wanted.classes.classCount - 1, 5);
  let rowLevel: Uint8Array = new Uint8Array(rows);
  let columnLevel: Uint8Array = new Uint8Array(0);
  let columnRepeat = 1;
  const classOf = new Uint8Array(levelCount);
  if (classCount > 1) {
    if (codeRaw(coder, wanted.classes.rowLevel.some((level) => level > 0) ? 1 : 0, 1)) {
      rowLevel = codeLevels(coder, wanted.classes.rowLevel);
    }
    const groups = codeCount(coder, wanted.classes.columnLevel.length, columns);
    if (groups > 0) {
      columnRepeat = codeCount(coder, wanted.classes.columnRepeat, columns);
      if (columnRepeat === 0) throw new CorruptStreamError('a stream repeats its columns zero times');
      const given = wanted.classes.columnLevel;
      columnLevel = codeLevels(coder, given.length === groups ? given : new Uint8Array(groups));
    }
    // Classes are runs of levels: one bit per level says whether a new class begins.
    for (let level = 1, current = 0; level < levelCount; level++) {
      const step = wanted.classes.classOf[level]! > wanted.classes.classOf[level - 1]! ? 1 : 0;
      current += coder.code(step, 8192);
      if (current >= classCount) throw new CorruptStreamError('a stream names more classes than it has');
      classOf[level] = current;
    }
  }
  const tables = new FrequencyTableCoder();
  const frequencies: Uint16Array[] = [];
  for (let k = 0; k < classCount; k++) {
    frequencies.push(normalizeFrequencies(tables.code(coder, wanted.counts[k] ?? new Uint32Array(256)), tableLog));
  }
  return {
    classes: { rows, columns, rowLevel, columnLevel, columnRepeat, classOf, classCount },
    tableLog,
    frequencies,
  };
}
