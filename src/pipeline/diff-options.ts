import { z } from 'zod';
import { compressOptionsSchema } from './compress-options.ts';

const shared = compressOptionsSchema.shape;

/** Options of `diff`, in the order of the help text. */
export const diffOptionsSchema = z
  .strictObject({
    run: z
      .boolean()
      .default(false)
      .describe('Run both models on made-up inputs and compare their values, layer by layer.'),
    data: z.string().min(1).optional().describe('Samples to run both models on, as for compress; implies --run.'),
    samples: z.int().min(1).max(10_000).default(8).describe('Samples of the data that are run, spread evenly.'),
    preprocess: shared.preprocess,
    seed: shared.seed.describe('Seed of made-up inputs.'),
    html: z.string().min(1).optional().describe('Also write a page for people to this file.'),
    force: z.boolean().default(false).describe('Overwrite an existing page.'),
    allowLinks: shared.allowLinks,
    engineMemory: shared.engineMemory,
    engineTimeout: shared.engineTimeout,
  })
  .describe('Options of edgepack diff.');

/** Options as a caller gives them: everything may be left out. */
export type DiffOptions = z.input<typeof diffOptionsSchema>;
export type ResolvedDiffOptions = z.output<typeof diffOptionsSchema>;
