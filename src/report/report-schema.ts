import { z } from 'zod';
import { recipeSchema } from '../recipes/recipe-schema.ts';
import { targetSchema } from '../targets/target-schema.ts';
import { executionSchema } from './execution-schema.ts';
import { latencyPredictionSchema } from './latency-prediction-schema.ts';
import { memoryDemandSchema } from './memory-schema.ts';
import { runProviderSchema } from './run-provider-schema.ts';

const bytes = z.int().min(0);
const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const share = z
  .strictObject({
    value: ratio.describe('Share of the samples.'),
    low: ratio.describe('Lower end of the 95 % Wilson interval.'),
    high: ratio.describe('Upper end of the 95 % Wilson interval.'),
  })
  .describe('A share of the evaluation samples with its 95 % interval.');

export const scoreFields = {
  top1: share.nullable().describe('Highest score on the right class; null without labels.'),
  top5: share
    .nullable()
    .describe('Right class among the five highest; null without labels or with fewer than 6 classes.'),
};

export const comparisonSchema = z.strictObject({
  ...scoreFields,
  agreement: share.nullable().describe('Same highest class as the original model; null where outputs are not classes.'),
  sqnrDb: z.number().nullable().describe('Signal to quantization noise of the outputs; null where they are identical.'),
  cosine: z.number().min(-1).max(1).nullable().describe('Mean cosine between the outputs of both models.'),
  klDivergence: z
    .number()
    .min(0)
    .nullable()
    .describe('Mean KL divergence from the original, in nats, over softmax outputs.'),
});

export const pairedSchema = z.strictObject({
  b: count.describe('Right before, wrong after.'),
  c: count.describe('Wrong before, right after.'),
  difference: z.number().min(-1).max(1).describe('(b - c) / samples: positive is a loss.'),
  standardError: z.number().min(0).describe('sqrt(b + c) / samples.'),
});

const latencySamples = z.strictObject({
  medianMs: z.number().min(0),
  medianLowMs: z.number().min(0).describe('Lower end of the 95 % bootstrap interval, over rounds.'),
  medianHighMs: z.number().min(0).describe('Upper end of the 95 % bootstrap interval, over rounds.'),
  p90Ms: z.number().min(0),
  p99Ms: z.number().min(0).describe('Close to the slowest run where there are few.'),
  samples: z
    .array(z.number().min(0))
    .describe('Measured runs, in milliseconds, in order; many are thinned out evenly.'),
});

const pairedLatency = z.strictObject({
  cpu: z.string(),
  threads: z.int().min(1),
  rounds: z.int().min(1).describe('In each one both models had their turn.'),
  original: latencySamples,
  compressed: latencySamples,
  ratio: z.number().positive().describe('Compressed / original: median over the rounds of the ratio in each.'),
  ratioLow: z.number().positive().describe('Lower end of the 95 % bootstrap interval, over rounds or batches of them.'),
  ratioHigh: z
    .number()
    .positive()
    .describe('Upper end of the 95 % bootstrap interval, over rounds or batches of them.'),
  label: z.string().describe('Where it was measured.'),
});

/** Facts about a model file. */
export const modelFactsSchema = z
  .strictObject({
    path: z.string().describe('As it was given.'),
    name: z.string().describe('File name without extension.'),
    sha256: sha256.describe('Of the .onnx file; external data is not part of it.'),
    sizeBytes: bytes.describe('With external data.'),
    opsetImports: z.array(z.strictObject({ domain: z.string(), version: count })),
    parameters: count.describe('Elements of float initializers.'),
    macs: z.number().min(0).nullable().describe('Multiply-accumulates of one run; null where shapes are not known.'),
    nodes: count.describe('Nodes of the main graph.'),
  })
  .describe('A model file.');

const step = z.strictObject({
  name: z.string().describe('What a person calls it.'),
  pass: z.string().describe('The pass that did it.'),
  modified: z.boolean(),
  durationMs: z.number().min(0),
  onnxBytes: bytes.describe('Size of the model as an .onnx file after the step.'),
  changes: z
    .array(z.strictObject({ kind: z.string(), subject: z.string(), detail: z.string().optional() }))
    .describe('Facts: what was done to which node or initializer.'),
  loss: z
    .strictObject({
      sqnrDb: z.number().nullable().describe('Outputs after the step against the original; null where identical.'),
      agreement: ratio.nullable().describe('Samples with the same highest class; null where outputs are not classes.'),
      klDivergence: z
        .number()
        .min(0)
        .nullable()
        .describe('Mean KL divergence from the original, in nats; null where outputs are not classes.'),
      top1: ratio.nullable(),
      maxAbsoluteDifference: z.number().min(0).nullable(),
      samples: count,
    })
    .nullable()
    .describe('What the step cost, where it was measured.'),
});

