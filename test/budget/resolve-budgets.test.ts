import { describe, expect, it } from 'vitest';
import { budgetsSchema } from '../../src/budget/budget-schema.ts';
import { lineOfKey } from '../../src/budget/locate-key.ts';
import { millisecondsOf, shareOfPercent, sizeBytesOf } from '../../src/budget/quantities.ts';
import { resolveBudgets } from '../../src/budget/resolve-budgets.ts';

const resolve = (budgets: object, model = 'digits', target = 'rpi4') =>
  resolveBudgets(budgetsSchema.parse(budgets), model, target).map(({ metric, kind, value, level, path }) => [
    `${metric} ${kind} ${value} ${level}`,
    path.join('.'),
  ]);

describe('resolveBudgets', () => {
  it('takes a bare value for the usual limit', () => {
    const budgets = { size: { file: '1 MB', parameters: 5 }, accuracy: { top1: 0.9, drop: 1 }, latency: { host: 5 } };
    expect(resolve(budgets)).toEqual([
      ['size.file max 1 MB error', 'size.file'],
      ['size.parameters max 5 error', 'size.parameters'],
      ['accuracy.top1 min 0.9 error', 'accuracy.top1'],
      ['accuracy.drop max 1 error', 'accuracy.drop'],
      ['latency.host max 5 error', 'latency.host'],
    ]);
  });

  it('gives every limit of an object its own line, with its level; off leaves all out', () => {
    expect(resolve({ size: { epk: { max: 9, maxIncrease: '1%', level: 'warn' } } })).toEqual([
      ['size.epk max 9 warn', 'size.epk.max'],
      ['size.epk maxIncrease 1% warn', 'size.epk.maxIncrease'],
    ]);
    expect(resolve({ size: { epk: { max: 9, level: 'off' } } })).toEqual([]);
  });

  it('lets later overrides that match replace a metric, and no other', () => {
    const budgets = {
      size: { file: 100, epk: 50 },
      overrides: [
        { model: 'digits*', size: { file: 200 } },
        { target: 'rpi*4', size: { file: 300 } },
        { model: 'digits', target: 'n100', size: { file: 400 } },
        { target: 'rpi5', size: { epk: { max: 1, level: 'off' } } },
      ],
    };
    expect(resolve(budgets)).toEqual([
      ['size.file max 300 error', 'overrides.1.size.file'],
      ['size.epk max 50 error', 'size.epk'],
    ]);
    expect(resolve(budgets, 'other', 'rpi5')).toEqual([['size.file max 100 error', 'size.file']]);
    expect(resolve(budgets, 'digits', 'n100')[0]![0]).toContain('400');
  });

  it('matches patterns with many stars in no time', () => {
    const budgets = { overrides: [{ model: `${'a*'.repeat(100)}b`, size: { file: 1 } }] };
    expect(resolve(budgets, 'a'.repeat(300))).toEqual([]);
    expect(resolve(budgets, `${'a'.repeat(300)}b`)).toHaveLength(1);
    expect(resolve({ overrides: [{ model: 'ab*ba', size: { file: 1 } }] }, 'aba')).toEqual([]);
  });

  it.each([
    { size: { fiel: 1 } },
    { size: { file: { maximum: 1 } } },
    { size: { file: '1 pound' } },
    { size: { file: -1 } },
    { accuracy: { top1: 95 } },
    { accuracy: { drop: { maxDrop: 1 } } },
    { latency: { host: { maxIncrease: 5 } } },
    { latency: { host: { maxIncrease: '5' } } },
    { undecided: 'maybe' },
    { overrides: [{ modle: 'a' }] },
  ])('refuses %j', (budgets) => {
    expect(budgetsSchema.safeParse(budgets).success).toBe(false);
  });
});

describe('quantities', () => {
  it('reads sizes, durations and percentages', () => {
    expect([400, '400 kB', '1.5 MiB', '2GB', '7 bytes'].map(sizeBytesOf)).toEqual([400, 400_000, 1_572_864, 2e9, 7]);
    expect([5, '5 ms', '0.8 s', '800 µs', '800us'].map(millisecondsOf)).toEqual([5, 5, 800, 0.8, 0.8]);
    expect(['1%', '0.5 %', '5 kB', 3].map(shareOfPercent)).toEqual([0.01, 0.005, undefined, undefined]);
  });
});

describe('lineOfKey', () => {
  const text =
    '\uFEFF{\r\n  "a": 1,\r\n  "budgets": {\r\n    "size": { "file":\r\n 5 },\r\n    "overrides": [ {},\r\n { "x": 1 } ]\r\n  }\r\n}';
  it.each([
    [['budgets', 'size', 'file'], 4],
    [['budgets', 'overrides', 1], 7],
    [['budgets', 'overrides', 1, 'x'], 7],
    [['budgets'], 3],
    [['nowhere'], undefined],
  ])('%j is in line %s', (path, line) => {
    expect(lineOfKey(text, path)).toBe(line);
  });
});
