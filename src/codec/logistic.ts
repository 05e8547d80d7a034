/**
 * Logistic arithmetic for mixing probabilities. Encoder and decoder must agree to the last bit on any machine, and Math.exp and Math.log
 * may differ between engines: these tables come from the four basic operations, which IEEE 754 fixes exactly.
 * They are empty until `prepareLogistic` is called.
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
const squashTable = new Float64Array(2 * squashRange * squashSteps + 2);

/** 1 / (1 + e^-x), by linear interpolation, |x| limited to 12. */
export function squash(x: number): number {
  const limited = x > squashRange ? squashRange : x < -squashRange ? -squashRange : x;
  const scaled = (limited + squashRange) * squashSteps;
  const index = scaled | 0;
  const low = squashTable[index]!;
  return low + (squashTable[index + 1]! - low) * (scaled - index);
}

/** ln(p / (1 - p)) at p = (i + 0.5) / 4096, by bisection on its inverse. */
export const stretchTable = new Float64Array(4096);

function stretch(p: number): number {
  let low = -12;
  let high = 12;
  for (let k = 0; k < 50; k++) {
    const middle = (low + high) / 2;
    if (1 / (1 + exactExp(-middle)) < p) low = middle;
    else high = middle;
  }
  return low;
}

const log2Table = new Float64Array(1025);

/** log2(x) for x in [1, 2) by squaring: each squaring yields one binary digit. */
function log2Digits(x: number): number {
  let result = 0;
  for (let digit = 0.5; digit > 1e-15; digit /= 2) {
    x *= x;
    if (x >= 2) {
      x /= 2;
      result += digit;
    }
  }
  return result;
}

const double = new DataView(new ArrayBuffer(8));

/** The logarithm to base 2 of a positive normal number, by linear interpolation. */
export function log2(x: number): number {
  double.setFloat64(0, x);
  const high = double.getUint32(0);
  const index = (high >>> 10) & 1023;
  const fraction = ((high & 1023) * 4194304 + (double.getUint32(4) >>> 10)) / 4294967296;
  return (high >>> 20) - 1023 + log2Table[index]! + (log2Table[index + 1]! - log2Table[index]!) * fraction;
}

const exp2Table = new Float64Array(1025);

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

const cdfParts = 2 * cdfRange * cdfSteps;

function fillCumulative(table: Float64Array, density: (x: number) => number): void {
  const sub = 4;
  for (let i = 0; i < cdfParts; i++) {
    let area = 0;
    for (let k = 0; k < sub; k++) area += density(-cdfRange + (i + (k + 0.5) / sub) / cdfSteps) / (sub * cdfSteps);
    table[i + 1] = table[i]! + area;
  }
  const total = table[cdfParts]!;
  for (let i = 0; i < table.length; i++) table[i] = Math.min(1, table[i]! / total);
  table[cdfParts + 1] = 1;
}

/** Distribution functions of mean absolute deviation 1, for `distribution`. */
export const gaussian = new Float64Array(cdfParts + 2);
export const laplacian = new Float64Array(cdfParts + 2);

/** The distribution function tabulated in `table`, at x (limited to ±10 mean absolute deviations). */
export function distribution(table: Float64Array, x: number): number {
  const limited = x > cdfRange ? cdfRange : x < -cdfRange ? -cdfRange : x;
  const scaled = (limited + cdfRange) * cdfSteps;
  const index = scaled | 0;
  const low = table[index]!;
  return low + (table[index + 1]! - low) * (scaled - index);
}

let isReady = false;

/** Fills the tables. Models do so when they are made: a program that codes nothing starts without them. */
export function prepareLogistic(): void {
  if (isReady) return;
  isReady = true;
  for (let i = 0; i < squashTable.length; i++) squashTable[i] = 1 / (1 + exactExp(squashRange - i / squashSteps));
  for (let i = 0; i < stretchTable.length; i++) stretchTable[i] = stretch((i + 0.5) / 4096);
  for (let i = 0; i < 1024; i++) log2Table[i] = log2Digits(1 + i / 1024);
  log2Table[1024] = 1;
  for (let i = 0; i < exp2Table.length; i++) exp2Table[i] = exactExp((i / 1024) * Math.LN2);
  fillCumulative(gaussian, (x) => exactExp((-x * x) / Math.PI));
  fillCumulative(laplacian, (x) => exactExp(-Math.abs(x)));
}