const triple = { originalBytes: bytes, onnxBytes: bytes, epkBytes: bytes.nullable() };

const sizes = z
  .strictObject({
    ...triple,
    ortBytes: bytes.optional().describe("In the engine's own format, where that was written."),
    initializers: z
      .array(
        z.strictObject({
          name: z.string(),
          layer: z.string().nullable().describe('The node that computes with it; null where none does.'),
          dataType: z.string().describe('Element type in the compressed model, or in the original where it is gone.'),
          originalBytes: bytes.describe('0 where compression added it.'),
          quantizedBytes: bytes.describe('In the compressed .onnx; 0 where it is gone.'),
          codedBytes: bytes.nullable().describe('In the .epk; null where none was written.'),
          sparsityRatio: ratio.nullable().describe('Zeros / elements in the compressed model; null where not counted.'),
        }),
      )
      .describe('Every initializer of the original and of the compressed model.'),
    overhead: z.strictObject(triple).describe('What is not an initializer: graph, names, container.'),
  })
  .describe('Where the bytes are. Initializers and overhead add up to the file sizes.');

const answerBits = z
  .string()
  .regex(/^[A-Za-z0-9+/]*={0,2}$/)
  .nullable()
  .describe('A bit for every sample, eight in a byte, the first in the lowest bit; null where not known.');

const perSample = z
  .strictObject({
    dataSha256: sha256.describe('Of the samples in their order, the preprocessing and the labels.'),
    correct: answerBits.describe('Whether the highest class is the right one.'),
    agrees: answerBits.describe("Whether the highest class is the original's."),
  })
  .describe('Answers of the compressed model in exact arithmetic, for comparing later models sample by sample.');

const accuracy = z
  .strictObject({
    samples: count,
    labelled: z.boolean(),
    metric: z.enum(['top1', 'agreement', 'sqnr']).describe('What the comparison rests on.'),
    original: z.strictObject(scoreFields).describe('The original model.'),
    exact: comparisonSchema.nullable().describe("The compressed model in the target's arithmetic."),
    host: comparisonSchema.nullable().describe("The compressed model by this host's engine as it comes."),
    paired: pairedSchema.nullable().describe('Sample by sample, original against exact; null without labels.'),
    perSample: perSample.nullable().optional().describe('null where outputs are not class scores.'),
    limit: z
      .strictObject({
        maxAccuracyDropPoints: z.number().min(0),
        dropPoints: z.number(),
        met: z.boolean().describe('False where the loss exceeds the limit by more than two standard errors.'),
      })
      .nullable()
      .describe('--max-accuracy-drop; null where nothing could be judged.'),
    note: z.string().nullable().describe('One line on a difference between exact and host, where there is one.'),
  })
  .describe('Measured on the evaluation samples, which decided nothing.');

