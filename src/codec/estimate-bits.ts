const tabulated = 4096;
const countLogs = Float64Array.from({ length: tabulated }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)));

/** Order-0 cost of coding symbols with these counts, in bits: sum of count * log2(total / count). */
export function entropyBits(counts: Uint32Array, from = 0, to: number = counts.length): number {
  let total = 0;
  let sum = 0;
  for (let s = from; s < to; s++) {
    const count = counts[s]!;
    if (count === 0) continue;
    total += count;
    sum += count < tabulated ? countLogs[count]! : count * Math.log2(count);
  }
  return total === 0 ? 0 : total * Math.log2(total) - sum;
}

/** About what a frequency table with these counts costs, in bits. */
export function tableBits(counts: Uint32Array, from = 0, to: number = counts.length): number {
  let total = 0;
  let symbols = 0;
  for (let s = from; s < to; s++) {
    total += counts[s]!;
    if (counts[s]! > 0) symbols++;
  }
  const precision = symbols === 0 ? 0 : Math.max(0, Math.min(7, Math.ceil(Math.log2((total * 0.0217) / symbols) / 2)));
  return 24 + symbols * (2 + precision);
}
