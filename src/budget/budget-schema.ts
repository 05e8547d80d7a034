import { z } from 'zod';

const level = z
  .enum(['off', 'warn', 'error'])
  .optional()
  .describe('What an exceeded limit does: nothing, a warning, or exit code 1; error by default.');

const text = (pattern: RegExp, example: string) => z.string().max(40).regex(pattern, `must be ${example}`);
const size = z
  .union([
    z.int().min(0),
    text(/^\d+(\.\d+)? ?(bytes|[kMG]B|[KMG]iB)$/, 'bytes, or text such as "400 kB" or "1.5 MiB"'),
  ])
  .describe('Bytes, or text: "400 kB" (1000 bytes each), "1.5 MiB" (1024² bytes each).');
const duration = z
  .union([z.number().positive(), text(/^\d+(\.\d+)? ?(µs|us|ms|s)$/, 'milliseconds, or text such as "5 ms"')])
  .describe('Milliseconds, or text: "5 ms", "800 µs".');
const percent = text(/^\d+(\.\d+)? ?%$/, 'text such as "1%"').describe('Growth over the baseline: "0.5%".');
const share = z.number().min(0).max(1);
const points = z.number().min(0).max(100);

const sizeLimit = z
  .strictObject({
    max: size.optional(),
    maxIncrease: z.union([percent, size]).optional().describe('Over the baseline: "0.5%", or bytes as for max.'),
    level,
  })
  .describe('Limits of a size.');
const countLimit = z
  .strictObject({
    max: z.int().min(0).optional(),
    maxIncrease: z
      .union([percent, z.int().min(0)])
      .optional()
      .describe('Over the baseline: "0.5%", or a count.'),
    level,
  })
  .describe('Limits of a count.');
const durationLimit = z
  .strictObject({
    max: duration.optional(),
    maxIncrease: percent.optional(),
    level,
  })
  .describe('Limits of a latency.');
const shareLimit = z
  .strictObject({
    min: share.optional().describe('Smallest share, 0 to 1.'),
    maxDrop: points.optional().describe('Largest loss against the baseline, in percentage points.'),
    level,
  })
  .describe('Limits of a share of the samples.');

/** Every metric that has a budget, by group; a bare value stands for its first limit. */
const groups = {
  size: z
    .strictObject({
      file: z
        .union([size, sizeLimit])
        .optional()
        .describe('The .onnx file, with external data; the .ort, where that alone was written.'),
      epk: z.union([size, sizeLimit]).optional().describe('The .epk file.'),
      parameters: z
        .union([z.int().min(0), countLimit])
        .optional()
        .describe('Elements of float initializers of the model that a report is about, or of the checked file.'),
    })
    .optional()
    .describe('Sizes.'),
  accuracy: z
    .strictObject({
      top1: z.union([share, shareLimit]).optional().describe('Highest score on the right class; needs labels.'),
      drop: z
        .union([points, z.strictObject({ max: points.optional(), level })])
        .optional()
        .describe('Loss of the compressed model against its original, in percentage points; needs labels.'),
      agreement: z.union([share, shareLimit]).optional().describe('Same highest class as the original.'),
    })
    .optional()
    .describe('Accuracy in the arithmetic of the target.'),
  latency: z
    .strictObject({
      host: z.union([duration, durationLimit]).optional().describe('Median on the machine that runs the check.'),
      device: z
        .union([duration, durationLimit])
        .optional()
        .describe('Median measured on the device: in the report, or with --device.'),
      predicted: z
        .union([duration, durationLimit])
        .optional()
        .describe('Upper end of the predicted band, of the report or of the model.'),
    })
    .optional()
    .describe('Latency.'),
  memory: z
    .strictObject({
      engine: z
        .union([size, sizeLimit])
        .optional()
        .describe('Peak resident memory of a process of the engine that runs this model alone.'),
      activations: z
        .union([size, sizeLimit])
        .optional()
        .describe('Most bytes of activations at the same time, told from the graph: the same on every machine.'),
    })
    .optional()
    .describe('Memory.'),
};

/** `budgets` of edgepack.config.json. */
export const budgetsSchema = z
  .strictObject({
    ...groups,
    undecided: z
      .enum(['off', 'warn', 'error'])
      .optional()
      .describe('What a limit does that the measurement could neither confirm nor refute; warn by default.'),
    overrides: z
      .array(
        z.strictObject({
          model: z.string().min(1).max(300).optional().describe('Name of the model, or a pattern with *.'),
          target: z.string().min(1).max(300).optional().describe('Name of the target, or a pattern with *.'),
          ...groups,
        }),
      )
      .max(1000)
      .optional()
      .describe('Budgets of some models or targets only; a later one replaces the same metric of an earlier one.'),
  })
  .describe('Limits that "edgepack check" enforces.');

/** Budgets of a configuration: limits by model and target. */
export type Budgets = z.output<typeof budgetsSchema>;
export type Level = 'off' | 'warn' | 'error';
