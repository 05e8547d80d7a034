import { afterAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { Model } from '../../../src/ir/model.ts';
import { attr } from '../../../src/ir/node.ts';
import { type Attribute, type Shape, tensorType } from '../../../src/ir/types.ts';
import { verify } from '../../../src/ir/verify.ts';
import { upgradeOpset } from '../../../src/passes/optimize/upgrade-opset.ts';
import type { PassResult } from '../../../src/passes/pass.ts';
import type { Feeds } from '../../../src/tensor/nd-array.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { ModelRunner, sameOutputs } from '../../formats/onnx/conformance-cases.ts';

const runner = new ModelRunner({ optimization: 'disabled' });
afterAll(() => runner.close());

interface Operator {
  readonly opset: number;
  readonly opType: string;
  readonly attributes?: readonly Attribute[];
  /** Shape of the data, whose elements are fixed and differ from each other; declared as `declared`. */
  readonly data?: readonly number[];
  readonly declared?: Shape;
  readonly constants?: readonly Tensor[];
  readonly outputs?: number;
}

function modelOf({
  opset,
  opType,
  attributes = [],
  data = [2, 3, 4],
  declared = data,
  constants = [],
  outputs = 1,
}: Operator) {
  const model = Model.create(opset, opset < 9 ? 3 : 4, 'g');
  const { graph } = model;
  const x = graph.addInput('x', tensorType(1, declared));
  const values = constants.map((tensor) => graph.addInitializer(tensor));
  if (opset < 9) graph.inputs.push(...values);
  const outputNames = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const node = graph.create(opType, [x, ...values], { name: 'op', attributes, outputNames });
  graph.outputs.push(...node.outputs);
  for (const value of node.outputs)
    value.type = tensorType(opType === 'TopK' && value === node.outputs[1] ? 7 : 1, undefined);
  return model;
}

function feedsOf(data: readonly number[]): Feeds {
  const count = data.reduce((product, dim) => product * dim, 1);
  return {
    x: Tensor.float32(
      'x',
      data,
      Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) * 3),
    ).toNdArray(),
  };
}

async function upgrade(model: Model, minimum: number): Promise<PassResult> {
  const result = await upgradeOpset({ minimum }).run(model, { logger: silentLogger });
  verify(model);
  return result;
}

const scales = (...values: number[]) => Tensor.float32('scales', [values.length], values);