/** `report.json`: everything one run of `compress` found out. What was not measured is null and has a reason in `missing`. */
export const reportSchema = z
  .strictObject({
    reportVersion: z.literal(1),
    tool: z.strictObject({ name: z.literal('edgepack'), version: z.string() }),
    model: modelFactsSchema,
    target: targetSchema.omit({ latency: true }),
    provider: runProviderSchema.optional().describe('What it was made for; absent in reports of older versions.'),
    recipe: recipeSchema.describe('As it ran: with the options of the command line filled in.'),
    data: z
      .strictObject({
        calibration: z.strictObject({ path: z.string(), samples: count }).nullable(),
        evaluation: z.strictObject({ path: z.string(), samples: count }).nullable(),
      })
      .describe('What calibrated and what evaluated.'),
    steps: z.array(step),
    sizes,
    accuracy: accuracy.nullable(),
    layers: z.array(
      z.strictObject({
        name: z.string(),
        opType: z.string(),
        precision: z.enum(['int8', 'float']),
        sqnrDb: z.number().nullable().describe('Output of the layer against the original; null where not measured.'),
        reason: z.string().nullable().describe('Why it stays in float.'),
      }),
    ),
    integerShare: z
      .strictObject({
        conv: ratio.nullable().describe('null where the model has none.'),
        gemm: ratio.nullable().describe('null where the model has none.'),
        matmul: ratio.nullable().describe('null where the model has none.'),
        total: ratio.nullable(),
        source: z.string().describe('What it was read from.'),
      })
      .nullable()
      .describe('Share of the multiply-accumulates that run in integer kernels.'),
    execution: executionSchema.optional().describe('Absent in reports of older versions.'),
    latency: z.strictObject({
      host: pairedLatency.nullable().describe('On this host, which is not the target.'),
      device: pairedLatency.optional().describe('On the device of --device; absent where none was given.'),
      predicted: z
        .strictObject({ original: latencyPredictionSchema.nullable(), compressed: latencyPredictionSchema.nullable() })
        .optional()
        .describe('On the target, told from measured rows of other networks; absent in reports of older versions.'),
    }),
    memory: z
      .strictObject({
        enginePeakBytes: bytes.nullable().describe('Highest resident memory of the engine process.'),
        toolPeakBytes: bytes.nullable().describe('Highest resident memory of edgepack itself.'),
        demand: z
          .strictObject({ original: memoryDemandSchema, compressed: memoryDemandSchema })
          .optional()
          .describe('What the models need on the device, told from their graphs; absent in reports of older versions.'),
      })
      .nullable(),
    missing: z
      .record(z.string(), z.string())
      .describe(
        'Why a part is null, by its path: accuracy, integerShare, latency.host, latency.predicted.original and .compressed, memory, sizes.epkBytes.',
      ),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    outputs: z.array(z.strictObject({ path: z.string(), sha256, sizeBytes: bytes })),
    versions: z.strictObject({ node: z.string(), onnxruntime: z.string().nullable(), edgepack: z.string() }),
    seed: count,
    commandLine: z.string().nullable().describe('null where the API was called.'),
  })
  .superRefine((report, context) => {
    for (const [path, value] of [
      ['accuracy', report.accuracy],
      ['integerShare', report.integerShare],
      ['latency.host', report.latency.host],
      ['latency.predicted.original', report.latency.predicted?.original],
      ['latency.predicted.compressed', report.latency.predicted?.compressed],
      ['memory', report.memory],
      ['sizes.epkBytes', report.sizes.epkBytes],
    ] as const) {
      if (value === null && report.missing[path] === undefined) {
        context.addIssue({ code: 'custom', path: ['missing', path], message: `${path} is null without a reason` });
      }
      if (value !== null && value !== undefined && report.missing[path] !== undefined) {
        context.addIssue({ code: 'custom', path: ['missing', path], message: `${path} is there and missing at once` });
      }
    }
    for (const message of sizeMistakes(report.sizes)) {
      context.addIssue({ code: 'custom', path: ['sizes'], message });
    }
  })
  .describe('The report of one run of edgepack compress.');

/** All that `compress` did and measured: what `report.json` holds. */
export type Report = z.output<typeof reportSchema>;
export type ModelFacts = z.output<typeof modelFactsSchema>;
export type ReportSizes = Report['sizes'];
export type ReportStep = Report['steps'][number];
export type ReportAccuracy = NonNullable<Report['accuracy']>;
export type ReportComparison = NonNullable<ReportAccuracy['exact']>;
export type ReportLatency = NonNullable<Report['latency']['host']>;

/** What does not add up in a size table: empty where every byte has an owner. */
function sizeMistakes(table: z.output<typeof sizes>): readonly string[] {
  const sum = (pick: (entry: (typeof table.initializers)[number]) => number) =>
    table.initializers.reduce((total, entry) => total + pick(entry), 0);
  const mistakes: string[] = [];
  const check = (what: string, parts: number, whole: number) => {
    if (parts !== whole) mistakes.push(`${what}: initializers and overhead are ${parts} bytes, the file is ${whole}`);
  };
  check('original', sum((entry) => entry.originalBytes) + table.overhead.originalBytes, table.originalBytes);
  check('onnx', sum((entry) => entry.quantizedBytes) + table.overhead.onnxBytes, table.onnxBytes);
  if (table.epkBytes !== null) {
    check('epk', sum((entry) => entry.codedBytes ?? 0) + (table.overhead.epkBytes ?? 0), table.epkBytes);
  }
  return mistakes;
}
