import Long from 'long';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../../src/formats/onnx/import-model.ts';
import { importTensor } from '../../../src/formats/onnx/import-tensor.ts';
import { inlineFunctions } from '../../../src/formats/onnx/inline-functions.ts';
import { AttributeType, type ModelProto, type NodeProto } from '../../../src/formats/onnx/proto.ts';
import type { Model } from '../../../src/ir/model.ts';
import { verify } from '../../../src/ir/verify.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { bytesOf, operatorCounts } from '../../passes/optimize/optimize-model.ts';

const node = (opType: string, input: string[], output: string[], rest: Partial<NodeProto> = {}): NodeProto => ({
  opType,
  input,
  output,
  ...rest,
});
const opset = (domain: string, version: number) => ({ domain, version: Long.fromNumber(version) });
const float = (name: string) => ({ name, type: { tensorType: { elemType: DataType.float32, shape: { dim: [] } } } });
const reference = (name: string, refAttrName: string) => ({ name, refAttrName, type: AttributeType.float });
const value = (name: string, f: number) => ({ name, f, type: AttributeType.float });

/**
 * `Soft(x, flag; alpha) = (flag ? LeakyRelu(x; alpha) : x + t, x)` with `t = Twice(x)`, called twice; `Twice` is a function as well,
 * and every call uses the names of the main graph inside.
 */
function modelWithFunctions(version = 17): Model {
  const branch = (name: string, nodes: NodeProto[]) => ({
    name,
    type: AttributeType.graph,
    g: { name, node: nodes, output: [float('r')] },
  });
  const soft = {
    name: 'Soft',
    domain: 'my',
    input: ['a', 'flag'],
    output: ['y', 'z'],
    attribute: ['alpha'],
    node: [
      node('Twice', ['a'], ['t'], { domain: 'my' }),
      node('Identity', ['a'], ['z']),
      node('If', ['flag'], ['y'], {
        attribute: [
          branch('then_branch', [node('LeakyRelu', ['a'], ['r'], { attribute: [reference('alpha', 'alpha')] })]),
          branch('else_branch', [node('Add', ['a', 't'], ['r'])]),
        ],
      }),
    ],
    opsetImport: [opset('', version), opset('my', 1)],
  };
  const twice = {
    name: 'Twice',
    domain: 'my',
    input: ['x'],
    output: ['y'],
    node: [node('Add', ['x', 'x'], ['y'])],
    opsetImport: [opset('', version)],
  };
  const proto: ModelProto = {
    irVersion: Long.fromNumber(8),
    opsetImport: [opset('', 17), opset('my', 1)],
    functions: [soft, twice],
    graph: {
      name: 'g',
      node: [
        node('Soft', ['x', 'flag'], ['t', 'same'], { domain: 'my', name: 'first', attribute: [value('alpha', 0.5)] }),
        node('Soft', ['t', 'flag'], ['second', 'unread'], { domain: 'my', name: 'second' }),
        node('Add', ['second', 'same'], ['y']),
      ],
      input: [float('x'), { name: 'flag', type: { tensorType: { elemType: DataType.bool, shape: { dim: [] } } } }],
      output: [float('y')],
    },
  };
  return importModel(proto, (tensor) =>
    importTensor(tensor, () => {
      throw new Error('no external data');
    }),
  );
}

describe('functions', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  it('become the nodes of their bodies, and compute the same', async () => {
    const model = modelWithFunctions();
    const inlined = inlineFunctions(model);
    verify(inlined);
    expect(inlined.functions).toEqual([]);
    expect([...inlined.opsetImports]).toEqual([['', 17]]);
    expect(operatorCounts(inlined)).toEqual({ Add: 3, If: 2, Identity: 2 });
    expect(operatorCounts(model), 'the original stays as it is').toMatchObject({ Soft: 2 });
    const sessions = [await engine.load(bytesOf(model)), await engine.load(bytesOf(inlined))];
    for (const flag of [0, 1]) {
      const feeds = {
        x: { dataType: DataType.float32, dims: [], data: Float32Array.of(-2) },
        flag: { dataType: DataType.bool, dims: [], data: Uint8Array.of(flag) },
      };
      const [expected, actual] = [await sessions[0]!.run(feeds), await sessions[1]!.run(feeds)];
      expect(actual.y!.data).toEqual(expected.y!.data);
      // The second call states no alpha: LeakyRelu's own 0.01 holds.
      expect(actual.y!.data[0]).toBeCloseTo(flag === 1 ? -2 * 0.5 * 0.01 - 2 : -2 * 9 - 2, 5);
    }
  });

  it('stay where they were written for another operator set', () => {
    const model = modelWithFunctions(16);
    expect(inlineFunctions(model)).toBe(model);
  });

  it('stay where their calls would repeat more bytes, or nodes, than a model may get', () => {
    const tensor = { dims: [Long.fromNumber(2 ** 18)], dataType: DataType.float32, rawData: new Uint8Array(2 ** 20) };
    const constant = node('Constant', [], ['y'], {
      attribute: [{ name: 'value', type: AttributeType.tensor, t: tensor }],
    });
    const calls = (fn: NodeProto[], count: number) => {
      const nodes = Array.from({ length: count }, (_, i) => node('F', [], [`y${i}`], { domain: 'my' }));
      const functions = [{ name: 'F', domain: 'my', output: ['y'], node: fn, opsetImport: [opset('', 17)] }];
      const graph = { name: 'g', node: nodes, output: [float('y0')] };
      const opsetImport = [opset('', 17), opset('my', 1)];
      const proto: ModelProto = { irVersion: Long.fromNumber(8), opsetImport, functions, graph };
      return importModel(proto, (one) => importTensor(one, () => ({ byteLength: 0, bytes: () => new Uint8Array(0) })));
    };
    expect(inlineFunctions(calls([constant], 2)).functions).toEqual([]);
    expect(inlineFunctions(calls([constant], 100)).functions).toHaveLength(1);
    const zero = node('Constant', [], ['y'], { attribute: [value('value_float', 0)] });
    expect(inlineFunctions(calls([zero], 6_000)).functions).toHaveLength(1);
  });
});
