import { z } from 'zod';
import type { Budgets } from '../budget/budget-schema.ts';
import type { BudgetSource } from '../budget/judge.ts';
import { compressOptionsSchema } from './compress-options.ts';
import { deviceOptions } from './device-options.ts';

const shared = compressOptionsSchema.shape;

/** Options of `check`, in the order of the help text. */
export const checkOptionsSchema = z
  .strictObject({
    baseline: z
      .string()
      .min(1)
      .optional()
      .describe('What to compare with: a report.json, a folder that holds one, or a model; relative limits need it.'),
    baselineModel: z
      .string()
      .min(1)
      .optional()
      .describe("The baseline's model, where it does not lie beside its report: latency is measured in turns with it."),
    original: z
      .string()
      .min(1)
      .optional()
      .describe('The model before compression, where a model is checked: for its loss and agreement.'),
    target: shared.target,
    data: shared.data,
    evaluation: shared.evaluation,
    labels: shared.labels,
    preprocess: shared.preprocess,
    threads: shared.threads,
    device: deviceOptions.device.describe(
      'Measure latency.device there: ssh://user@host or ssh://user@host:port, by keys.',
    ),
    sshConfig: deviceOptions.sshConfig,
    maxSeconds: z
      .number()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('Time for measuring latency; what is not decided by then is undecided.'),
    seed: shared.seed,
  })
  .describe('Options of edgepack check.');

/** Options as a caller gives them, with the limits. */
export type CheckOptions = z.input<typeof checkOptionsSchema> & {
  readonly budgets: Budgets;
  /** The file that the limits come from, so that results can name the line. */
  readonly config?: BudgetSource;
};
export type ResolvedCheckOptions = z.output<typeof checkOptionsSchema>;
