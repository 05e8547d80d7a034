import type { Diff, DiffNode } from '../../src/report/diff-schema.ts';
import { exampleReport } from './example-report.ts';

const node = (name: string, opType: string, domain = ''): DiffNode => ({ name, opType, domain });
const constant = (name: string, dataType = 'float32') => ({
  name,
  dataType,
  dequantized: dataType === 'int8',
  shape: [16, 8, 3, 3],
  sizeBytes: dataType === 'int8' ? 1152 : 4608,
});

/** A comparison with a change of every kind; `name` makes names of what models name. */
export function exampleDiff(name: (text: string) => string = (text) => text): Diff {
  const { model } = exampleReport();
  const conv = node(name('stem'), 'Conv');
  const plain = { details: [], companions: [] };
  const detail = (
    what: Diff['nodes']['changes'][number]['details'][number]['what'],
    a: string | null,
    b: string | null,
  ) => ({
    what,
    name: name('kernel_shape'),
    a,
    b,
  });
  return {
    diffVersion: 1,
    a: { ...model, path: name('a.onnx'), fileBytes: model.sizeBytes },
    b: { ...model, path: name('b.epk'), name: name('b'), sizeBytes: 90_000, fileBytes: 70_000, nodes: 30 },
    identical: false,
    properties: [{ name: name('metadata author'), a: null, b: name('someone') }],
    inputs: [
      {
        kind: 'changed',
        a: { name: name('image'), dataType: 'float32', shape: [1, 3, 224, 224] },
        b: { name: name('image'), dataType: 'float32', shape: [name('N'), 3, null, 224] },
      },
    ],
    outputs: [{ kind: 'added', a: null, b: { name: name('features'), dataType: 'float32', shape: null } }],
    nodes: {
      unchanged: 12,
      changes: [
        { kind: 'changed', a: conv, b: conv, details: [detail('attribute', '[3, 3]', name('[5, 5]'))], companions: [] },
        {
          kind: 'replaced',
          a: node('act', 'Relu'),
          b: node('act', 'Clip'),
          details: [detail('operator', 'Relu', 'Clip')],
          companions: [],
        },
        {
          kind: 'quantized',
          a: conv,
          b: conv,
          details: [
            detail('precision', 'float', 'int8'),
            detail('weights', name('w'), name('w_q')),
            detail('inputs', null, name('bias')),
          ],
          companions: [
            node('dq', 'DequantizeLinear'),
            node('dq2', 'DequantizeLinear'),
            node('x', name('Magic'), name('my.domain')),
          ],
        },
        { kind: 'removed', a: node(name('gone'), 'Dropout'), b: null, ...plain },
        { kind: 'added', a: null, b: node(name('new'), 'Identity'), ...plain },
        {
          kind: 'renamed',
          a: node(name('old'), 'Add'),
          b: node(name('younger'), 'Add'),
          details: [detail('name', name('old'), name('younger'))],
          companions: [],
        },
      ],
    },
    weights: {
      identical: 3,
      changes: [
        {
          kind: 'changed',
          a: constant(name('stem.weight')),
          b: constant(name('stem.weight_q'), 'int8'),
          layer: conv,
          quantizationParameter: false,
          folded: true,
          distance: {
            maxAbsoluteError: 0.0123,
            sqnrDb: 41.2,
            changedRatio: 0.99,
            sparsityRatioA: 0,
            sparsityRatioB: 0.01,
            transposed: false,
          },
        },
        {
          kind: 'added',
          a: null,
          b: constant(name('scale')),
          layer: conv,
          quantizationParameter: true,
          folded: false,
          distance: null,
        },
        {
          kind: 'removed',
          a: constant(name('mean')),
          b: null,
          layer: null,
          quantizationParameter: false,
          folded: false,
          distance: null,
        },
      ],
    },
    layers: [
      { a: conv, b: conv, bytesA: 4608, bytesB: 1152 },
      { a: node('norm', 'BatchNormalization'), b: null, bytesA: 128, bytesB: 0 },
    ],
    values: {
      data: name('photos'),
      samples: 8,
      seed: null,
      firstDifference: 1,
      all: Array.from({ length: 9 }, (_, i) => ({
        a: name(`v${i}`),
        b: name(`v${i}`),
        node: node(name(`layer${i}`), 'Conv'),
        graphOutput: i === 8,
        sqnrDb: i === 0 ? null : 60 - 4 * i,
        maxAbsoluteError: i === 0 ? 0 : 0.01 * i,
        nonFiniteCount: 0,
      })),
    },
    warnings: [{ code: 'not-run', message: name('something') }],
  };
}
