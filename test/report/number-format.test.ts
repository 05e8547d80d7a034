import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFactor,
  formatPercent,
  formatPoints,
  formatSizeChange,
} from '../../src/report/number-format.ts';

describe('numbers for people', () => {
  it('bytes have three digits and decimal prefixes', () => {
    const cases: [number, string][] = [
      [0, '0 bytes'],
      [999, '999 bytes'],
      [1000, '1.00 kB'],
      [91_980, '92.0 kB'],
      [999_499, '999 kB'],
      [999_600, '1.00 MB'],
      [5_000_000_000, '5.00 GB'],
    ];
    for (const [value, text] of cases) expect(formatBytes(value)).toBe(text);
  });

  it('counts, durations and factors', () => {
    expect([formatCount(10), formatCount(78_666), formatCount(1.25e9)]).toEqual(['10', '78.7 k', '1.25 G']);
    expect([formatDuration(0.31), formatDuration(1.923), formatDuration(2400), formatDuration(61_200)]).toEqual([
      '310 µs',
      '1.92 ms',
      '2.40 s',
      '1 min 01 s',
    ]);
    expect([formatFactor(3.557), formatFactor(12.34), formatFactor(123.4), formatFactor(0.954)]).toEqual([
      '3.56 ×',
      '12.3 ×',
      '123 ×',
      '0.95 ×',
    ]);
  });

  it('points say which way, and small ones are not rounded to nothing', () => {
    expect([formatPoints(-0.012), formatPoints(0.003), formatPoints(0), formatPoints(-0.0004)]).toEqual([
      '−1.2 points',
      '+0.3 points',
      '±0.0 points',
      '−0.04 points',
    ]);
    expect(formatPercent(0.8725)).toBe('87.3 %');
  });

  it('a larger file is not called smaller', () => {
    expect(formatSizeChange(400, 100)).toBe('4.00 × smaller');
    expect(formatSizeChange(100, 150)).toBe('1.50 × larger');
    expect(formatSizeChange(100, 100)).toBe('the same size');
  });
});
