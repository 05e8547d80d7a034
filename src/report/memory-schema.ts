import { z } from 'zod';

const bytes = z.int().min(0);

/** What a model needs of a device's memory, told from its graph. */
export const memoryDemandSchema = z
  .strictObject({
    weightBytes: bytes
      .nullable()
      .describe(
        'Constants as the engine holds them: int8 under integer kernels, floats where int8 is expanded at load.',
      ),
    peakActivationBytes: bytes
      .nullable()
      .describe('Most bytes of activations at the same time, inputs and outputs included; null where not known.'),
    peakNode: z.strictObject({ name: z.string(), opType: z.string() }).nullable().describe('The node that runs then.'),
    live: z
      .array(z.strictObject({ name: z.string(), sizeBytes: bytes }))
      .describe(
        'Tensors that are in memory then, the largest first, at most 20; a quantized one by its name in floats, or its node.',
      ),
    liveCount: z.int().min(0).describe('How many there are.'),
    openDimensions: z.array(z.string()).describe('Dimensions of the inputs that count as 1; the batch is not listed.'),
    missing: z.string().nullable().describe('Why a number is null.'),
  })
  .describe('Memory by liveness analysis, without the engine itself and scratch memory of its kernels.');

export type MemoryDemand = z.output<typeof memoryDemandSchema>;