const operators: [string, Operator][] = [
  ['Squeeze of axes', { opset: 9, opType: 'Squeeze', data: [1, 3, 1], attributes: [attr.ints('axes', [0])] }],
  ['Squeeze of all', { opset: 9, opType: 'Squeeze', data: [1, 3, 1] }],
  ['Unsqueeze', { opset: 11, opType: 'Unsqueeze', attributes: [attr.ints('axes', [0, -1])] }],
  ['ReduceSum', { opset: 9, opType: 'ReduceSum', attributes: [attr.ints('axes', [1]), attr.int('keepdims', 0)] }],
  ['ReduceSum of all', { opset: 9, opType: 'ReduceSum' }],
  ['ReduceMean', { opset: 9, opType: 'ReduceMean', attributes: [attr.ints('axes', [0, 2])] }],
  ['ReduceL2', { opset: 11, opType: 'ReduceL2', attributes: [attr.ints('axes', [-1])] }],
  [
    'Split by sizes',
    { opset: 9, opType: 'Split', attributes: [attr.int('axis', 2), attr.ints('split', [1, 3])], outputs: 2 },
  ],
  ['Split in equal parts', { opset: 9, opType: 'Split', attributes: [attr.int('axis', 2)], outputs: 2 }],
  ['Softmax, axis 1 of 3', { opset: 9, opType: 'Softmax' }],
  ['Softmax, last axis', { opset: 9, opType: 'Softmax', attributes: [attr.int('axis', 2)] }],
  ['Softmax, axis 0', { opset: 11, opType: 'Softmax', attributes: [attr.int('axis', 0)] }],
  ['Softmax, axis -2', { opset: 11, opType: 'Softmax', attributes: [attr.int('axis', -2)] }],
  ['Softmax of a matrix', { opset: 8, opType: 'Softmax', data: [5, 7] }],
  ['Softmax over channels of pooled data', { opset: 9, opType: 'Softmax', data: [2, 5, 1, 1] }],
  ['Softmax, unknown sizes', { opset: 9, opType: 'Softmax', declared: ['N', undefined, 4] }],
  ['Softmax, unknown rank', { opset: 9, opType: 'Softmax', declared: undefined as unknown as Shape }],
  ['LogSoftmax', { opset: 9, opType: 'LogSoftmax' }],
  ['Hardmax', { opset: 9, opType: 'Hardmax' }],
  ['Dropout', { opset: 9, opType: 'Dropout', attributes: [attr.float('ratio', 0.3)] }],
  ['Clip with both limits', { opset: 9, opType: 'Clip', attributes: [attr.float('min', -1), attr.float('max', 1.5)] }],
  ['Clip with one limit', { opset: 9, opType: 'Clip', attributes: [attr.float('max', 0)] }],
  ['Clip without limits', { opset: 9, opType: 'Clip' }],
  ['Pad with zeros', { opset: 9, opType: 'Pad', attributes: [attr.ints('pads', [0, 1, 0, 2, 0, 1])] }],
  [
    'Pad with a value',
    { opset: 9, opType: 'Pad', attributes: [attr.ints('pads', [0, 1, 0, 2, 0, 1]), attr.float('value', 1.25)] },
  ],
  [
    'Pad by reflection',
    { opset: 9, opType: 'Pad', attributes: [attr.ints('pads', [0, 0, 1, 0, 0, 2]), attr.string('mode', 'reflect')] },
  ],
  [
    'Slice',
    {
      opset: 9,
      opType: 'Slice',
      attributes: [attr.ints('starts', [1, -3]), attr.ints('ends', [2 ** 53, -1]), attr.ints('axes', [1, 2])],
    },
  ],
  [
    'Slice from the first axis on',
    { opset: 9, opType: 'Slice', attributes: [attr.ints('starts', [0, 1]), attr.ints('ends', [1, 3])] },
  ],
  [
    'Slice to the end of time',
    {
      opset: 9,
      opType: 'Slice',
      attributes: [attr.ints('starts', [1]), { name: 'ends', kind: 'ints', value: [2n ** 63n - 1n] }],
    },
  ],
  ['TopK', { opset: 9, opType: 'TopK', attributes: [attr.int('k', 2), attr.int('axis', 1)], outputs: 2 }],
  [
    'Upsample by attribute',
    { opset: 8, opType: 'Upsample', data: [1, 2, 3, 4], attributes: [attr.floats('scales', [1, 1, 2, 3])] },
  ],
  ['Upsample by input', { opset: 9, opType: 'Upsample', data: [1, 2, 3, 4], constants: [scales(1, 1, 2, 2)] }],
  ['Upsample, odd scale', { opset: 9, opType: 'Upsample', data: [1, 2, 3, 4], constants: [scales(1, 1, 1.5, 2.3)] }],
  [
    'Upsample, linear',
    {
      opset: 9,
      opType: 'Upsample',
      data: [1, 2, 3, 4],
      constants: [scales(1, 1, 2, 3)],
      attributes: [attr.string('mode', 'linear')],
    },
  ],
  ['Resize, larger', { opset: 10, opType: 'Resize', data: [1, 2, 3, 4], constants: [scales(1, 1, 2.4, 1.7)] }],
  ['Resize, smaller', { opset: 10, opType: 'Resize', data: [1, 2, 7, 9], constants: [scales(1, 1, 0.6, 0.35)] }],
  [
    'Resize, linear',
    {
      opset: 10,
      opType: 'Resize',
      data: [1, 2, 7, 9],
      constants: [scales(1, 1, 0.6, 1.7)],
      attributes: [attr.string('mode', 'linear')],
    },
  ],
  [
    'BatchNormalization',
    {
      opset: 8,
      opType: 'BatchNormalization',
      attributes: [attr.int('spatial', 1), attr.float('epsilon', 1e-3)],
      constants: ['s', 'b', 'm', 'v'].map((name, i) => Tensor.float32(name, [3], [1 + i, 2, 0.5])),
    },
  ],
  [
    'Scatter',
    {
      opset: 10,
      opType: 'Scatter',
      attributes: [attr.int('axis', 1)],
      constants: [Tensor.int64('i', [1, 2, 1], [2, 0]), Tensor.float32('u', [1, 2, 1], [9, 8])],
    },
  ],
  ['PRelu', { opset: 9, opType: 'PRelu', constants: [Tensor.float32('slope', [3, 1], [0.1, 0.2, 0.3])] }],
  [
    'Gemm',
    {
      opset: 8,
      opType: 'Gemm',
      data: [2, 3],
      constants: [Tensor.float32('b', [3, 2], [1, 2, 3, 4, 5, 6]), Tensor.float32('c', [1, 2], [7, 8])],
    },
  ],
  [
    'AveragePool',
    {
      opset: 9,
      opType: 'AveragePool',
      data: [1, 2, 5, 5],
      attributes: [attr.ints('kernel_shape', [3, 3]), attr.ints('pads', [1, 1, 1, 1])],
    },
  ],
  ['Reshape', { opset: 8, opType: 'Reshape', constants: [Tensor.int64('shape', [2], [0, -1])] }],
  ['Cast', { opset: 8, opType: 'Cast', attributes: [attr.int('to', 1)] }],
];

