import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageType } from '../../src/formats/onnx/proto.ts';
import { encodeModel, writeModel } from '../../src/formats/onnx/write-model.ts';
import { Graph } from '../../src/ir/graph.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { inspect } from '../../src/pipeline/inspect.ts';
import { type Inspection, inspectionSchema } from '../../src/report/inspection-schema.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { zooAvailable, zooPath } from '../zoo.ts';

const fixtures = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-inspect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inspected(path: string): Promise<Inspection> {
  return inspectionSchema.parse(await inspect(path));
}

async function inspectedModel(model: Model): Promise<Inspection> {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, Buffer.concat(encodeModel(model).pieces));
  return inspected(path);
}

function float(name: string, dims: readonly number[], value = 1): Tensor {
  return Tensor.float32(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value));
}

describe('inspect', () => {
  it('says what is in the digits model', async () => {
    const path = join(fixtures, 'digits-dense.onnx');
    const found = await inspected(path);
    expect(found.model).toEqual({
      path,
      name: 'digits-dense',
      sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
      sizeBytes: statSync(path).size,
      opsetImports: [{ domain: '', version: 17 }],
      // The ratio of the Dropout is a float initializer too.
      parameters: 784 * 128 + 128 + 1280 + 10 + 1,
      macs: 784 * 128 + 1280,
      nodes: 6,
    });
    expect(found.inputs).toEqual([{ name: 'image', dataType: 'float32', shape: ['N', 1, 28, 28] }]);
    expect(found.outputs).toEqual([{ name: expect.any(String), dataType: 'float32', shape: ['N', 10] }]);
    expect(found.operators).toContainEqual({ domain: '', opType: 'Gemm', count: 2, macs: 784 * 128 + 1280 });
    expect(found.layers).toEqual([
      {
        name: 'hidden',
        opType: 'Gemm',
        parameters: 784 * 128 + 128,
        weightBytes: 4 * (784 * 128 + 128),
        dataType: 'float32',
        macs: 784 * 128,
      },
      { name: 'output', opType: 'Gemm', parameters: 1290, weightBytes: 5160, dataType: 'float32', macs: 1280 },
    ]);
    expect(found.bytesByType[0]).toEqual({ dataType: 'float32', initializers: 5, sizeBytes: 4 * 101_771 });
    expect(found.quantization).toEqual({ state: 'float', blockers: [], saturation: null });
    expect(found).toMatchObject({ unknownDomains: [], warnings: [] });
  });

  it('names foreign operators, functions, subgraphs and floats without integer kernels', async () => {
    const model = Model.create(17, 8);
    model.opsetImports.set('org.example', 1);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, ['N', 8]));
    const odd = graph.create('Magic', [x], { domain: 'org.example', name: 'odd' });
    const again = graph.create('Magic', [odd.output], { domain: 'org.example', name: 'again' });
    const inner = new Graph('branch');
    const product = inner.create('MatMul', [x, graph.addInitializer(float('iw', [8, 4]))], { name: 'inner' });
    inner.outputs.push(product.output);
    const other = new Graph('other');
    other.outputs.push(other.create('MatMul', [x, graph.addInitializer(float('ow', [8, 4]))]).output);
    const condition = graph.addInput('c', tensorType(DataType.bool, []));
    const branch = graph.create('If', [condition], {
      name: 'choice',
      attributes: [
        { name: 'then_branch', kind: 'graph', value: inner },
        { name: 'else_branch', kind: 'graph', value: other },
      ],
    });
    inner.owner = branch;
    other.owner = branch;
    const up = graph.create(
      'ConvTranspose',
      [graph.addInput('i', tensorType(DataType.float32, [1, 2, 4, 4])), graph.addInitializer(float('t', [2, 2, 3, 3]))],
      { name: 'up' },
    );
    graph.outputs.push(again.output, branch.output, up.output);
    const { operators, unknownDomains, quantization, layers, model: facts } = await inspectedModel(model);
    expect(unknownDomains).toEqual(['org.example']);
    expect(operators).toContainEqual({ domain: 'org.example', opType: 'Magic', count: 2, macs: null });
    expect(operators).toContainEqual({ domain: '', opType: 'MatMul', count: 2, macs: 64 });
    expect(layers.map(({ name }) => name)).toEqual(['inner', expect.any(String), 'up']);
    expect(facts).toMatchObject({ nodes: 4, parameters: 64 + 36, macs: 64 + 2 * 16 * 2 * 9 });
    expect(quantization.blockers).toContainEqual({
      subject: 'org.example.Magic',
      reason: 'unknown operator: 2 nodes pass through untouched',
    });
    expect(quantization.blockers).toContainEqual({
      subject: 'inner',
      reason: "inside the If 'choice': only the main graph is quantized",
    });
    expect(quantization.blockers).toContainEqual({ subject: 'up', reason: 'no integer kernel for ConvTranspose' });
  });

  it('counts the operators of functions and does not take their domain for unknown', async () => {
    const path = join(folder, 'function.onnx');
    const node = (opType: string, domain: string) => ({ opType, domain, input: ['x'], output: ['y'] });
    const value = (name: string) => ({
      name,
      type: { tensorType: { elemType: DataType.float32, shape: { dim: [] } } },
    });
    const proto = {
      irVersion: 8,
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
      graph: { name: 'g', node: [node('Twice', 'local')], input: [value('x')], output: [value('y')] },
      functions: [
        {
          name: 'Twice',
          domain: 'local',
          input: ['x'],
          output: ['y'],
          opsetImport: [{ domain: '', version: 17 }],
          node: [
            { opType: 'Neg', domain: '', input: ['x'], output: ['z'] },
            { opType: 'Neg', domain: '', input: ['z'], output: ['y'] },
          ],
        },
      ],
    };
    writeFileSync(path, messageType('ModelProto').encode(proto).finish());
    const found = await inspected(path);
    expect(found.operators).toEqual([
      { domain: 'local', opType: 'Twice', count: 1, macs: null },
      { domain: '', opType: 'Neg', count: 2, macs: null },
    ]);
    expect(found.unknownDomains).toEqual([]);
    expect(found.quantization.blockers).toEqual([
      {
        subject: 'local.Twice',
        reason: 'a function of the file, which is not looked into: 1 node passes through untouched',
      },
    ]);
    expect(found.warnings.map(({ code }) => code)).toEqual(['functions']);
  });

  /** A Gemm with int8 weights, and activations in int8 or float. */
  function dequantizing(isActivationQuantized: boolean): Model {
    const model = Model.create(17, 8);
    const { graph } = model;
    const scale = graph.addInitializer(float('scale', [], 0.5));
    const zero = graph.addInitializer(Tensor.fromArray('zero', DataType.uint8, [], Uint8Array.of(128)));
    const weights = Tensor.fromArray('w', DataType.int8, [8, 4], new Int8Array(32).fill(100));
    const bias = Tensor.fromArray('b', DataType.int32, [4], new Int32Array(4).fill(7));
    let x = graph.addInput('x', tensorType(DataType.float32, [1, 8]));
    if (isActivationQuantized) {
      const rounded = graph.create('QuantizeLinear', [x, scale, zero]).output;
      x = graph.create('DequantizeLinear', [rounded, scale, zero]).output;
    }
    const w = graph.create('DequantizeLinear', [graph.addInitializer(weights), scale]).output;
    const b = graph.create('DequantizeLinear', [graph.addInitializer(bias), scale]).output;
    graph.outputs.push(graph.create('Gemm', [x, w, b], { name: 'dense' }).output);
    return model;
  }

  it('tells int8 from weights that are only stored in int8', async () => {
    const layer = { name: 'dense', opType: 'Gemm', parameters: 36, weightBytes: 48, dataType: 'int8', macs: 32 };
    const full = await inspectedModel(dequantizing(true));
    expect(full.layers).toEqual([layer]);
    expect(full.model.parameters).toBe(36);
    expect(full.quantization).toEqual({
      state: 'int8',
      blockers: [],
      saturation: {
        possible: true,
        where: [{ node: 'dense', worstPairSum: 51_000 }],
        on: expect.stringContaining('x86'),
      },
    });
    const weightOnly = await inspectedModel(dequantizing(false));
    expect(weightOnly.layers).toEqual([layer]);
    expect(weightOnly.quantization).toEqual({
      state: 'float',
      blockers: [
        { subject: 'dense', reason: 'its weights are quantized, its activations are not: it computes in float' },
      ],
      saturation: null,
    });
    const both = dequantizing(true);
    const second = both.graph.create('MatMul', [both.graph.outputs[0], both.graph.addInitializer(float('m', [4, 4]))]);
    both.graph.outputs[0] = second.output;
    expect((await inspectedModel(both)).quantization.state).toBe('mixed');
  });

  it('counts scales, zero points and weights of integer operators as what they are', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const scale = graph.addInitializer(float('s', [4]));
    const zero = graph.addInitializer(Tensor.fromArray('z', DataType.uint8, [], Uint8Array.of(3)));
    const w = graph.addInitializer(Tensor.fromArray('w', DataType.int8, [4, 2, 1, 1], new Int8Array(8).fill(1)));
    const bias = graph.addInitializer(Tensor.fromArray('b', DataType.int32, [4], new Int32Array(4)));
    const x = graph.addInput('x', tensorType(DataType.uint8, [1, 2, 5, 5]));
    graph.outputs.push(
      graph.create('QLinearConv', [x, scale, zero, w, scale, zero, scale, zero, bias], { name: 'conv' }).output,
    );
    const found = await inspectedModel(model);
    expect(found.layers).toEqual([
      { name: 'conv', opType: 'QLinearConv', parameters: 12, weightBytes: 24, dataType: 'int8', macs: 200 },
    ]);
    expect(found.model.parameters).toBe(12);
    expect(found.quantization).toMatchObject({ state: 'int8', saturation: { possible: false } });
  });

  it('knows MACs where it knows shapes, and says what it counts as 1', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const unknown = graph.addInput('u', tensorType(DataType.float32, undefined));
    const open = graph.addInput('o', tensorType(DataType.float32, ['N', 'length', undefined, 8]));
    const w = graph.addInitializer(float('w', [8, 4]));
    const first = graph.create('MatMul', [unknown, w], { name: 'first' });
    const second = graph.create('MatMul', [open, w], { name: 'second' });
    graph.outputs.push(first.output, second.output);
    const found = await inspectedModel(model);
    expect(found.inputs.map(({ shape }) => shape)).toEqual([null, ['N', 'length', null, 8]]);
    expect(found.layers.map(({ macs, parameters }) => [macs, parameters])).toEqual([
      [null, 32],
      [32, 0],
    ]);
    expect(found.operators).toEqual([{ domain: '', opType: 'MatMul', count: 2, macs: null }]);
    expect(found.model.macs).toBeNull();
    expect(found.warnings).toEqual([
      {
        code: 'open-dimensions',
        message: "multiply-accumulates (MACs) count open dimensions ('length', unnamed ones) as 1",
      },
    ]);
  });

  it('says which opset int8 needs where the model cannot be upgraded', async () => {
    const old = Model.create(4, 3);
    const x = old.graph.addInput('x', tensorType(DataType.float32, [1, 8]));
    old.graph.outputs.push(old.graph.create('MatMul', [x, old.graph.addInitializer(float('w', [8, 4]))]).output);
    const [blocker] = (await inspectedModel(old)).quantization.blockers;
    expect(blocker).toMatchObject({ subject: 'opset 4', reason: expect.stringContaining('int8 needs opset 13') });
    const newer = Model.create(11, 6);
    const y = newer.graph.addInput('x', tensorType(DataType.float32, [1, 8]));
    newer.graph.outputs.push(newer.graph.create('MatMul', [y, newer.graph.addInitializer(float('w', [8, 4]))]).output);
    expect((await inspectedModel(newer)).quantization.blockers).toEqual([]);
  });

  it('does not take for a blocker what folding constants makes constant', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, [1, 8]));
    const moved = graph.create('Transpose', [graph.addInitializer(float('w', [4, 8]))], {
      attributes: [attr.ints('perm', [1, 0])],
    });
    graph.outputs.push(graph.create('MatMul', [x, moved.output]).output);
    expect((await inspectedModel(model)).quantization.blockers).toEqual([]);
  });

  it('counts external data to the size, and hashes the model alone', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, [1, 64]));
    graph.outputs.push(graph.create('MatMul', [x, graph.addInitializer(float('w', [64, 64]))]).output);
    const path = join(folder, 'external.onnx');
    writeModel(model, path, { externalData: { thresholdBytes: 1 } });
    const { model: facts } = await inspected(path);
    expect(facts.sizeBytes).toBe(statSync(path).size + 64 * 64 * 4);
    expect(facts.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  });

  it('leaves the file alone and stops when told to', async () => {
    const path = join(folder, 'copy.onnx');
    copyFileSync(join(fixtures, 'digits-conv.onnx'), path);
    const before = readFileSync(path);
    await inspected(path);
    expect(readFileSync(path).equals(before)).toBe(true);
    await expect(inspect(path, { signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(inspect(join(folder, 'missing.onnx'))).rejects.toMatchObject({ code: 'file-not-found' });
  });
});

describe.skipIf(!zooAvailable)('inspect on the zoo', () => {
  it.each([
    ['efficientnet_lite0/model.onnx', 4_631_002, 0],
    ['efficientnet_lite0/model-unsimplified.onnx', undefined, 0],
    ['resnet8_cifar10/model.onnx', 77_706, 0],
    ['resnet20_cifar10/model.onnx', 269_035, 0],
    ['mnist_cntk/model.onnx', 5_994, 0],
    ['minilm_banking77/model.onnx', 22_594_567, 12],
  ])('%s', async (path, parameters, blockers) => {
    const found = await inspected(zooPath(path));
    if (parameters !== undefined) expect(found.model.parameters).toBe(parameters);
    expect(found.model.macs).toBeGreaterThan(0);
    expect(found.layers.reduce((sum, layer) => sum + (layer.macs ?? 0), 0)).toBeLessThanOrEqual(found.model.macs!);
    expect(found.quantization).toMatchObject({ state: 'float', saturation: null });
    expect(found.quantization.blockers.length).toBe(blockers);
    const bytes = found.bytesByType.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    expect(bytes).toBeGreaterThan(0.7 * found.model.sizeBytes);
    expect(bytes).toBeLessThan(found.model.sizeBytes);
  });
});
