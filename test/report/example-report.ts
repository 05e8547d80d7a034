import { loadRecipe } from '../../src/recipes/load-recipe.ts';
import type { MemoryDemand } from '../../src/report/memory-schema.ts';
import type { Report } from '../../src/report/report-schema.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

const { latency: _, ...target } = loadTarget('rpi4');

/** A complete report with made-up numbers that add up; the parts of `change` replace its own. */
export function exampleReport(change: Partial<Report> = {}): Report {
  return {
    reportVersion: 1,
    tool: { name: 'edgepack', version: '0.1.0' },
    model: {
      path: 'models/digits.onnx',
      name: 'digits',
      sha256: 'a'.repeat(64),
      sizeBytes: 407_500,
      opsetImports: [{ domain: '', version: 17 }],
      parameters: 101_770,
      macs: 101_632,
      nodes: 5,
    },
    target,
    recipe: loadRecipe('accurate'),
    data: { calibration: { path: 'digits.npz', samples: 200 }, evaluation: { path: 'digits.npz', samples: 200 } },
    steps: [
      {
        name: 'Optimise',
        pass: 'optimize',
        modified: true,
        durationMs: 12.5,
        onnxBytes: 407_100,
        changes: [
          { kind: 'identity removed', subject: 'drop1', detail: 'Dropout' },
          { kind: 'identity removed', subject: 'drop2', detail: 'Dropout' },
          { kind: 'constant folded', subject: 'shape', detail: 'Shape' },
        ],
        loss: { sqnrDb: null, agreement: 1, klDivergence: 0, top1: 0.97, maxAbsoluteDifference: 0, samples: 200 },
      },
      {
        name: 'Quantize',
        pass: 'quantize-static',
        modified: true,
        durationMs: 840,
        onnxBytes: 105_000,
        changes: [{ kind: 'quantized', subject: 'dense1', detail: 'Gemm' }],
        loss: {
          sqnrDb: 38.25,
          agreement: 0.995,
          klDivergence: 0.0012,
          top1: 0.965,
          maxAbsoluteDifference: 0.11,
          samples: 200,
        },
      },
    ],
    sizes: {
      originalBytes: 407_500,
      onnxBytes: 105_000,
      epkBytes: 81_000,
      initializers: [
        {
          name: 'w1',
          layer: 'dense1',
          dataType: 'int8',
          originalBytes: 401_408,
          quantizedBytes: 100_352,
          codedBytes: 77_000,
          sparsityRatio: 0.02,
        },
        {
          name: 'b1',
          layer: 'dense1',
          dataType: 'int32',
          originalBytes: 512,
          quantizedBytes: 512,
          codedBytes: 500,
          sparsityRatio: null,
        },
        {
          name: 'w1_scale',
          layer: 'dense1',
          dataType: 'float32',
          originalBytes: 0,
          quantizedBytes: 512,
          codedBytes: 480,
          sparsityRatio: null,
        },
      ],
      overhead: { originalBytes: 5_580, onnxBytes: 3_624, epkBytes: 3_020 },
    },
    accuracy: {
      samples: 200,
      labelled: true,
      metric: 'top1',
      original: { top1: { value: 0.97, low: 0.936, high: 0.986 }, top5: { value: 1, low: 0.981, high: 1 } },
      exact: {
        top1: { value: 0.965, low: 0.93, high: 0.983 },
        top5: { value: 1, low: 0.981, high: 1 },
        agreement: { value: 0.995, low: 0.972, high: 0.999 },
        sqnrDb: 38.25,
        cosine: 0.99991,
        klDivergence: 0.0012,
      },
      host: {
        top1: { value: 0.965, low: 0.93, high: 0.983 },
        top5: { value: 1, low: 0.981, high: 1 },
        agreement: { value: 0.995, low: 0.972, high: 0.999 },
        sqnrDb: 38.25,
        cosine: 0.99991,
        klDivergence: 0.0012,
      },
      paired: { b: 1, c: 0, difference: 0.005, standardError: 0.005 },
      limit: { maxAccuracyDropPoints: 1, dropPoints: 0.5, met: true },
      note: null,
    },
    layers: [
      { name: 'dense1', opType: 'Gemm', precision: 'int8', sqnrDb: 41.5, reason: null },
      { name: 'dense2', opType: 'Gemm', precision: 'float', sqnrDb: null, reason: 'int8 costs 9 dB here' },
    ],
    integerShare: { conv: null, gemm: 0.987, matmul: null, total: 0.987, source: "the engine's optimised graph" },
    latency: {
      host: {
        cpu: 'Example CPU',
        threads: 4,
        rounds: 20,
        original: {
          medianMs: 0.31,
          medianLowMs: 0.3,
          medianHighMs: 0.32,
          p90Ms: 0.4,
          p99Ms: 0.4,
          samples: [0.3, 0.31, 0.4],
        },
        compressed: {
          medianMs: 0.2,
          medianLowMs: 0.19,
          medianHighMs: 0.21,
          p90Ms: 0.25,
          p99Ms: 0.25,
          samples: [0.2, 0.2, 0.25],
        },
        ratio: 0.2 / 0.31,
        ratioLow: 0.62,
        ratioHigh: 0.67,
        label: 'measured on this host (Example CPU, 4 threads), not on the target',
      },
    },
    memory: {
      enginePeakBytes: 92_000_000,
      toolPeakBytes: 80_000_000,
      demand: { original: exampleDemand(401_000, 4000), compressed: exampleDemand(103_000, 1800) },
    },
    missing: {},
    warnings: [],
    outputs: [
      { path: 'out/digits.onnx', sha256: 'b'.repeat(64), sizeBytes: 105_000 },
      { path: 'out/digits.epk', sha256: 'c'.repeat(64), sizeBytes: 81_000 },
    ],
    versions: { node: '20.20.2', onnxruntime: '1.30.0', edgepack: '0.1.0' },
    seed: 0,
    commandLine: 'edgepack compress models/digits.onnx --target rpi4',
    ...change,
  };
}

/** What a small model needs of memory. */
export function exampleDemand(weightBytes: number, peakActivationBytes: number): MemoryDemand {
  return {
    weightBytes,
    peakActivationBytes,
    peakNode: { name: '/hidden/Gemm', opType: 'Gemm' },
    live: [{ name: 'image', sizeBytes: peakActivationBytes }],
    liveCount: 1,
    openDimensions: [],
    missing: null,
  };
}
