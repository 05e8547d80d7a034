/**
 * Logistic arithmetic for mixing probabilities. Encoder and decoder must agree to the last bit on any machine, and Math.exp and Math.log
 * may differ between engines: these tables come from the four basic operations, which IEEE 754 fixes exactly.
 */

/** e^x for |x| <= 700 or so, by its series on a small argument and repeated squaring. */
export function exactExp(x: number): number {
  const y = x / 1024;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 20; k++) {
    term = (term * y) / k;
    sum += term;
  }
  for (let k = 0; k < 10; k++) sum *= sum;
  return sum;
}

const squashRange = 12;
const squashSteps = 256;
const squashTable = Float64Array.from(
  { length: 2 * squashRange * squashSteps + 2 },
  (_, i) => 1 / (1 + exactExp(squashRange - i / squashSteps)),
);

/** 1 / (1 + e^-x), by linear interpolation, |x| limited to 12. */
export function squash(x: number): number {
  const limited = x > squashRange ? squashRange : x < -squashRange ? -squashRange : x;
  const scaled = (limited + squashRange) * squashSteps;
  const index = scaled | 0;
  const low = squashTable[index]!;
  return low + (squashTable[index + 1]! - low) * (scaled - index);
}

/** ln(p / (1 - p)) at p = (i + 0.5) / 4096, by bisection on its inverse. */
export const stretchTable = Float64Array.from({ length: 4096 }, (_, i) => {
  const p = (i + 0.5) / 4096;
  let low = -12;
  let high = 12;
  for (let k = 0; k < 50; k++) {
    const middle = (low + high) / 2;
    if (1 / (1 + exactExp(-middle)) < p) low = middle;
    else high = middle;
  }
  return low;
});

const log2Table = ((): Float64Array => {
  // log2(1 + i/1024) by squaring: each squaring yields one binary digit.
  return Float64Array.from({ length: 1025 }, (_, i) => {
    let x = 1 + i / 1024;
    let result = 0;
    for (let digit = 0.5; digit > 1e-15; digit /= 2) {
      x *= x;
      if (x >= 2) {
        x /= 2;
        result += digit;
      }
    }
    return i === 1024 ? 1 : result;
  });
})();
const double = new DataView(new ArrayBuffer(8));

/** The logarithm to base 2 of a positive normal number, by linear interpolation. */
export function log2(x: number): number {
  double.setFloat64(0, x);
  const high = double.getUint32(0);
  const index = (high >>> 10) & 1023;
  const fraction = ((high & 1023) * 4194304 + (double.getUint32(4) >>> 10)) / 4294967296;
  return (high >>> 20) - 1023 + log2Table[index]! + (log2Table[index + 1]! - log2Table[index]!) * fraction;
}

const exp2Table = Float64Array.from({ length: 1025 }, (_, i) => exactExp((i / 1024) * Math.LN2));

const powersOfTwo = ((): Float64Array => {
  const powers = new Float64Array(129).fill(1);
  for (let k = 1; k <= 64; k++) {
    powers[64 + k] = powers[63 + k]! * 2;
    powers[64 - k] = powers[65 - k]! / 2;
  }
  return powers;
})();

/** 2^x for x in [-64, 64], by linear interpolation. */
export function exp2(x: number): number {
  const whole = Math.floor(x);
  const scaled = (x - whole) * 1024;
  const index = scaled | 0;
  const low = exp2Table[index]!;
  return (low + (exp2Table[index + 1]! - low) * (scaled - index)) * powersOfTwo[whole + 64]!;
}

const cdfRange = 10;
const cdfSteps = 128;

function cumulative(density: (x: number) => number): Float64Array {
  const parts = 2 * cdfRange * cdfSteps;
  const table = new Float64Array(parts + 2);
  const sub = 4;
  for (let i = 0; i < parts; i++) {
    let area = 0;
    for (let k = 0; k < sub; k++) area += density(-cdfRange + (i + (k + 0.5) / sub) / cdfSteps) / (sub * cdfSteps);
    table[i + 1] = table[i]! + area;
  }
  const total = table[parts]!;
  for (let i = 0; i < table.length; i++) table[i] = Math.min(1, table[i]! / total);
  table[parts + 1] = 1;
  return table;
}

/** Distribution functions of mean absolute deviation 1, for `distribution`. */
export const gaussian = cumulative((x) => exactExp((-x * x) / Math.PI));
export const laplacian = cumulative((x) => exactExp(-Math.abs(x)));

/** The distribution function tabulated in `table`, at x (limited to ±10 mean absolute deviations). */
export function distribution(table: Float64Array, x: number): number {
  const limited = x > cdfRange ? cdfRange : x < -cdfRange ? -cdfRange : x;
  const scaled = (limited + cdfRange) * cdfSteps;
  const index = scaled | 0;
  const low = table[index]!;
  return low + (table[index + 1]! - low) * (scaled - index);
}
