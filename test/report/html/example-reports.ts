import type { Report } from '../../../src/report/report-schema.ts';
import { exampleReport } from '../example-report.ts';

type Row = Report['sizes']['initializers'][number];

/** A pruned model with `count` layers, some of them in float; every byte has an owner. */
export function largeReport(
  count: number,
  nameOf = (i: number) => `/encoder/layer.${i >> 3}/part.${i & 7}/MatMul`,
): Report {
  const base = exampleReport();
  const initializers: Row[] = Array.from({ length: count }, (_, i) => ({
    name: `onnx::MatMul_${i}`,
    layer: nameOf(i),
    dataType: i % 9 === 4 ? 'float32' : 'int8',
    originalBytes: 4000 * (1 + (i % 13)),
    quantizedBytes: (i % 9 === 4 ? 4000 : 1000) * (1 + (i % 13)),
    codedBytes: (i % 9 === 4 ? 3600 : 700) * (1 + (i % 13)),
    sparsityRatio: i % 9 === 4 ? null : (i % 10) / 10,
  }));
  const sum = (pick: (row: Row) => number) => initializers.reduce((total, row) => total + pick(row), 0);
  const [original, onnx, epk] = [
    sum((row) => row.originalBytes),
    sum((row) => row.quantizedBytes),
    sum((row) => row.codedBytes!),
  ];
  const prune: Report['steps'][number] = {
    ...base.steps[0]!,
    name: 'Prune',
    pass: 'prune-magnitude',
    onnxBytes: original + 5000,
    changes: initializers.map(({ layer }) => ({
      kind: 'prune-magnitude',
      subject: layer!,
      detail: 'sparsityRatio 0.5',
    })),
    loss: { sqnrDb: 22, agreement: 0.985, klDivergence: 0.004, top1: 0.96, maxAbsoluteDifference: 1, samples: 200 },
  };
  return {
    ...base,
    steps: [{ ...base.steps[0]!, onnxBytes: original + 5000 }, prune, { ...base.steps[1]!, onnxBytes: onnx + 9000 }],
    sizes: {
      originalBytes: original + 5000,
      onnxBytes: onnx + 9000,
      epkBytes: epk + 2000,
      initializers,
      overhead: { originalBytes: 5000, onnxBytes: 9000, epkBytes: 2000 },
    },
    layers: initializers.map(({ layer }, i) => ({
      name: layer!,
      opType: 'MatMul',
      precision: i % 9 === 4 ? 'float' : 'int8',
      sqnrDb: i % 9 === 4 ? null : 15 + ((i * 7) % 29),
      reason: i % 9 === 4 ? 'product of two activations' : null,
    })),
    warnings: [{ code: 'sparsity', message: 'zeros make the .epk smaller' }],
    latency: {
      host: {
        ...base.latency.host!,
        original: {
          medianMs: 8.1,
          medianLowMs: 7.9,
          medianHighMs: 8.3,
          p99Ms: 9.5,
          p90Ms: 9.4,
          samples: Array.from({ length: 120 }, (_, i) => 7.5 + ((i * 37) % 120) / 60),
        },
        compressed: {
          medianMs: 4,
          medianLowMs: 3.9,
          medianHighMs: 4.1,
          p99Ms: 4.8,
          p90Ms: 4.6,
          samples: Array.from({ length: 120 }, (_, i) => 3.7 + ((i * 53) % 120) / 110),
        },
        ratio: 4 / 8.1,
        ratioLow: 3.9 / 8.1,
        ratioHigh: 4.1 / 8.1,
      },
    },
  };
}

/** A run without data: nothing was measured. */
export function bareReport(): Report {
  const base = exampleReport();
  return {
    ...base,
    data: { calibration: null, evaluation: null },
    steps: [],
    sizes: {
      ...base.sizes,
      epkBytes: null,
      initializers: base.sizes.initializers.map((row) => ({ ...row, codedBytes: null, layer: null })),
      overhead: { ...base.sizes.overhead, epkBytes: null },
    },
    accuracy: null,
    layers: [],
    integerShare: null,
    latency: { host: null },
    memory: null,
    missing: {
      accuracy: 'there were no evaluation samples',
      integerShare: 'no run',
      'latency.host': 'no run',
      memory: 'not known here',
      'sizes.epkBytes': 'none was written',
    },
    outputs: [],
    commandLine: null,
  };
}

export const hostileName =
  '</script><img src=x onerror=alert(1)>"\'`&amp;\u202e\u0000\n{{7*7}}]]>--><svg onload=alert(2)>';

/** Every text that a model or a path can bring is hostile. */
export function hostileReport(): Report {
  const report = largeReport(30, (i) => `${hostileName}${i}`);
  return {
    ...report,
    model: { ...report.model, path: `${hostileName}.onnx`, name: hostileName },
    target: { ...report.target, displayName: hostileName },
    data: { calibration: { path: hostileName, samples: 1 }, evaluation: { path: hostileName, samples: 1 } },
    steps: report.steps.map((step) => ({
      ...step,
      name: hostileName,
      pass: hostileName,
      changes: [{ kind: hostileName, subject: hostileName, detail: hostileName }],
    })),
    layers: report.layers.map((layer) => ({
      ...layer,
      opType: hostileName,
      reason: layer.reason === null ? null : hostileName,
    })),
    sizes: {
      ...report.sizes,
      initializers: report.sizes.initializers.map((row) => ({ ...row, name: hostileName, dataType: hostileName })),
    },
    accuracy: { ...report.accuracy!, note: hostileName },
    integerShare: { ...report.integerShare!, source: hostileName },
    latency: { host: { ...report.latency.host!, cpu: hostileName, label: hostileName } },
    warnings: [{ code: hostileName, message: hostileName }],
    missing: { [hostileName]: hostileName },
    outputs: [{ path: `${hostileName}.epk`, sha256: 'b'.repeat(64), sizeBytes: 1 }],
    commandLine: `edgepack compress ${hostileName}`,
  };
}
