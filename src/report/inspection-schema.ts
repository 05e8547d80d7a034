import { z } from 'zod';
import { memoryDemandSchema } from './memory-schema.ts';
import { modelFactsSchema } from './report-schema.ts';
import { providerNodeSchema, runProviderSchema } from './run-provider-schema.ts';

const count = z.int().min(0);
const macs = z.number().min(0).nullable().describe('Multiply-accumulates of one run; null where shapes are not known.');
const value = z.strictObject({
  name: z.string(),
  dataType: z.string(),
  shape: z
    .array(z.union([z.int().min(0), z.string(), z.null()]))
    .nullable()
    .describe('Numbers, names of symbolic dimensions, or null where unknown; null as a whole where the rank is.'),
});

/** What `edgepack inspect --json` prints: facts about a model, without running it. */
export const inspectionSchema = z
  .strictObject({
    inspectionVersion: z.literal(1),
    model: modelFactsSchema,
    inputs: z.array(value),
    outputs: z.array(value),
    operators: z
      .array(z.strictObject({ domain: z.string(), opType: z.string(), count, macs }))
      .describe('Kinds of nodes, subgraphs and functions included.'),
    unknownDomains: z.array(z.string()).describe('Domains edgepack does not know: their nodes pass through untouched.'),
    layers: z
      .array(
        z.strictObject({
          name: z.string(),
          opType: z.string(),
          parameters: count,
          weightBytes: count,
          dataType: z.string().describe('Element type of the weight.'),
          macs,
        }),
      )
      .describe('Nodes with weights, in the order of the graph.'),
    bytesByType: z.array(z.strictObject({ dataType: z.string(), initializers: count, sizeBytes: count })),
    memory: memoryDemandSchema,
    quantization: z.strictObject({
      state: z.enum(['float', 'int8', 'mixed']).describe('What the layers with weights compute in.'),
      blockers: z
        .array(z.strictObject({ subject: z.string(), reason: z.string() }))
        .describe('What keeps nodes from integer kernels.'),
      saturation: z
        .strictObject({
          possible: z.boolean(),
          where: z.array(
            z.strictObject({
              node: z.string(),
              worstPairSum: z
                .number()
                .describe('Largest magnitude two products can add up to; 32,767 fits in 16 bits.'),
            }),
          ),
          on: z.string().describe('The machines it concerns.'),
        })
        .nullable()
        .describe('Whether uint8 x int8 products can overflow 16 bits; null where the model has none.'),
    }),
    provider: runProviderSchema
      .extend({
        target: z.string().describe('Name of the device.'),
        nodes: z
          .array(providerNodeSchema)
          .describe('In the form in which it would be quantized, as far as that needs no engine.'),
      })
      .optional()
      .describe('What an execution provider would run of it; only where a target or provider was asked about.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  })
  .describe('What edgepack inspect finds in a model.');

/** What `inspect` finds in a model. */
export type Inspection = z.output<typeof inspectionSchema>;
