import { z } from 'zod';

const count = z.int().min(0);

export const latencyPredictionSchema = z
  .strictObject({
    label: z.literal('predicted, not measured'),
    latencyMs: z.number().positive(),
    lowMs: z.number().positive(),
    highMs: z.number().positive(),
    coverage: z.number().min(0).max(1).describe('Share of networks that the interval is meant to hold.'),
    tested: z
      .strictObject({ rowsCovered: count, rows: count })
      .nullable()
      .describe('Left-out rows inside intervals made as this one was; null where it could not be tested.'),
    engine: z.string(),
    engineVersion: z.string().nullable(),
    precision: z.enum(['fp32', 'fp16', 'int8']),
    threads: z.int().min(1),
    osBits: z.union([z.literal(32), z.literal(64)]).nullable(),
    origin: z.enum(['published', 'calibrated']),
    source: z.string().describe('Where the measured rows are.'),
    calibration: z
      .strictObject({
        path: z.string().nullable().describe('Its file, with ~ for the home of the user.'),
        measuredAt: z
          .string()
          .nullable()
          .describe('When it was measured (ISO 8601); null where the file does not say.'),
        ageDays: z.number().min(0).nullable().describe('At the time of the prediction.'),
      })
      .nullable()
      .default(null)
      .describe("The user's own calibration of the device that it rests on."),
    widened: z.array(z.string()).describe('Why the interval is wider than that of the fitted rows.'),
  })
  .describe('Latency told from a model of the device.');