describe.each([13, 17, 19, 21])('to version %i', (minimum) => {
  test.each(operators)('%s gives the same outputs', async (_name, operator) => {
    const model = modelOf(operator);
    const before = Buffer.concat(encodeModel(model).pieces);
    const feeds = feedsOf(operator.data ?? [2, 3, 4]);
    const expected = await runner.outputsOf(before, feeds);
    expect(expected, 'the engine runs the old model').toBeDefined();
    const upgraded = decodeModel(before);
    const { modified, changes } = await upgrade(upgraded, minimum);
    expect([modified, upgraded.opset, changes[0]!.kind]).toEqual([true, minimum, 'upgrade-opset']);
    const actual = await runner.outputsOf(Buffer.concat(encodeModel(upgraded).pieces), feeds);
    expect(actual, 'the engine runs the new model').toBeDefined();
    // Kernels of different versions may add in another order.
    expect(sameOutputs(expected!, actual!, 1e-6, 1e-6)).toBe(true);
  });
});

describe('versions that no engine runs any more', () => {
  test.each<[string, Operator, readonly number[], readonly number[]]>([
    [
      'Add from an axis on, constant',
      {
        opset: 6,
        opType: 'Add',
        attributes: [attr.int('broadcast', 1), attr.int('axis', 1)],
        constants: [Tensor.float32('b', [3], [10, 20, 30])],
      },
      [2, 3, 1],
      [10, 20, 30, 10, 20, 30],
    ],
    [
      'Mul by a suffix',
      {
        opset: 6,
        opType: 'Mul',
        attributes: [attr.int('broadcast', 1)],
        constants: [Tensor.float32('b', [2], [10, 100])],
      },
      [2, 2],
      [10, 100, 10, 100],
    ],
    [
      'PRelu of channels',
      { opset: 6, opType: 'PRelu', constants: [Tensor.float32('s', [2], [10, 100])] },
      [1, 2, 2],
      [-10, -10, -100, -100],
    ],
    ['Dropout in test mode', { opset: 6, opType: 'Dropout', attributes: [attr.int('is_test', 1)] }, [2], [1, 1]],
    ['Cast by name', { opset: 5, opType: 'Cast', attributes: [attr.string('to', 'FLOAT')] }, [2], [1, 1]],
    [
      'Relu with consumed_inputs',
      { opset: 5, opType: 'Relu', attributes: [attr.ints('consumed_inputs', [0])] },
      [2],
      [1, 1],
    ],
  ])('%s', async (_name, operator, shape, expected) => {
    const model = modelOf({ ...operator, data: shape });
    expect((await upgrade(model, 13)).modified).toBe(true);
    const value = operator.opType === 'PRelu' ? -1 : operator.opType === 'Add' ? 0 : 1;
    const feeds = { x: Tensor.float32('x', shape, new Array(expected.length).fill(value)).toNdArray() };
    const actual = await runner.outputsOf(Buffer.concat(encodeModel(model).pieces), feeds);
    expect([...(actual!.y0!.data as Float32Array)]).toEqual(expected);
  });

  test('a broadcast input that is computed gets an Unsqueeze', async () => {
    const model = Model.create(6, 3, 'g');
    const { graph } = model;
    const a = graph.addInput('a', tensorType(1, [2, 3, 4]));
    const b = graph.addInput('b', tensorType(1, [3]));
    const add = graph.create('Add', [a, b], {
      outputNames: ['y'],
      attributes: [attr.int('broadcast', 1), attr.int('axis', 1)],
    });
    graph.outputs.push(add.output);
    add.output.type = tensorType(1, undefined);
    await upgrade(model, 13);
    expect(Array.from(graph.nodes(), (node) => node.opType)).toEqual(['Unsqueeze', 'Add']);
    const feeds = {
      a: Tensor.float32('a', [2, 3, 4], new Float32Array(24)).toNdArray(),
      b: Tensor.float32('b', [3], [1, 2, 3]).toNdArray(),
    };
    const actual = await runner.outputsOf(Buffer.concat(encodeModel(model).pieces), feeds);
    expect([...(actual!.y!.data as Float32Array)]).toEqual(
      [0, 1].flatMap(() => [1, 2, 3].flatMap((v) => [v, v, v, v])),
    );
  });
});

