import { z } from 'zod';
import { comparisonSchema, pairedSchema, scoreFields } from './report-schema.ts';

const count = z.int().min(0);

const file = z.strictObject({
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(0),
});

/** What `edgepack evaluate --json` prints. */
export const evaluationSchema = z
  .strictObject({
    evaluationVersion: z.literal(1),
    model: file,
    against: file.nullable().describe('The model it is compared with; null without one.'),
    target: z.string(),
    arithmetic: z.enum(['exact', 'saturating-u8s8']).describe('Integer arithmetic of the target.'),
    data: z.strictObject({ path: z.string(), samples: z.int().min(1), labelled: z.boolean() }),
    exact: z
      .strictObject(scoreFields)
      .nullable()
      .describe('The model in exact arithmetic; null where it was not asked for.'),
    host: z.strictObject(scoreFields).nullable().describe("The model by this host's engine as it comes."),
    device: z
      .strictObject({
        ...scoreFields,
        address: z.string().describe('Without the user.'),
        cpu: z.string(),
        architecture: z.string(),
        engine: z.strictObject({ name: z.literal('onnxruntime'), version: z.string() }),
        difference: z
          .strictObject({
            elements: count,
            different: count.describe('Elements that are not the same number.'),
            maxAbsolute: z.number().min(0),
            integers: z
              .strictObject({ elements: count, different: count, maxSteps: count })
              .describe('The same of outputs that are integers times a step.'),
          })
          .describe(
            'Outputs on the device beside those of this host, exact where that was asked for, element by element.',
          ),
      })
      .nullable()
      .describe('The model by the engine of a device; null without one.'),
    comparison: z
      .strictObject({
        against: z.strictObject(scoreFields).describe('The other model.'),
        exact: comparisonSchema.nullable(),
        host: comparisonSchema.nullable(),
        device: comparisonSchema.nullable(),
        paired: pairedSchema
          .nullable()
          .describe('The other model against this one, sample by sample; null without labels.'),
      })
      .nullable(),
    deviceNote: z
      .string()
      .nullable()
      .describe('One line on the difference between device and host; null without a device.'),
    note: z.string().nullable().describe('One line on a difference between exact and host, where there is one.'),
  })
  .describe('What edgepack evaluate measures.');

/** What `evaluate` measures. */
export type Evaluation = z.output<typeof evaluationSchema>;
