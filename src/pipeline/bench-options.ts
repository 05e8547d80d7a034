import { z } from 'zod';
import { compressOptionsSchema } from './compress-options.ts';
import { deviceOptions } from './device-options.ts';

const shared = compressOptionsSchema.shape;

/** Options of `bench`, in the order of the help text. */
export const benchOptionsSchema = z
  .strictObject({
    target: shared.target.describe('Device whose number of threads is taken; to measure on it give --device as well.'),
    device: deviceOptions.device.describe(
      'Measure there instead of here: ssh://user@host or ssh://user@host:port, by keys.',
    ),
    sshConfig: deviceOptions.sshConfig,
    clean: z
      .boolean()
      .default(false)
      .describe(
        'Leave nothing on the device: remove the cached runtime and models as well; without models do only that.',
      ),
    data: z
      .string()
      .min(1)
      .optional()
      .describe('Samples, as for compress: the first one is run; by default inputs are made up.'),
    preprocess: shared.preprocess,
    dim: z
      .array(
        z
          .string()
          .max(300)
          .regex(/^.+=[1-9]\d{0,8}$/, 'must be a name and a size, such as batch=1'),
      )
      .max(1000)
      .default([])
      .describe(
        'Size of a dimension that the model leaves open, for made-up inputs; by default the first is 1, others 32.',
      ),
    threads: z
      .union([
        z.string().regex(/^[1-9]\d{0,2}(,[1-9]\d{0,2}){0,15}$/, 'must be counts such as 4 or 1,2,4'),
        z.array(z.int().min(1).max(999)).min(1).max(16),
      ])
      .optional()
      .describe(
        'Threads of the engine, one count or several; by default those of the target, as far as there are cores.',
      ),
    rounds: z.int().min(1).max(1000).default(200).describe('Rounds at most; in each one every model has its turn.'),
    warmup: z.int().min(1).max(1000).default(5).describe('Runs of each model before the first round.'),
    maxSeconds: z
      .number()
      .min(0.1)
      .max(86_400)
      .default(30)
      .describe('Time for the rounds, over all numbers of threads; 5 rounds are measured in any case.'),
    precision: z
      .number()
      .min(0)
      .max(50)
      .default(1)
      .describe('Stop early when medians and ratios are known within this many percent; 0 never stops early.'),
    profile: z.boolean().default(false).describe('Also show the slowest nodes and which kernels they ran in.'),
    engineMemory: shared.engineMemory,
    engineTimeout: shared.engineTimeout,
    seed: shared.seed.describe('Seed of made-up inputs, the order of the turns and the intervals.'),
  })
  .describe('Options of edgepack bench.');

/** Options as a caller gives them: everything may be left out. */
export type BenchOptions = z.input<typeof benchOptionsSchema>;
export type ResolvedBenchOptions = z.output<typeof benchOptionsSchema>;
