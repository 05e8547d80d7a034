import { entropyBits, tableBits } from './estimate-bits.ts';
import { type MergedLevels, mergeLevels } from './merge-levels.ts';
import { columnLines, levelCount, type SymbolClasses, singleClass } from './symbol-classes.ts';

/** How the bytes of a stream are laid out and read. */
export interface SymbolLayout {
  readonly rows: number;
  readonly columns: number;
  /** Columns that belong together (the spatial size of a convolution kernel); 1 where there is no such thing. */
  readonly kernelSize: number;
  /** `signed`, `unsigned`: the spread of values differs by row and column; `level`: their mean does (exponents). */
  readonly kind: 'signed' | 'unsigned' | 'level';
}

export interface FoundClasses {
  readonly classes: SymbolClasses;
  readonly counts: readonly Uint32Array[];
  /** Estimated cost in bits of symbols, tables and levels. */
  readonly bits: number;
}

type Levels = Pick<SymbolClasses, 'rows' | 'columns' | 'rowLevel' | 'columnLevel' | 'columnRepeat'>;

const sampleSize = 1 << 16;
const levelsPerOctave = 4;
const identity = Uint8Array.from({ length: levelCount }, (_, level) => level);

/** What is averaged per row and column: for each byte value its distance from the centre, or itself. */
function featureTable(bytes: Uint8Array, kind: SymbolLayout['kind']): Float64Array {
  if (kind === 'signed') return Float64Array.from({ length: 256 }, (_, s) => Math.abs((s << 24) >> 24));
  if (kind === 'level') return Float64Array.from({ length: 256 }, (_, s) => s);
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]!;
  const centre = Math.round(sum / Math.max(1, bytes.length));
  return Float64Array.from({ length: 256 }, (_, s) => Math.abs(s - centre));
}

/** Turns mean features into levels from 0 upwards, in steps the number of samples behind each mean can carry. */
function toLevels(means: Float64Array, samples: number, kind: SymbolLayout['kind'], room: number): Uint8Array {
  const step = samples >= 128 ? 1 : samples >= 32 ? 2 : 4;
  const rounded = Float64Array.from(means, (mean) => {
    const octaves = kind === 'level' ? mean : Math.log2(Math.max(mean, 0.125));
    return Math.round((octaves * levelsPerOctave) / step) * step;
  });
  // Where the range exceeds the room, the bottom of it (rows of almost nothing) is cut off.
  let top = Number.NEGATIVE_INFINITY;
  let bottom = Number.POSITIVE_INFINITY;
  for (const level of rounded) {
    top = Math.max(top, level);
    bottom = Math.min(bottom, level);
  }
  bottom = Math.max(bottom, top - room);
  return Uint8Array.from(rounded, (level) => Math.max(0, level - bottom));
}

function rowLevels(bytes: Uint8Array, layout: SymbolLayout, feature: Float64Array): Uint8Array {
  const { rows, columns, kind } = layout;
  const means = new Float64Array(rows);
  for (let r = 0, i = 0; r < rows; r++) {
    let sum = 0;
    for (const end = i + columns; i < end; i++) sum += feature[bytes[i]!]!;
    means[r] = sum / columns;
  }
  return toLevels(means, columns, kind, 40);
}

/** Mean feature per column over the sampled rows, each row scaled by (or shifted by) what its own level already says. */
function columnMeans(
  bytes: Uint8Array,
  layout: SymbolLayout,
  feature: Float64Array,
  rowLevel: Uint8Array,
): Float64Array {
  const { rows, columns, kind } = layout;
  const sums = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    const octaves = rowLevel[r]! / levelsPerOctave;
    const factor = kind === 'level' ? 1 : 8 * 2 ** -octaves;
    const shift = kind === 'level' ? octaves : 0;
    for (let c = 0, i = r * columns; c < columns; c++) sums[c] = sums[c]! + feature[bytes[i + c]!]! * factor - shift;
  }
  for (let c = 0; c < columns; c++) sums[c] = sums[c]! / rows;
  return sums;
}

/** Averages over groups of columns: group = floor(column / repeat) mod groups. */
function grouped(means: Float64Array, groups: number, repeat: number): Float64Array {
  const sums = new Float64Array(groups);
  for (let c = 0; c < means.length; c++) {
    const g = Math.floor(c / repeat) % groups;
    sums[g] = sums[g]! + means[c]!;
  }
  return sums.map((sum) => (sum * groups) / means.length);
}

/** Used again for every candidate: what is kept of it are copies. */
const scratch = new Uint32Array(levelCount * 256);

