import { z } from 'zod';

const milliseconds = z.number().positive();
const ends = z.strictObject({ before: z.number().nullable(), after: z.number().nullable() });
const precision = z.enum(['fp32', 'int8']);

const row = z
  .strictObject({
    network: z.string(),
    precision,
    threads: z.int().min(1),
    latencyMs: milliseconds.describe('Median.'),
    interval: z.strictObject({ low: z.number(), high: z.number() }).nullable().describe('95 %, of the median, in ms.'),
    minMs: milliseconds,
    p90Ms: milliseconds,
    loadAverage: z.number().min(0).nullable().describe('Over the minute before.'),
    otherBusyCores: z.number().min(0).nullable(),
    frequencyMhz: ends,
    temperatureC: ends,
  })
  .describe('One reference network in one precision with one number of threads.');

/** What `edgepack targets calibrate --json` prints. */
export const calibrationResultSchema = z
  .strictObject({
    calibrateVersion: z.literal(1),
    tool: z.strictObject({ name: z.literal('edgepack'), version: z.string() }),
    target: z.strictObject({ name: z.string(), displayName: z.string() }),
    source: z
      .strictObject({
        kind: z.enum(['host', 'device']),
        address: z.string().nullable().describe('Of the device, without the user; null for the host.'),
        board: z.string(),
        cpu: z.string(),
        architecture: z.string(),
        platform: z.string(),
        logicalCores: z.int().min(1),
        memoryBytes: z.int().min(0),
        governor: z.string().nullable(),
        maxFrequencyMhz: z.number().positive().nullable(),
        engine: z.strictObject({ name: z.literal('onnxruntime'), version: z.string() }),
        measuredAt: z.string().describe('ISO 8601.'),
      })
      .nullable()
      .describe('What was measured; null in a dry run.'),
    networks: z.array(z.string()),
    precisions: z.array(precision),
    threads: z.array(z.int().min(1)),
    maxSeconds: z.number().positive().describe('Of measuring, at most, beside connecting and loading.'),
    rows: z.array(row),
    fits: z
      .array(
        z.strictObject({
          precision,
          threads: z.int().min(1),
          medianError: z
            .number()
            .min(0)
            .describe('Of |fitted - measured| / measured over the networks it is made from.'),
          lowRatio: z.number().positive(),
          highRatio: z.number().positive(),
        }),
      )
      .describe('The profiles that came out, with the ends of their 90 % bands.'),
    inSpiteOf: z.array(z.string()).describe('What would have ended the calibration without --force.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    file: z.strictObject({
      path: z.string(),
      isWritten: z.boolean(),
      isUsed: z.boolean().describe('Whether it lies where predictions take it from.'),
      keptProfiles: z
        .int()
        .min(0)
        .describe('Of the earlier calibration in this file, those that this one does not replace.'),
    }),
  })
  .describe('What edgepack targets calibrate measured and wrote.');

/** A calibration: what was measured, what came of it, and where it lies. */
export type CalibrationResult = z.output<typeof calibrationResultSchema>;