describe('models that stay as they are', () => {
  test.each<[string, Operator, RegExp]>([
    ['an unknown operator', { opset: 9, opType: 'ATen' }, /ATen: is not known/],
    ['BatchNormalization in training mode', { opset: 6, opType: 'BatchNormalization' }, /training mode/],
    [
      'BatchNormalization per position',
      { opset: 8, opType: 'BatchNormalization', attributes: [attr.int('spatial', 0)] },
      /position/,
    ],
    ['BatchNormalization with statistics', { opset: 8, opType: 'BatchNormalization', outputs: 5 }, /statistics/],
    ['Dropout with a mask', { opset: 9, opType: 'Dropout', outputs: 2 }, /mask/],
    ['Scan with a batch axis', { opset: 8, opType: 'Scan' }, /batch axis/],
    ['Resize both ways', { opset: 10, opType: 'Resize', constants: [scales(1, 2, 0.5)] }, /larger and another smaller/],
    ['Upsample where it does not exist', { opset: 11, opType: 'Upsample' }, /does not exist/],
    ['Clip of an unknown type', { opset: 9, opType: 'Clip', attributes: [attr.float('min', 0)], declared: [] }, /type/],
    ['a version that is too old', { opset: 3, opType: 'Relu' }, /too old/],
  ])('%s', async (_name, operator, reason) => {
    const model = modelOf(operator);
    if (operator.opType === 'Clip') model.graph.inputs[0]!.type = undefined;
    const before = Buffer.concat(encodeModel(model).pieces);
    const { modified, changes } = await upgrade(model, 17);
    expect(modified).toBe(false);
    expect(changes).toEqual([
      { kind: 'keep-opset', subject: expect.any(String), detail: expect.stringMatching(reason) },
    ]);
    expect(Buffer.concat(encodeModel(model).pieces).equals(before)).toBe(true);
  });

  test('a model that is new enough', async () => {
    const model = modelOf({ opset: 14, opType: 'Relu' });
    expect(await upgrade(model, 13)).toEqual({ modified: false, changes: [] });
  });

  test('custom operators go through', async () => {
    const model = modelOf({ opset: 9, opType: 'Softmax' });
    model.opsetImports.set('com.example', 1);
    const odd = model.graph.create('Squeeze', [model.graph.inputs[0]!], {
      domain: 'com.example',
      attributes: [attr.ints('axes', [0])],
    });
    expect((await upgrade(model, 13)).modified).toBe(true);
    expect(odd.ints('axes')).toEqual([0]);
    expect(model.opsetImports.get('com.example')).toBe(1);
  });

  test('a wrong option is refused before any model is read', () => {
    expect(() => upgradeOpset({ minimum: 99 })).toThrow(expect.objectContaining({ code: 'recipe' }));
  });
});

test('a second run finds nothing to do', async () => {
  const model = modelOf({ opset: 9, opType: 'Softmax' });
  await upgrade(model, 13);
  expect(await upgrade(model, 13)).toEqual({ modified: false, changes: [] });
});