/** Valid until the next call. */
function histogramOf(bytes: Uint8Array, levels: Levels): Uint32Array {
  const histogram = scratch.fill(0);
  const lines = columnLines(levels, identity);
  for (let r = 0; r < levels.rows; r++) {
    const begin = r * levels.columns;
    const level = levels.rowLevel[r]!;
    const line = lines[level];
    if (line === undefined) {
      for (let i = begin, base = level << 8; i < begin + levels.columns; i++) {
        const slot = base | bytes[i]!;
        histogram[slot] = histogram[slot]! + 1;
      }
    } else {
      for (let c = 0; c < levels.columns; c++) {
        const slot = (line[c]! << 8) | bytes[begin + c]!;
        histogram[slot] = histogram[slot]! + 1;
      }
    }
  }
  return histogram;
}

/** What sending levels costs: their order-0 entropy and learning it. */
function levelBits(levels: Uint8Array): number {
  const counts = new Uint32Array(levelCount);
  for (const level of levels) counts[level] = counts[level]! + 1;
  const used = counts.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
  return used < 2 ? 0 : entropyBits(counts) + used * 8;
}

/** The bits of a candidate, over the whole stream when `scale` says how much larger it is than the sample. */
function cost(levels: Levels, merged: MergedLevels, scale: number): number {
  if (merged.counts.length === 1) return merged.bits * scale;
  return merged.bits * scale + levelBits(levels.rowLevel) * scale + levelBits(levels.columnLevel);
}

/** Shorter blocks have no use for a second table. */
const minClassedBytes = 1024;

function oneClass(bytes: Uint8Array, rows: number, columns: number): FoundClasses {
  const counts = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]!] = counts[bytes[i]!]! + 1;
  return { classes: singleClass(rows, columns), counts: [counts], bits: entropyBits(counts) + tableBits(counts) };
}

/**
 * Splits the bytes of a matrix into classes of like statistics by row and column. Candidates (rows alone, with columns, with groups of
 * columns) are compared by estimated cost, on a sample of the rows where the matrix is large.
 */
export function findSymbolClasses(bytes: Uint8Array, layout: SymbolLayout): FoundClasses {
  const { rows, columns, kernelSize, kind } = layout;
  if (bytes.length < minClassedBytes || rows < 2) return oneClass(bytes, rows, columns);
  const feature = featureTable(bytes, kind);
  const rowLevel = rowLevels(bytes, layout, feature);
  const stride = Math.max(1, Math.min(rows, Math.floor((rows * columns) / sampleSize)));
  const sample = stride === 1 ? bytes : sampleRows(bytes, rows, columns, stride);
  const sampleCount = sample.length / Math.max(1, columns);
  const sampleLevels = rowLevel.filter((_, r) => r % stride === 0);
  const flat = new Uint8Array(sampleCount);
  const none = new Uint8Array(0);
  const scale = rows / Math.max(1, sampleCount);

  const shape = { rows: sampleCount, columns };
  const candidates: Levels[] = [
    { ...shape, rowLevel: flat, columnLevel: none, columnRepeat: 1 },
    { ...shape, rowLevel: sampleLevels, columnLevel: none, columnRepeat: 1 },
  ];
  if (columns > 1 && sampleCount > 1) {
    const means = columnMeans(sample, { ...layout, rows: sampleCount }, feature, sampleLevels);
    const top = rowLevel.reduce((most, level) => Math.max(most, level), 0);
    const groupings = [[columns, 1]];
    if (kernelSize > 1 && kernelSize < columns) groupings.push([columns / kernelSize, kernelSize], [kernelSize, 1]);
    for (const [groups, repeat] of groupings as [number, number][]) {
      const samples = (sampleCount * columns) / groups;
      const columnLevel = toLevels(grouped(means, groups, repeat), samples, kind, levelCount - 1 - top);
      candidates.push({ ...shape, rowLevel: sampleLevels, columnLevel, columnRepeat: repeat });
      if (rows <= 4) candidates.push({ ...shape, rowLevel: flat, columnLevel, columnRepeat: repeat });
    }
  }
  let best: { levels: Levels; merged: MergedLevels; bits: number } | undefined;
  for (const levels of candidates) {
    const merged = mergeLevels(histogramOf(sample, levels));
    const bits = cost(levels, merged, scale);
    if (best === undefined || bits < best.bits) best = { levels, merged, bits };
  }
  const { levels, merged } = best!;
  if (merged.counts.length <= 1 && stride === 1) {
    return { classes: singleClass(rows, columns), counts: merged.counts, bits: merged.bits };
  }
  const whole = { ...levels, rows, rowLevel: levels.rowLevel === flat ? new Uint8Array(rows) : rowLevel };
  const final = stride === 1 ? merged : mergeLevels(histogramOf(bytes, whole));
  const classes = { ...whole, classOf: final.classOf, classCount: final.counts.length };
  return { classes, counts: final.counts, bits: cost(whole, final, 1) };
}

function sampleRows(bytes: Uint8Array, rows: number, columns: number, stride: number): Uint8Array {
  const sampled = new Uint8Array(Math.ceil(rows / stride) * columns);
  for (let r = 0, at = 0; r < rows; r += stride, at += columns) {
    sampled.set(bytes.subarray(r * columns, (r + 1) * columns), at);
  }
  return sampled;
}
