import { z } from 'zod';
import { compressOptionsSchema } from './compress-options.ts';

/** Options of `predict`, in the order of the help text. */
export const predictOptionsSchema = z
  .strictObject({
    target: compressOptionsSchema.shape.target.describe(
      'Device to predict for: one that "edgepack targets" lists, or a JSON file.',
    ),
    provider: compressOptionsSchema.shape.provider.describe(
      'Execution provider of ONNX Runtime there; predictions are for CPUs, so that others have none.',
    ),
    engine: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'must be a name such as onnxruntime or ncnn')
      .optional()
      .describe('Inference engine; by default that of the target.'),
    precision: z
      .enum(['fp32', 'fp16', 'int8'])
      .optional()
      .describe(
        'What the engine computes in; by default int8 for an int8 model, else the floats the engine uses there.',
      ),
    threads: z.int().min(1).max(1024).optional().describe('Threads of the engine; by default those of the target.'),
    dim: z
      .array(
        z
          .string()
          .max(300)
          .regex(/^.+=[1-9]\d{0,8}$/, 'must be a name and a size, such as batch=1'),
      )
      .max(1000)
      .default([])
      .describe('Size of a dimension that the model leaves open; 1 by default.'),
    originalMs: z
      .number()
      .positive()
      .max(1e9)
      .optional()
      .describe('Latency of the original in floats, measured on the device: an int8 model is told better from it.'),
  })
  .describe('Options of edgepack predict.');

/** Options as a caller gives them: everything may be left out. */
export type PredictOptions = z.input<typeof predictOptionsSchema>;
