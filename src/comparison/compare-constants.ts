import { type ConstantSource, realNumbers } from './constant-source.ts';

/** How far the numbers of one constant are from those of another. */
export interface ConstantDistance {
  /** Largest difference of two elements. */
  readonly maxAbsoluteError: number;
  /** 10·log₁₀(Σ a² / Σ (a − b)²); null where they are equal or a is all zeros. */
  readonly sqnrDb: number | null;
  /** Elements that differ, as a share. */
  readonly changedRatio: number;
  /** Elements that are zero, as a share. */
  readonly sparsityA: number;
  readonly sparsityB: number;
  /** True where b holds the matrix a the other way round. */
  readonly isTransposed: boolean;
}

/** A BatchNormalization that one of the models has folded into the constant: factors along one axis for the other's numbers. */
export interface ChannelFolding {
  readonly side: 'a' | 'b';
  readonly axis: number;
  readonly factors: Float64Array;
}

/** Compares constants as the layers get them, number by number; undefined where shapes or types do not allow it. */
export function compareConstants(
  a: ConstantSource,
  b: ConstantSource,
  folding?: ChannelFolding,
): ConstantDistance | undefined {
  const [first, second] = [a.tensor.dims, b.tensor.dims];
  const isTransposed = `${first}` !== `${second}` && first.length === 2 && `${[...first].reverse()}` === `${second}`;
  const isComparable = `${first.filter((dim) => dim !== 1)}` === `${second.filter((dim) => dim !== 1)}` || isTransposed;
  if (!isComparable) return undefined;
  const [numbersA, numbersB] = [realNumbers(a), realNumbers(b)];
  if (numbersA === undefined || numbersB === undefined || numbersA.length !== numbersB.length) return undefined;
  if (folding !== undefined) {
    const [numbers, dims] = folding.side === 'a' ? [numbersA, first] : [numbersB, second];
    if (isTransposed || dims[folding.axis] !== folding.factors.length) return undefined;
    const inner = dims.slice(folding.axis + 1).reduce((x, y) => x * y, 1);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = numbers[i]! * folding.factors[Math.floor(i / inner) % folding.factors.length]!;
    }
  }
  const [rows, columns] = [first[0] ?? 1, first[1] ?? 1];
  let changed = 0;
  let zerosA = 0;
  let zerosB = 0;
  let power = 0;
  let noise = 0;
  let maxAbsoluteError = 0;
  for (let i = 0; i < numbersA.length; i++) {
    const x = numbersA[i]!;
    const y = numbersB[isTransposed ? (i % columns) * rows + Math.floor(i / columns) : i]!;
    if (x === 0) zerosA++;
    if (y === 0) zerosB++;
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) {
      if (Number.isFinite(x)) power += x * x;
      continue;
    }
    changed++;
    const error = Math.abs(x - y);
    if (!Number.isFinite(error)) {
      maxAbsoluteError = Number.POSITIVE_INFINITY;
      continue;
    }
    power += x * x;
    noise += error * error;
    if (error > maxAbsoluteError) maxAbsoluteError = error;
  }
  const share = (count: number) => (numbersA.length === 0 ? 0 : count / numbersA.length);
  const sqnrDb = 10 * Math.log10(power / noise);
  return {
    maxAbsoluteError,
    sqnrDb: Number.isFinite(sqnrDb) ? sqnrDb : null,
    changedRatio: share(changed),
    sparsityA: share(zerosA),
    sparsityB: share(zerosB),
    isTransposed,
  };
}
