/** 1234567 as "1.23 MB": three digits, decimal prefixes, as file managers and data sheets count. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = sizeBytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${threeDigits(value)} ${units[unit]}`;
}

/** A large count as "78.7 k" or "1.25 G". */
export function formatCount(value: number): string {
  if (value < 1000) return String(value);
  const units = ['k', 'M', 'G', 'T'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${threeDigits(scaled)} ${units[unit]}`;
}

/** 0.8725 as "87.3 %". */
export function formatPercent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A share difference as "+0.3 points" or "−1.2 points": after minus before, so that a loss is negative. */
export function formatPoints(difference: number): string {
  const points = difference * 100;
  const digits = points !== 0 && Math.abs(points) < 0.095 ? 2 : 1;
  const text = Math.abs(points).toFixed(digits);
  if (Number(text) === 0) return '±0.0 points';
  return `${points < 0 ? '−' : '+'}${text} points`;
}

/** Milliseconds as "1.92 ms", "310 µs" or "2.40 s". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds >= 60_000) {
    const seconds = Math.round(milliseconds / 1000);
    return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  }
  if (milliseconds >= 1000) return `${threeDigits(milliseconds / 1000)} s`;
  if (milliseconds >= 1) return `${threeDigits(milliseconds)} ms`;
  return `${threeDigits(milliseconds * 1000)} µs`;
}

/** A factor as "3.56 ×". */
export function formatFactor(factor: number): string {
  return `${threeDigits(factor)} ×`;
}

/** A factor between two sizes in words: "3.56 × smaller", "1.02 × larger", "the same size". */
export function formatSizeChange(before: number, after: number): string {
  if (before === after || before === 0 || after === 0) return before === after ? 'the same size' : '';
  return before > after ? `${formatFactor(before / after)} smaller` : `${formatFactor(after / before)} larger`;
}

/** "38.2 dB", "−1.3 dB". */
export function formatDecibels(value: number): string {
  return `${value.toFixed(1).replace('-', '−')} dB`;
}

/** Three significant digits without an exponent; whole numbers from 100 on. */
function threeDigits(value: number): string {
  if (value === 0) return '0';
  const whole = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3))))) + 1;
  return value.toFixed(Math.max(0, 3 - Math.max(1, whole)));
}
