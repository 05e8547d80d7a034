import { z } from 'zod';
import { costFeatures } from '../targets/cost-features.ts';
import { latencyPredictionSchema } from './latency-prediction-schema.ts';
import { memoryDemandSchema } from './memory-schema.ts';
import { modelFactsSchema } from './report-schema.ts';

/** What `edgepack predict --json` prints. */
export const predictionSchema = z
  .strictObject({
    predictVersion: z.literal(1),
    tool: z.strictObject({ name: z.literal('edgepack'), version: z.string() }),
    model: modelFactsSchema,
    target: z.strictObject({ name: z.string(), displayName: z.string() }),
    question: z
      .strictObject({
        engine: z.string(),
        provider: z.string().optional().describe('Execution provider of ONNX Runtime.'),
        precision: z.enum(['fp32', 'fp16', 'int8']).nullable().describe('null: floats in what the engine uses there.'),
        threads: z.int().min(1),
        originalMs: z.number().positive().nullable().describe('Measured latency of the original, where it was given.'),
      })
      .describe('What was asked.'),
    network: z
      .strictObject({
        layers: z.int().min(0).describe('As an engine runs them: fused activations and reshapes do not count.'),
        features: z.record(z.enum(costFeatures), z.number().min(0)),
        unfamiliarShare: z.number().min(0).max(1).describe('Of the MACs: products that no fitted network has.'),
      })
      .describe('What the model asks of a device.'),
    prediction: latencyPredictionSchema.nullable(),
    missing: z.string().nullable().describe('Why there is no number.'),
    memory: z
      .strictObject({
        demand: memoryDemandSchema,
        deviceMinSizeBytes: z.int().positive().nullable().describe('Memory of the smallest board.'),
        deviceMaxSizeBytes: z.int().positive().nullable().describe('Memory of the largest board.'),
        warning: z.string().nullable().describe('Where it does not fit, or takes a large share.'),
      })
      .describe('What the model needs of the memory of the device.'),
  })
  .describe('What edgepack predict tells of the latency on a device.');

/** What `predict` found: an interval, or why there is none. */
export type Prediction = z.output<typeof predictionSchema>;
