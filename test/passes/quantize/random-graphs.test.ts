import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferShapes } from '../../../src/ir/infer-shapes.ts';
import type { Model } from '../../../src/ir/model.ts';
import type { Node } from '../../../src/ir/node.ts';
import { printModel } from '../../../src/ir/print.ts';
import type { Value } from '../../../src/ir/value.ts';
import type { InsertQdqOptions } from '../../../src/passes/quantize/insert-qdq-options.ts';
import { insertionFor } from '../../../src/pipeline/follow-provider.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { chooseProvider } from '../../../src/targets/choose-provider.ts';
import { loadTarget } from '../../../src/targets/load-target.ts';
import type { ProviderInt8 } from '../../../src/targets/provider-schema.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { GraphBuilder } from '../optimize/graph-builder.ts';
import { conv } from './cases/convolutions.ts';
import { bytesOf, calibrate, noiseFeeds, quantized, sqnrDb } from './quantize-case.ts';

/** Everything that takes one or two images of four channels and gives one, by name. */
const steps: Record<string, (builder: GraphBuilder, a: Value, b: Value, index: number) => Value> = {
  conv: (builder, a, _, i) => conv(builder, `conv${i}`, a, { inputs: 4, outputs: 4 }),
  convRelu: (builder, a, _, i) => builder.op('Relu', [conv(builder, `conv${i}`, a, { inputs: 4, outputs: 4 })]),
  depthwise: (builder, a, _, i) => conv(builder, `conv${i}`, a, { inputs: 4, outputs: 4, group: 4, bias: false }),
  relu: (builder, a) => builder.op('Relu', [a]),
  clip: (builder, a) => builder.op('Clip', [a, builder.float('low', [], [-0.5]), builder.float('high', [], [3])]),
  leaky: (builder, a) => builder.op('LeakyRelu', [a]),
  add: (builder, a, b) => builder.op('Add', [a, b]),
  addConstant: (builder, a) => builder.op('Add', [builder.weight('c', [4, 1, 1]), a]),
  mulConstant: (builder, a) => builder.op('Mul', [a, builder.weight('c', [1, 4, 1, 1], 0.5, 1.5)]),
  swish: (builder, a) => builder.op('Mul', [builder.op('Sigmoid', [a]), a]),
  excite: (builder, a, b) => builder.op('Mul', [builder.op('Sigmoid', [builder.op('GlobalAveragePool', [a])]), b]),
  concat: (builder, a, b, i) => {
    const all = builder.op('Concat', [a, b], { attributes: { axis: 1 } });
    return conv(builder, `conv${i}`, all, { inputs: 8, outputs: 4, kernel: [1, 1], pad: 0 });
  },
  halves: (builder, a, b, i) => {
    const split = () => ({ outputs: [`left${i}`, `right${i}`], attributes: { axis: 1 } });
    const [left] = builder.ops('Split', [a, builder.ints('split', [2, 2])], split());
    const [, right] = builder.ops('Split', [b, builder.ints('split', [2, 2])], split());
    return builder.op('Concat', [right!, left!], { attributes: { axis: 1 } });
  },
  maxPool: (builder, a) => builder.op('MaxPool', [a], { attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } }),
  averagePool: (builder, a) =>
    builder.op('AveragePool', [a], { attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } }),
  turned: (builder, a) => {
    const turn = (value: Value) => builder.op('Transpose', [value], { attributes: { perm: [0, 1, 3, 2] } });
    return builder.op('Relu', [turn(turn(a))]);
  },
  padded: (builder, a) => {
    const pad = builder.op('Pad', [a, builder.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]);
    return builder.op('Slice', [
      pad,
      builder.ints('from', [0, 2]),
      builder.ints('to', [8, 10]),
      builder.ints('axes', [2, 3]),
    ]);
  },
  reshaped: (builder, a) => {
    const rows = builder.op('Reshape', [a, builder.ints('rows', [0, 4, 64])]);
    return builder.op('Reshape', [rows, builder.ints('image', [0, 4, 8, 8])]);
  },
  product: (builder, a, _, i) =>
    builder.op('Add', [builder.op('MatMul', [a, builder.weight(`m${i}`, [8, 8])]), builder.weight(`b${i}`, [8])]),
  float: (builder, a) => builder.op('Tanh', [a]),
};

type Step = readonly [kind: string, first: number, second: number];
const recipes = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(), fc.nat()), { minLength: 3, maxLength: 9 }),
  outputs: fc.array(fc.nat(), { minLength: 0, maxLength: 2 }),
  options: fc.record({
    activationType: fc.constantFrom('uint8', 'int8'),
    activationSymmetric: fc.boolean(),
    saturating: fc.boolean(),
    calibrationMethod: fc.constantFrom('min-max', 'mse'),
  }),
});

