import { z } from 'zod';
import { costFeatures } from './cost-features.ts';

const positive = z.number().positive().max(1e12);
const share = z.number().min(0).max(1);
const text = z.string().max(500);
const range = z.strictObject({ min: z.number().min(0), max: z.number().min(0) });
const perFeature = <Schema extends z.ZodType>(schema: Schema) => z.record(z.enum(costFeatures), schema);

const band = z
  .strictObject({
    lowRatio: z.number().positive().max(1).describe('Measured over predicted latency at the lower end.'),
    highRatio: z.number().min(1).max(1000).describe('Measured over predicted latency at the upper end.'),
    coverage: share.describe('Share of networks that lies inside.'),
    rowsCovered: z.int().min(0).describe('Left-out rows that lay inside a band made without their network.'),
    rows: z.int().min(0).describe('Left-out rows; 0 where the band could not be tested on any.'),
  })
  .describe('Interval around a prediction.');

const error = z
  .strictObject({
    rows: z.int().min(1),
    medianError: z.number().min(0),
    within10: share,
    within20: share,
    p90Error: z.number().min(0),
  })
  .describe('Of |predicted - measured| / measured over left-out networks.');

const int8Twin = z
  .strictObject({
    ratios: z
      .strictObject({ products1x1: positive, products3x3: positive, rest: positive })
      .describe('Time in int8 over time in floats of 1x1 and other products, 3x3 products, and the rest.'),
    carry: share.describe("Share of a network's deviation from the floating point model that its int8 twin has too."),
    band,
    error: error.nullable(),
  })
  .describe('How to predict int8 where the latency of the original was measured on the device.');

const ends = z.strictObject({ before: z.number().nullable(), after: z.number().nullable() });

const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, 'must be a time such as 2026-05-01T12:00:00Z')
  .refine((text) => Number.isFinite(Date.parse(text)), 'is no date');

const calibrationMeasurement = z
  .strictObject({
    at: moment.describe('When the first network was measured (ISO 8601).'),
    edgepackVersion: z.string().min(1).max(80),
    cpu: z.string().max(200),
    governor: z.string().max(80).nullable().describe("Of the first core's frequency."),
    maxFrequencyMhz: z.number().positive().nullable(),
    frequencyMhz: ends.describe('Of the first core, before the first and after the last network.'),
    temperatureC: ends.describe('Of the processor, before the first and after the last network.'),
    loadAverage: z.number().min(0).nullable().describe('The highest one before a network.'),
    inSpiteOf: z.array(z.string().max(400)).max(64).describe('What would have ended it without --force.'),
    networks: z
      .array(
        z.strictObject({
          network: z.string().min(1).max(80),
          latencyMs: positive.describe('Median.'),
          lowMs: positive.nullable().describe('Of the 95 % interval of the median; null where it has none.'),
          highMs: positive.nullable(),
        }),
      )
      .min(1)
      .max(64),
  })
  .describe('How a calibration was measured.');

export const latencyProfileSchema = z
  .strictObject({
    engine: z.string().min(1).max(40).describe('Inference engine, as "ncnn" or "onnxruntime".'),
    engineVersion: z.string().min(1).max(80).nullable(),
    precision: z.enum(['fp32', 'fp16', 'int8']).describe('What the engine really computes in.'),
    threads: z.int().min(1).max(1024),
    cores: z.enum(['all', 'big', 'little']).describe('Cores it ran on, of a chip with several kinds.'),
    osBits: z.union([z.literal(32), z.literal(64)]).nullable(),
    board: z.string().min(1).max(80).describe('What was measured.'),
    origin: z
      .enum(['published', 'calibrated'])
      .describe('Rows that others published, or measurements on a board of your own.'),
    coefficientsMs: perFeature(z.number().min(0).max(1e9)).describe(
      'Milliseconds per 10^9 multiply-accumulates, 10^9 bytes (4 an element) or 10^3 layers.',
    ),
    range: z
      .strictObject({ latencyMs: range, features: perFeature(range) })
      .describe('Of the networks it was fitted to.'),
    band,
    error: error.nullable().describe('null where no network was left out.'),
    int8Twin: int8Twin.optional().describe('Only where the precision is int8.'),
    source: text.describe('Where the measured rows are.'),
    measured: calibrationMeasurement.optional().describe('Only of calibrations.'),
  })
  .describe('Latency model of one device with one engine, version, precision and number of threads.');

const transfer = z
  .strictObject({
    engine: z.string().min(1).max(40),
    precision: z.enum(['fp32', 'fp16', 'int8']),
    from: z.strictObject({ engine: z.string().min(1).max(40), precision: z.enum(['fp32', 'fp16', 'int8']) }),
    ratio: positive.describe('Latency of this engine over that of the other one.'),
    lowRatio: positive,
    highRatio: positive,
    reason: text,
    source: text,
  })
  .describe('An engine without rows on the device, told from another one.');

export const targetLatencySchema = z
  .strictObject({
    profiles: z.array(latencyProfileSchema).max(64),
    transfers: z.array(transfer).max(16).default([]),
  })
  .describe('Latency models of the device.');

/** A user's calibration of a device, kept in the configuration folder of the user. */
export const calibrationSchema = z
  .strictObject({
    $schema: z.string().optional(),
    calibrationVersion: z.literal(1).describe('Version of this format.'),
    target: z.string().min(1).max(80).describe('The device profile it belongs to.'),
    profiles: z.array(latencyProfileSchema).min(1).max(64),
  })
  .describe("A device's latency as measured on a board of one's own; used before the built-in profiles.");

export type LatencyProfile = z.output<typeof latencyProfileSchema>;
export type CalibrationMeasurement = z.output<typeof calibrationMeasurement>;
export type LatencyTransfer = z.output<typeof transfer>;
export type TargetLatency = z.output<typeof targetLatencySchema>;
export type Calibration = z.output<typeof calibrationSchema>;
