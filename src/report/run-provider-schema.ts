import { z } from 'zod';

/** The execution provider that a run was for, as the report has it. */
export const runProviderSchema = z
  .strictObject({
    name: z.string().describe('As --provider takes it.'),
    displayName: z.string(),
    executionProvider: z.string().describe("ONNX Runtime's own name."),
    processor: z.string().nullable().describe('What it runs on; null where the profile does not say.'),
    needs: z.string().nullable().describe('What it takes to use it there.'),
    int8: z.boolean().describe('Whether it runs int8 in integers there.'),
    withoutInt8: z.string().nullable().describe('Why it does not; null where it does.'),
    notRun: z
      .string()
      .nullable()
      .describe('What stands in for it in the figures, where the engine of this host does not have it; else null.'),
    unused: z
      .array(
        z.strictObject({
          kind: z.enum(['cpu', 'gpu', 'npu', 'tpu', 'fpga']),
          name: z.string(),
          optional: z.boolean().describe('True where it is not on every board.'),
          reason: z.string().describe('Why it was not used, and what it would take.'),
        }),
      )
      .describe('Processors of the target that the run left idle.'),
  })
  .describe('The execution provider of ONNX Runtime that the model was made for.');

/** What one node of a model does on a provider. */
export const providerNodeSchema = z.strictObject({
  name: z.string(),
  domain: z.string(),
  opType: z.string(),
  runsOn: z
    .enum(['provider', 'cpu', 'unknown'])
    .describe('The provider, the CPU where the provider does not take the operator, or unknown where no list tells.'),
  precision: z
    .enum(['int8', 'float', 'other', 'unknown'])
    .describe(
      'int8: in 8-bit integers, once edgepack has quantized it for the provider; other: shapes, indices, truth.',
    ),
  reason: z
    .string()
    .nullable()
    .describe('Why it is not int8, where something is known; null where nothing is or it is.'),
});

export type ProviderNode = z.output<typeof providerNodeSchema>;
export type RunProvider = z.output<typeof runProviderSchema>;