function build(list: readonly Step[], outputs: readonly number[]): Model {
  const builder = new GraphBuilder();
  const values = [builder.input('x', ['N', 4, 8, 8])];
  for (const [kind, first, second] of list) {
    // Recent values are read more often than old ones.
    const pick = (n: number) => values[values.length - 1 - Math.min(n % 4, values.length - 1)]!;
    values.push(steps[kind]!(builder, pick(first), pick(second), values.length));
  }
  const chosen = new Set([values.at(-1)!, ...outputs.map((n) => values[1 + (n % (values.length - 1))]!)]);
  for (const value of chosen) builder.output(value, undefined);
  return builder.model;
}

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.close());

async function run(model: Model, feeds: ReturnType<typeof noiseFeeds>, exact: boolean) {
  const session = await engine.load(bytesOf(model), { exact });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

/** Quantizes a random graph and checks what holds in every form; the model, where anything was quantized. */
async function check(list: readonly Step[], outputs: readonly number[], options: InsertQdqOptions) {
  const original = build(list, outputs);
  const samples = [1, 2, 3].map((seed) => noiseFeeds(original, seed));
  const table = await calibrate(original, engine, samples, options);
  const {
    model,
    run: { modified },
  } = await quantized(original, table, options);
  const again = await quantized(model, table, options);
  inferShapes(model);
  expect(printModel(again.model)).toBe(printModel(model));
  const [expected, actual] = [await run(original, samples[0]!, false), await run(model, samples[0]!, true)];
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { dims, data }] of Object.entries(expected)) {
    expect(actual[name]!.dims).toEqual(dims);
    const noise = sqnrDb(data as Float32Array, actual[name]!.data as Float32Array);
    if (!modified) expect(noise).toBeGreaterThan(90);
    else if (Number.isFinite(noise)) expect(noise).toBeGreaterThan(18);
  }
  return modified ? model : undefined;
}

describe('graphs put together at random', () => {
  it('are valid, close to float and stable once they are quantized', async () => {
    let integers = 0;
    await fc.assert(
      fc.asyncProperty(recipes, async ({ steps: list, outputs, options }) => {
        if ((await check(list, outputs, options as InsertQdqOptions)) !== undefined) integers++;
      }),
      { numRuns: 150, seed: 11 },
    );
    expect(integers).toBeGreaterThan(100);
  });

  it.each([
    ['jetson-orin-nano', 'tensorrt'],
    ['android-arm64', 'nnapi'],
    ['android-arm64', 'qnn'],
    ['n100', 'openvino'],
  ])('%s: so they are in the form of %s, where only pairs hold integers', async (name, provider) => {
    const target = loadTarget(name);
    const chosen = chooseProvider(target, provider);
    const options = insertionFor(chosen, target);
    let integers = 0;
    await fc.assert(
      fc.asyncProperty(recipes, async ({ steps: list, outputs }) => {
        const model = await check(list, outputs, options);
        if (model === undefined) return;
        integers++;
        for (const node of model.graph.nodes()) {
          if (!node.is('QuantizeLinear')) continue;
          // Integers go from one node of a pair to the other, and nowhere else.
          for (const reader of node.output.consumers) expect(reader.opType).toBe('DequantizeLinear');
          const zeroPoint = node.input(2)!.tensor!;
          expect(zeroPoint.dataType).toBe(chosen.int8!.activationType === 'int8' ? DataType.int8 : DataType.uint8);
          if (chosen.int8!.activationSymmetric) expect([...zeroPoint.toFloat32()]).toEqual([0]);
        }
        for (const node of model.graph.nodes()) if (node.is(...chosen.int8!.operators)) expectUnit(node, chosen.int8!);
      }),
      { numRuns: 25, seed: 12 },
    );
    expect(integers).toBeGreaterThan(15);
  });
});

/** Weights of the type that a provider takes; in units, what reads rounded values writes rounded ones. */
function expectUnit(node: Node, { weights, biasType, form }: ProviderInt8): void {
  const isRounded = (value: Value | undefined) => value?.producer?.is('DequantizeLinear') === true;
  if (node.is('Conv', 'Gemm', 'MatMul') && isRounded(node.input(0)) && isRounded(node.input(1))) {
    const { type, perChannel } = weights[node.opType as keyof typeof weights];
    const [stored, scale] = node.input(1)!.producer!.inputs;
    expect(stored!.tensor!.dataType).toBe(type === 'int8' ? DataType.int8 : DataType.uint8);
    expect(scale!.tensor!.dims.length).toBe(perChannel ? 1 : 0);
    if (node.input(2) !== undefined) expect(isRounded(node.input(2))).toBe(biasType === 'int32');
    if (form === 'units') for (const reader of node.output.consumers) expect(reader.opType).toBe('QuantizeLinear');
  }
}
