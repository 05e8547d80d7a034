import type { BenchMeasurement, BenchResult } from '../../src/report/bench-schema.ts';
import { exampleReport } from '../report/example-report.ts';

type Model = BenchMeasurement['models'][number];

function timed(label: string, valueMs: number, ratio: Model['ratio']): Model {
  const interval = { low: valueMs * 0.98, high: valueMs * 1.02 };
  return {
    label,
    median: { valueMs, interval },
    p90: { valueMs: valueMs * 1.1, interval: { low: valueMs * 1.05, high: valueMs * 1.2 } },
    p99: { valueMs: valueMs * 1.5, interval: null },
    minMs: valueMs * 0.9,
    maxMs: valueMs * 2,
    ratio,
    roundVariation: 0.03,
    drift: 1,
    blockLength: 1,
    roundsMs: Array.from({ length: 20 }, (_, i) => [valueMs * (0.95 + i / 200), valueMs * (0.95 + i / 200)]),
  };
}

/** Two models that were timed with one and with four threads, and profiled. */
export function exampleBench(ratio: Model['ratio'] = { value: 0.6, interval: { low: 0.58, high: 0.63 } }): BenchResult {
  const measurement = (threads: number): BenchMeasurement => ({
    threads,
    rounds: 20,
    stopped: 'precision',
    elapsedMs: 1700,
    orders: Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? [0, 1] : [1, 0])),
    load: {
      loadAverage: 0.1,
      otherBusyCores: 0.02,
      stealShare: 0,
      frequencyMhz: { before: null, after: null },
      temperatureC: { before: null, after: null },
      throttling: null,
    },
    models: [timed('model.onnx', 4 / threads, null), timed('small.epk', 2.4 / threads, ratio)],
  });
  const model = (label: string) => ({
    label,
    file: `models/${label}`,
    facts: exampleReport().model,
    inputs: [{ name: 'image', dataType: 'float32', dims: [1, 784] }],
    loadMs: 12,
    enginePeakBytes: 92_000_000,
    engineIdleBytes: 62_000_000,
  });
  return {
    benchVersion: 1,
    tool: { name: 'edgepack', version: '1.2.3' },
    source: {
      kind: 'host',
      address: null,
      label: 'measured on this host (Example CPU, 1, 4 threads), not on the target',
      cpu: 'Example CPU',
      architecture: 'x64',
      platform: 'linux',
      logicalCores: 4,
      physicalCores: null,
      memoryBytes: 8_000_000_000,
      governor: null,
      maxFrequencyMhz: null,
      engine: { name: 'onnxruntime', version: '1.30.0', executionProvider: 'CPUExecutionProvider' },
    },
    target: { name: 'rpi4', displayName: 'Raspberry Pi 4 Model B' },
    inputs: { kind: 'synthetic', path: null, sizes: { batch: 1 } },
    models: [model('model.onnx'), model('small.epk')],
    schedule: { warmup: 5, maxRounds: 200, maxSeconds: 30, precisionPercent: 1, turnMs: 20, seed: 0 },
    measurements: [measurement(1), measurement(4)],
    profiles: [
      {
        label: 'small.epk',
        threads: 1,
        runs: 50,
        nodeMs: 2,
        shares: { int8: 0.75, float: 0, conversion: 0.25, other: 0 },
        operators: [
          { opType: 'QLinearConv', kernel: 'int8', nodes: 1, runMs: 1.5, share: 0.75 },
          { opType: 'QuantizeLinear', kernel: 'conversion', nodes: 1, runMs: 0.5, share: 0.25 },
        ],
        nodes: [
          {
            name: 'stem',
            opType: 'QLinearConv',
            kernel: 'int8',
            provider: 'CPUExecutionProvider',
            runMs: 1.5,
            share: 0.75,
            outputShape: [1, 8, 28, 28],
          },
          {
            name: 'in\u202equantize',
            opType: 'QuantizeLinear',
            kernel: 'conversion',
            provider: 'CPUExecutionProvider',
            runMs: 0.5,
            share: 0.25,
            outputShape: null,
          },
        ],
        nodeCount: 2,
      },
    ],
    warnings: [{ code: 'load', message: 'with 1 thread: other programs kept 1.0 of 4 cores busy' }],
    versions: { node: '20.0.0', onnxruntime: '1.30.0', edgepack: '1.2.3' },
    commandLine: 'edgepack bench models/model.onnx models/small.epk',
  };
}
