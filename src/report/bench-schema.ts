import { z } from 'zod';
import { modelFactsSchema } from './report-schema.ts';

const count = z.int().min(0);
const milliseconds = z.number().min(0);
const share = z.number().min(0).max(1);
const megahertz = z.number().positive().nullable();
const degrees = z.number().nullable();
const throttlingCause = z.enum(['under-voltage', 'frequency-capped', 'throttled', 'soft-temperature-limit']);
const interval = z
  .strictObject({ low: z.number().min(0), high: z.number().min(0) })
  .describe('95 % bootstrap interval.');

const quantile = z.strictObject({
  valueMs: milliseconds,
  interval: interval.nullable().describe('In ms; null where fewer than 5 runs lie beyond the quantile.'),
});

const kernel = z.enum(['int8', 'float', 'conversion', 'other']);

const measuredModel = z.strictObject({
  label: z.string(),
  median: quantile,
  p90: quantile,
  p99: quantile,
  minMs: milliseconds,
  maxMs: milliseconds,
  ratio: z
    .strictObject({ value: z.number().positive(), interval })
    .nullable()
    .describe('Times the first model: median over the rounds of the ratio of their medians; null for the first.'),
  roundVariation: z.number().min(0).describe('Standard deviation of the medians of the rounds over their mean.'),
  drift: z.number().positive().describe('Median of the last third of the rounds over that of the first third.'),
  blockLength: z.int().min(1).describe('Rounds drawn together for the intervals.'),
  roundsMs: z.array(z.array(milliseconds)).describe('Every run that counts, in ms, in order, by round.'),
});

const measurement = z
  .strictObject({
    threads: z.int().min(1),
    rounds: z.int().min(1),
    stopped: z
      .enum(['precision', 'time', 'rounds'])
      .describe('Why it ended: known precisely enough, time over, all rounds done.'),
    elapsedMs: milliseconds,
    orders: z.array(z.array(count)).describe('Of every round, the order of the turns, as indices of models.'),
    load: z.strictObject({
      loadAverage: z.number().min(0).nullable().describe('Over the last minute, before the first round.'),
      otherBusyCores: z.number().min(0).nullable().describe('Cores that other processes kept busy on average.'),
      stealShare: share.nullable().describe('Processor time that the hypervisor gave to others.'),
      frequencyMhz: z.strictObject({ before: megahertz, after: megahertz }).describe('Of the first core.'),
      temperatureC: z.strictObject({ before: degrees, after: degrees }).describe('Of the processor.'),
      throttling: z
        .strictObject({ during: z.array(throttlingCause), sinceBoot: z.array(throttlingCause) })
        .nullable()
        .describe("What slowed the board down, as a Raspberry Pi's firmware tells; null where nothing does."),
    }),
    models: z.array(measuredModel).describe('In the order of the command line.'),
  })
  .describe('All models with one number of threads.');

const profile = z.strictObject({
  label: z.string(),
  threads: z.int().min(1),
  runs: z.int().min(1),
  nodeMs: milliseconds.describe(
    'Time in kernels per run, the sum of the medians of its nodes; profiling itself slows a run down.',
  ),
  shares: z
    .strictObject({ int8: share, float: share, conversion: share, other: share })
    .describe('Of the time in kernels. conversion: quantizing and dequantizing; other: shapes, masks, indices.'),
  operators: z.array(z.strictObject({ opType: z.string(), kernel, nodes: count, runMs: milliseconds, share })),
  nodes: z
    .array(
      z.strictObject({
        name: z.string(),
        opType: z.string().describe("The engine's operator, after its optimisations."),
        kernel,
        provider: z.string().describe('Execution provider.'),
        runMs: milliseconds,
        share,
        outputShape: z.array(count).nullable(),
      }),
    )
    .describe('The slowest ones, at most 100.'),
  nodeCount: count.describe('Nodes that the engine ran.'),
});

/** What `edgepack bench --json` prints. */
export const benchSchema = z
  .strictObject({
    benchVersion: z.literal(1),
    tool: z.strictObject({ name: z.literal('edgepack'), version: z.string() }),
    source: z
      .strictObject({
        kind: z.enum(['host', 'device']).describe('The machine that ran edgepack, or one that it reached over ssh.'),
        address: z.string().nullable().describe('Of the device, without the user; null for the host.'),
        label: z.string().describe('Where it was measured, and of the host that this is not the target.'),
        cpu: z.string(),
        architecture: z.string(),
        platform: z.string(),
        logicalCores: z.int().min(1),
        physicalCores: z.int().min(1).nullable(),
        memoryBytes: count,
        governor: z.string().nullable().describe("Of the first core's frequency."),
        maxFrequencyMhz: megahertz,
        engine: z.strictObject({ name: z.literal('onnxruntime'), version: z.string(), executionProvider: z.string() }),
      })
      .describe('Where the figures come from.'),
    target: z.strictObject({ name: z.string(), displayName: z.string() }),
    inputs: z.strictObject({
      kind: z.enum(['synthetic', 'data']),
      path: z.string().nullable().describe('Of the data; its first sample was run.'),
      sizes: z
        .record(z.string(), z.int().min(1))
        .describe('Sizes taken for open dimensions of made-up inputs, by name.'),
    }),
    models: z.array(
      z.strictObject({
        label: z.string(),
        file: z.string().describe('As it was given; an .epk is unpacked first.'),
        facts: modelFactsSchema,
        inputs: z.array(z.strictObject({ name: z.string(), dataType: z.string(), dims: z.array(count) })),
        loadMs: milliseconds.describe('Until the engine could run it, in a process of its own.'),
        enginePeakBytes: count.describe('Highest resident memory of a process of the engine with this model alone.'),
        engineIdleBytes: count.describe('The same before the model was loaded.'),
      }),
    ),
    schedule: z.strictObject({
      warmup: count,
      maxRounds: z.int().min(1),
      maxSeconds: z.number().positive(),
      precisionPercent: z.number().min(0),
      turnMs: milliseconds,
      seed: count,
    }),
    measurements: z.array(measurement).min(1).describe('One for each number of threads, measured one after the other.'),
    profiles: z.array(profile).nullable().describe('null unless asked for.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    versions: z.strictObject({
      node: z.string().describe('Of what ran the engine.'),
      onnxruntime: z.string(),
      edgepack: z.string(),
    }),
    commandLine: z.string().nullable(),
  })
  .describe('What edgepack bench measures.');

/** What `bench` measures. */
export type BenchResult = z.output<typeof benchSchema>;
export type BenchMeasurement = BenchResult['measurements'][number];
export type BenchProfile = NonNullable<BenchResult['profiles']>[number];
