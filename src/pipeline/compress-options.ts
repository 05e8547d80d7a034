import { z } from 'zod';
import { budgetsSchema } from '../budget/budget-schema.ts';
import { preprocessSchema } from '../data/preprocess.ts';
import { deviceOptions } from './device-options.ts';

/** Preprocessing of images as data: a preset's name, a JSON file, or the description itself. */
const preprocess = z.union([z.string().min(1), preprocessSchema]);

/**
 * Every option of `compress`, once: flags of the command line, keys of `edgepack.config.json`, fields of the API.
 * The order is the order of the help text.
 */
export const compressOptionsSchema = z
  .strictObject({
    target: z
      .string()
      .min(1)
      .default('generic-arm64')
      .describe('Device to compress for: one that "edgepack targets" lists, or a JSON file.'),
    provider: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe('Execution provider of ONNX Runtime to compress for, as the target has it; by default its CPU.'),
    recipe: z
      .string()
      .min(1)
      .optional()
      .describe(
        'What to do: balanced, accurate, weight-only, optimize or a JSON file; by default balanced, without data weight-only.',
      ),
    format: z
      .enum(['onnx', 'ort', 'both'])
      .optional()
      .describe(
        "Format of the model: .onnx, ONNX Runtime's own .ort, or both, beside the .epk; by default what the target's engine takes.",
      ),
    output: z.string().min(1).default('out').describe('Folder for the results.'),
    data: z
      .string()
      .min(1)
      .optional()
      .describe('Samples for calibration and evaluation: an image folder, .npy or .npz; split in two halves.'),
    calibration: z.string().min(1).optional().describe('Samples for calibration only.'),
    evaluation: z.string().min(1).optional().describe('Samples for evaluation only; they never decide anything.'),
    labels: z.string().min(1).optional().describe('Class of each sample: a .csv, .npy or text file.'),
    preprocess: preprocess.optional().describe('How images become inputs: the name of a preset or a JSON file.'),
    sparsity: z
      .number()
      .min(0)
      .max(0.99)
      .optional()
      .describe(
        'Share of the weights to set to zero before quantization, 0 to 0.99; exactly that, nothing is searched.',
      ),
    scope: z
      .enum(['global', 'local'])
      .optional()
      .describe(
        'Zeros where they cost least over the whole model, or the same share in every layer; by default global.',
      ),
    maskStructure: z
      .union([z.literal('unstructured'), z.string().regex(/^[1-9]\d?:[1-9]\d?$/, '"unstructured" or n:m as in "2:4"')])
      .optional()
      .describe('Any weight may become zero, or n of every m stay, as in 2:4; by default unstructured.'),
    calibrationMethod: z
      .enum(['min-max', 'percentile', 'entropy', 'mse'])
      .optional()
      .describe('How activation ranges are chosen; the recipe decides by default.'),
    nodesToExclude: z
      .array(z.string().min(1).max(4096))
      .max(10_000)
      .default([])
      .describe('Nodes to leave in float: names or patterns with *.'),
    maxAccuracyDrop: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe('Largest loss of accuracy to accept, in percentage points.'),
    allowSlower: z
      .boolean()
      .default(false)
      .describe('Ship what the recipe makes even where it is slower than the original; the same bytes on every host.'),
    device: deviceOptions.device.describe(
      'Measure there which variant is not slower, instead of here: ssh://user@host or ssh://user@host:port, by keys.',
    ),
    sshConfig: deviceOptions.sshConfig,
    allowLinks: z
      .boolean()
      .default(false)
      .describe('Accept data files of the model that are links, as download caches make them.'),
    engineMemory: z
      .int()
      .min(1)
      .max(1_048_576)
      .optional()
      .describe('Memory in MiB that running the model may take; by default it follows the model.'),
    engineTimeout: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe('Seconds of computing that one run of the model may take; by default it follows the model.'),
    timeLimit: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe('Seconds that the search for a smaller model may take; then the best so far is taken.'),
    threads: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Threads of the inference engine; by default those of the target.'),
    seed: z.int().min(0).max(4_294_967_295).default(0).describe('Seed of everything random.'),
    cacheFolder: z
      .string()
      .min(1)
      .default('.edgepack-cache')
      .describe('Folder where calibration statistics are kept for the next run.'),
    dryRun: z.boolean().default(false).describe('Say what would be done; write nothing.'),
    force: z.boolean().default(false).describe('Overwrite existing results.'),
  })
  .describe('Options of edgepack compress.');

/** Options as a caller gives them: everything may be left out. */
export type CompressOptions = z.input<typeof compressOptionsSchema>;
/** Options with their defaults filled in. */
export type ResolvedCompressOptions = z.output<typeof compressOptionsSchema>;

/** `edgepack.config.json`: the same options, and the model. */
export const configSchema = compressOptionsSchema
  .partial()
  .extend({
    $schema: z.string().optional().describe('Where the JSON Schema of this file is; not read.'),
    budgets: budgetsSchema.optional().describe('Limits that "edgepack check" enforces.'),
    model: z.string().min(1).optional().describe('The ONNX file, where none is given on the command line.'),
  })
  .describe('Configuration of edgepack; what the command line says comes first.');

export type Config = z.output<typeof configSchema>;
