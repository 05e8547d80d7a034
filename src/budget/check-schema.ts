import { z } from 'zod';
import { limitKinds, metrics } from './resolve-budgets.ts';

const unit = z.enum(['bytes', 'count', 'share', 'points', 'ms', 'ratio']);
const interval = z.strictObject({ low: z.number(), high: z.number() });

const item = z.strictObject({
  metric: z.enum(metrics),
  kind: z.enum(limitKinds),
  level: z.enum(['warn', 'error']),
  outcome: z
    .enum(['passed', 'failed', 'undecided', 'refused', 'skipped'])
    .describe(
      'undecided: the measurement can neither confirm nor refute the limit; refused: the limit is finer than what can be known, or nothing is known; skipped: it needs a baseline and none was given.',
    ),
  unit: unit.describe(
    'Of value, interval, limit and difference. points: percentage points lost; ratio: times the baseline.',
  ),
  value: z.number().nullable(),
  interval: interval.nullable().describe('null where the value is exact.'),
  limit: z.number().nullable().describe('null where it depends on a baseline that was not given.'),
  difference: z.number().nullable().describe('How far beyond the limit; negative within it.'),
  baseline: z.number().nullable().describe('In the unit of the metric; null for absolute limits.'),
  message: z.string().describe('The judgement in one line.'),
  responsible: z
    .array(z.strictObject({ name: z.string(), detail: z.string() }))
    .describe('Layers or initializers that explain it, the largest share first; empty where it passed.'),
  config: z
    .strictObject({ key: z.string(), file: z.string().nullable(), line: z.int().min(1).nullable() })
    .describe('Where the limit stands.'),
});

/** What `edgepack check --json` prints. */
export const checkSchema = z
  .strictObject({
    checkVersion: z.literal(1),
    status: z
      .enum(['passed', 'failed', 'refused'])
      .describe('failed: exit code 1. refused: exit code 2, a limit cannot be judged as it stands.'),
    subject: z.strictObject({ path: z.string(), model: z.string(), target: z.string() }),
    baseline: z.strictObject({ path: z.string(), model: z.string(), target: z.string() }).nullable(),
    items: z.array(item),
    figures: z
      .array(z.strictObject({ metric: z.enum(metrics), unit, value: z.number(), baseline: z.number().nullable() }))
      .describe('Every metric that is known, with or without a budget.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    versions: z.strictObject({ node: z.string(), edgepack: z.string() }),
    commandLine: z.string().nullable(),
  })
  .describe('What edgepack check found.');

/** What `check` found: a verdict for every limit. */
export type CheckResult = z.output<typeof checkSchema>;
export type CheckItem = CheckResult['items'][number];
export type Figure = CheckResult['figures'][number];
export type Unit = z.output<typeof unit>;
