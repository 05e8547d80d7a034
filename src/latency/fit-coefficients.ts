export interface FitSettings {
  /** Natural logarithm of each coefficient before anything was measured, up to a common factor. */
  readonly logPrior: readonly number[];
  /** Weight of the prior of each coefficient, in units of one measured row. */
  readonly priorWeight: number;
  /** Weight of a common factor of 1; nearly 0 leaves the speed of the device free. */
  readonly scaleWeight?: number;
  /** Log residuals beyond this count linearly instead of quadratically (Huber, 1964). */
  readonly huber?: number;
  /** Start of the search, the prior by default. */
  readonly start?: readonly number[];
}

export interface Fit {
  /** Natural logarithms of the coefficients: they are positive by construction. */
  readonly logCoefficients: readonly number[];
  /** Natural logarithm of the common factor over the prior. */
  readonly logScale: number;
}

const MAX_STEPS = 40;

/**
 * Coefficients c of `latency = Σ c·x` from measured rows, by Levenberg-Marquardt on logarithms: the loss is of log residuals
 * (a relative error), each log c is drawn to its prior plus a common shift, and the shift is found as well.
 * @param rows features of each measured network
 * @param logLatency natural logarithms of the measured latencies
 */
export function fitCoefficients(
  rows: readonly (readonly number[])[],
  logLatency: readonly number[],
  { logPrior, priorWeight, scaleWeight = 1e-4, huber = 0.3, start }: FitSettings,
): Fit {
  const count = logPrior.length;
  let scale = 0;
  let theta = start === undefined ? [...logPrior] : [...start];
  if (start === undefined && rows.length > 0) {
    scale = median(rows.map((row, i) => logLatency[i]! - logPredict(row, theta)));
    theta = theta.map((value) => value + scale);
  }
  const loss = (at: readonly number[], shift: number): number => {
    let sum = (scaleWeight * shift * shift) / 2;
    rows.forEach((row, i) => {
      const error = Math.abs(logPredict(row, at) - logLatency[i]!);
      sum += error < huber ? (error * error) / 2 : huber * (error - huber / 2);
    });
    at.forEach((value, f) => {
      sum += (priorWeight * (value - logPrior[f]! - shift) ** 2) / 2;
    });
    return sum;
  };
  let best = loss(theta, scale);
  let damping = 1e-2;
  for (let step = 0; step < MAX_STEPS; step++) {
    const { hessian, gradient } = quadratic(rows, logLatency, theta, scale, logPrior, priorWeight, scaleWeight, huber);
    let gain = 0;
    for (let attempt = 0; attempt < 8 && gain === 0; attempt++, damping *= 5) {
      const damped = hessian.map((row, i) => row.map((v, j) => (i === j ? v + damping * (v + 1e-6) : v)));
      const move = solve(
        damped,
        gradient.map((v) => -v),
      );
      const shorten = Math.min(1, 2 / Math.max(...move.map(Math.abs), 1e-12));
      const next = theta.map((value, f) => value + shorten * move[f]!);
      const nextScale = scale + shorten * move[count]!;
      const nextLoss = loss(next, nextScale);
      if (nextLoss < best) {
        gain = best - nextLoss;
        [theta, scale, best] = [next, nextScale, nextLoss];
        damping /= 25;
      }
    }
    if (gain < 1e-9) break;
  }
  return { logCoefficients: theta, logScale: scale };
}

/** Natural logarithm of the latency of one row. */
export function logPredict(row: readonly number[], logCoefficients: readonly number[]): number {
  let sum = 0;
  for (let f = 0; f < row.length; f++) sum += row[f]! * Math.exp(logCoefficients[f]!);
  return Math.log(sum);
}

/** Gauss-Newton approximation at a point; the common factor is the last unknown. */
function quadratic(
  rows: readonly (readonly number[])[],
  logLatency: readonly number[],
  theta: readonly number[],
  scale: number,
  logPrior: readonly number[],
  priorWeight: number,
  scaleWeight: number,
  huber: number,
): { hessian: number[][]; gradient: number[] } {
  const count = theta.length;
  const hessian = Array.from({ length: count + 1 }, () => new Array<number>(count + 1).fill(0));
  const gradient = new Array<number>(count + 1).fill(0);
  rows.forEach((row, i) => {
    const parts = row.map((value, f) => value * Math.exp(theta[f]!));
    const total = parts.reduce((sum, part) => sum + part, 0);
    const error = Math.log(total) - logLatency[i]!;
    const weight = Math.abs(error) < huber ? 1 : huber / Math.abs(error);
    for (let a = 0; a < count; a++) {
      const shareA = parts[a]! / total;
      gradient[a]! += weight * error * shareA;
      for (let b = 0; b < count; b++) hessian[a]![b]! += (weight * shareA * parts[b]!) / total;
    }
  });
  for (let f = 0; f < count; f++) {
    const distance = theta[f]! - logPrior[f]! - scale;
    gradient[f]! += priorWeight * distance;
    gradient[count]! -= priorWeight * distance;
    hessian[f]![f]! += priorWeight;
    hessian[count]![count]! += priorWeight;
    hessian[f]![count]! -= priorWeight;
    hessian[count]![f]! -= priorWeight;
  }
  gradient[count]! += scaleWeight * scale;
  hessian[count]![count]! += scaleWeight;
  return { hessian, gradient };
}

/** Gaussian elimination with row pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let j = i + 1; j < size; j++) if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let j = i + 1; j < size; j++) {
      const factor = rows[j]![i]! / rows[i]![i]!;
      for (let k = i; k <= size; k++) rows[j]![k]! -= factor * rows[i]![k]!;
    }
  }
  const result = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let sum = rows[i]![size]!;
    for (let k = i + 1; k < size; k++) sum -= rows[i]![k]! * result[k]!;
    result[i] = sum / rows[i]![i]!;
  }
  return result;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
