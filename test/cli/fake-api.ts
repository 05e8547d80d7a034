import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliApi } from '../../src/cli/cli-api.ts';
import type { CliProcess } from '../../src/cli/cli-process.ts';
import { run } from '../../src/cli/run.ts';
import type { Diagnosis } from '../../src/pipeline/diagnose.ts';
import type { Evaluation } from '../../src/report/evaluation-schema.ts';
import type { Inspection } from '../../src/report/inspection-schema.ts';
import type { Prediction } from '../../src/report/prediction-schema.ts';
import { costFeatures } from '../../src/targets/cost-features.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { exampleDiff } from '../report/example-diff.ts';
import { exampleDemand, exampleReport } from '../report/example-report.ts';
import { exampleBench } from './example-bench.ts';
import { exampleCalibration } from './example-calibration.ts';
import { exampleCheck } from './example-check.ts';

const file = { path: 'model.onnx', sizeBytes: 1000, sha256: 'd'.repeat(64) };

const packedTensor = { name: 'conv.weight', file: 'model.onnx', dataType: 'int8', shape: [16, 25], sizeBytes: 400 };

export const exampleInspection: Inspection = {
  inspectionVersion: 1,
  model: exampleReport().model,
  inputs: [{ name: 'image', dataType: 'float32', shape: ['batch', 784] }],
  outputs: [{ name: 'scores', dataType: 'float32', shape: null }],
  operators: [
    { domain: '', opType: 'Relu', count: 1, macs: 0 },
    { domain: '', opType: 'Gemm', count: 2, macs: 101_632 },
    { domain: 'com.example', opType: 'Magic', count: 1, macs: null },
  ],
  unknownDomains: ['com.example'],
  layers: Array.from({ length: 14 }, (_, i) => ({
    name: `/block${i}/Gemm`,
    opType: 'Gemm',
    parameters: 1000 + i,
    weightBytes: 4000 + 4 * i,
    dataType: 'float32',
    macs: 1000,
  })),
  bytesByType: [{ dataType: 'float32', initializers: 28, sizeBytes: 401_000 }],
  memory: exampleDemand(401_000, 4000),
  quantization: {
    state: 'mixed',
    blockers: [{ subject: 'com.example.Magic', reason: 'unknown operator' }],
    saturation: { possible: true, where: [{ node: '/block0/Gemm', worstPairSum: 64_770 }], on: 'x86 without VNNI' },
  },
  warnings: [],
};

const share = (value: number) => ({ value, low: value - 0.02, high: value + 0.02 });
export const exampleEvaluation: Evaluation = {
  evaluationVersion: 1,
  model: file,
  against: { ...file, path: 'original.onnx' },
  target: 'rpi4',
  arithmetic: 'exact',
  data: { path: 'd.npz', samples: 500, labelled: true },
  exact: { top1: share(0.9), top5: null },
  host: { top1: share(0.89), top5: null },
  device: null,
  comparison: {
    against: { top1: share(0.91), top5: null },
    exact: { top1: share(0.9), top5: null, agreement: share(0.97), sqnrDb: 25, cosine: 0.999, klDivergence: 0.01 },
    host: { top1: share(0.89), top5: null, agreement: share(0.96), sqnrDb: 22, cosine: 0.998, klDivergence: 0.02 },
    device: null,
    paired: { b: 7, c: 2, difference: 0.01, standardError: 0.006 },
  },
  deviceNote: null,
  note: 'This host saturates; the target does not.',
};

export const exampleDiagnosis: Diagnosis = {
  ok: true,
  version: '1.2.3',
  platform: 'linux arm64',
  checks: [{ name: 'engine', ok: true, detail: 'ONNX Runtime 1.30.0', hint: null }],
};

export const examplePrediction: Prediction = {
  predictVersion: 1,
  tool: { name: 'edgepack', version: '1.2.3' },
  model: exampleReport().model,
  target: { name: 'rpi4', displayName: 'Raspberry Pi 4 Model B' },
  question: { engine: 'ncnn', precision: null, threads: 4, originalMs: null },
  network: {
    layers: 30,
    features: Object.fromEntries(costFeatures.map((name) => [name, 0.5])) as Prediction['network']['features'],
    unfamiliarShare: 0,
  },
  prediction: {
    label: 'predicted, not measured',
    latencyMs: 62,
    lowMs: 50,
    highMs: 80,
    coverage: 0.9,
    tested: { rowsCovered: 18, rows: 20 },
    engine: 'ncnn',
    engineVersion: 'abc (2023-06-15)',
    precision: 'fp32',
    threads: 4,
    osBits: 64,
    origin: 'published',
    source: 'someone/something@1234:README.md',
    calibration: null,
    widened: [],
  },
  missing: null,
  memory: {
    demand: exampleDemand(401_000, 4000),
    deviceMinSizeBytes: 2 ** 30,
    deviceMaxSizeBytes: 2 ** 33,
    warning: null,
  },
};

/** A call of the API, as the commands made it. */
export type Call = { readonly name: string; readonly args: readonly unknown[] };

export function fakeApi(calls: Call[] = [], change: Partial<CliApi> = {}): CliApi {
  const record =
    <Result>(name: string, result: Result) =>
    (...args: unknown[]) => {
      calls.push({ name, args });
      return Promise.resolve(result);
    };
  return {
    version: '1.2.3',
    compress: record('compress', { report: exampleReport(), plan: null, outputs: [file] }),
    inspect: record('inspect', exampleInspection),
    evaluate: record('evaluate', exampleEvaluation),
    bench: record('bench', exampleBench()),
    predict: record('predict', examplePrediction),
    diff: record('diff', { ...exampleDiff(), identical: true }),
    check: record('check', exampleCheck()),
    calibrate: record('calibrate', exampleCalibration()),
    describeCalibration: () => undefined,
    cleanDeviceCache: record('cleanDeviceCache', true),
    pack: record('pack', { onnx: file, epk: { ...file, path: 'model.epk', sizeBytes: 400 } }),
    unpack: record('unpack', { onnx: file, epk: { ...file, path: 'model.epk', sizeBytes: 400 } }),
    renderReport: record('renderReport', { ...file, path: 'out/report.html' }),
    listPackedTensors: record('listPackedTensors', [packedTensor]),
    unpackTensor: record('unpackTensor', { tensor: packedTensor, path: 'w.npy', sizeBytes: 528 }),
    diagnose: record('diagnose', exampleDiagnosis),
    listTargets,
    loadTarget,
    ...change,
  };
}

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly Call[];
}

export interface CliSettings {
  readonly api?: Partial<CliApi>;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly stdin?: CliProcess['stdin'];
  /** Gets the listeners of signals, so that a test can send one. */
  readonly onSignal?: (signal: string, listener: () => void) => void;
}

/** Runs one command line in this process and collects what it writes. */
export async function runCli(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
  const calls: Call[] = [];
  let stdout = '';
  let stderr = '';
  const terminal = settings.isTTY === true ? { isTTY: true, columns: 100 } : {};
  const process: CliProcess = {
    argv: ['node', 'edgepack', ...args],
    env: settings.env ?? {},
    stdin: settings.stdin,
    cwd: () => settings.cwd ?? mkdtempSync(join(tmpdir(), 'edgepack-cli-')),
    stdout: { ...terminal, write: (text) => (stdout += text) },
    stderr: { ...terminal, write: (text) => (stderr += text) },
    on: (signal, listener) => settings.onSignal?.(signal, listener),
    off: () => undefined,
  };
  const exitCode = await run(process, fakeApi(calls, settings.api));
  return { exitCode, stdout, stderr, calls };
}
