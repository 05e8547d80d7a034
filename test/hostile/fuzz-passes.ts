import fc from 'fast-check';
import type { onnx } from 'onnx-proto';
import onnxProto from 'onnx-proto';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { decodeModel } from '../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { printModel } from '../../src/ir/print.ts';
import { verify } from '../../src/ir/verify.ts';
import { optimizePasses } from '../../src/passes/optimize/optimize-passes.ts';
import { removeInitializerInputs } from '../../src/passes/optimize/remove-initializer-inputs.ts';
import { runPasses } from '../../src/passes/run-passes.ts';
import { engineLimits } from '../../src/pipeline/engine-limits.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { attribute, floats, graph, ints, model, node, noise, value } from './onnx-messages.ts';

const { ModelProto } = onnxProto.onnx;
const odd = fc.constantFrom(-(2 ** 40), -2, -1, 0, 1, 2, 3, 4, 7, 2 ** 31, 2 ** 40);

/** Operators that take one or two values of shape [1, 4] and give one. */
const operators: readonly ((output: string, a: string, b: string) => onnx.INodeProto)[] = [
  (output, a) => node('Relu', [a], [output]),
  (output, a) => node('Identity', [a], [output]),
  (output, a) => node('Sigmoid', [a], [output]),
  (output, a, b) => node('Add', [a, b], [output]),
  (output, a, b) => node('Mul', [a, b], [output]),
  (output, a) => node('Add', [a, 'c'], [output]),
  (output, a) => node('Mul', ['c', a], [output]),
  (output, a) => node('MatMul', [a, 'w'], [output]),
  (output, a) => node('Gemm', [a, 'w', 'c'], [output], [attribute.int('transB', 1)]),
  (output, a) => node('Transpose', [a], [output], [attribute.ints('perm', [0, 1])]),
  (output, a) => node('Reshape', [a, 'shape'], [output]),
  (output, a) => node('Softmax', [a], [output], [attribute.int('axis', -1)]),
  (output, a) => node('Clip', [a, 'low', ''], [output]),
  (output, a) => node('Slice', [a, 'from', 'to'], [output]),
  (output, a) => node('Pad', [a, 'pads'], [output]),
  (output) => node('Constant', [], [output], [attribute.tensor('value', floats('', [1, 4], [1, 2, 3, 4]))]),
];

const sound: fc.Arbitrary<onnx.IGraphProto> = fc
  .array(fc.tuple(fc.nat(operators.length - 1), fc.nat(), fc.nat()), { minLength: 2, maxLength: 10 })
  .map((steps) => {
    const names = ['x'];
    const nodes = steps.map(([kind, first, second], i) => {
      const pick = (n: number) => names[names.length - 1 - (n % Math.min(3, names.length))]!;
      const made = operators[kind]!(`v${i}`, pick(first), pick(second));
      names.push(`v${i}`);
      return made;
    });
    return graph(nodes, {
      output: [value(names.at(-1)!, undefined)],
      initializer: [
        floats('w', [4, 4], noise(16)),
        floats('c', [4], noise(4)),
        floats('low', [], [-0.5]),
        ints('shape', [1, 4]),
        ints('from', [0, 0]),
        ints('to', [1, 4]),
        ints('pads', [0, 0, 0, 0]),
      ],
    });
  });

type Mutation = (content: onnx.IGraphProto, at: number, other: number, number: number) => void;
const at = <T>(list: T[] | null | undefined, index: number): T | undefined =>
  list == null || list.length === 0 ? undefined : list[index % list.length];

const mutations: readonly Mutation[] = [
  (g, i, j) => void (at(g.node, i)?.input ?? []).splice(0, 1, at(g.node, j)?.output?.[0] ?? 'x'),
  (g, i, j) => {
    const node = at(g.node, j);
    if (node !== undefined) g.node!.splice(i % g.node!.length, 0, node);
  },
  (g, i) => void g.node?.splice(i % g.node.length, 1),
  (g) => void g.node?.reverse(),
  (g, i, j) => void Object.assign(at(g.node, i) ?? {}, { opType: at(g.node, j)?.opType ?? 'Neg' }),
  (g, i) => void (at(g.node, i)?.input ?? []).pop(),
  (g, i, j) => void (at(g.node, i)?.input ?? []).push(at(g.initializer, j)?.name ?? ''),
  (g, i, _, n) => void Object.assign(at(at(g.node, i)?.attribute, 0) ?? {}, { i: n, ints: [n, n] }),
  (g, i, _, n) => void (at(g.node, i)?.attribute ?? []).push(attribute.int('axis', n)),
  (g, i, _, n) => void Object.assign(at(g.initializer, i) ?? {}, { dims: [n] }),
  (g, i, _, n) => {
    const tensor = at(g.initializer, i);
    if (tensor?.dataType !== 7) return;
    const length = tensor.dims!.length === 0 ? 1 : Number(tensor.dims![0]);
    Object.assign(tensor, ints(tensor.name!, new Array(Math.min(1000, Math.max(0, length))).fill(n)));
  },
  (g, i) => {
    const tensor = at(g.initializer, i);
    if (tensor?.dataType === 1) tensor.rawData = new Uint8Array(tensor.rawData!).fill(255);
  },
  (g, i) => void g.output?.push(value(at(g.node, i)?.output?.[0] ?? 'x', undefined)),
  (g, i) => void g.input?.push(value(at(g.initializer, i)?.name ?? 'z', undefined)),
  (g, i, _, n) => void Object.assign(g, { input: [value('x', [n, i % 5])] }),
  (g, i) => void (at(g.node, i)?.output ?? []).push(''),
];

/** Valid models, changed in places where a reader or a pass may take something for granted. */
export const mutatedModel: fc.Arbitrary<Uint8Array> = fc
  .tuple(sound, fc.array(fc.tuple(fc.nat(mutations.length - 1), fc.nat(20), fc.nat(20), odd), { maxLength: 3 }))
  .map(([content, changes]) => {
    for (const [kind, i, j, number] of changes) mutations[kind]!(content, i, j, number);
    return ModelProto.encode(ModelProto.decode(model(content))).finish();
  });

export type Fate = 'refused' | 'not run' | 'same';

/**
 * Reads a model, optimises it, prints, writes and reads it again: a known error, or a model that is sound and, where the
 * engine runs the original, gives the same outputs.
 * @throws what is wrong.
 */
export async function exercisePasses(bytes: Uint8Array, engine: RestartedEngine): Promise<Fate> {
  let optimized: Uint8Array;
  try {
    const changed = decodeModel(bytes);
    engineLimits([{ path: 'model', model: changed, sizeBytes: bytes.length }]);
    await runPasses(changed, [removeInitializerInputs(), ...optimizePasses()], { logger: silentLogger });
    verify(changed);
    optimized = Buffer.concat(encodeModel(changed).pieces);
    if (printModel(decodeModel(optimized)) !== printModel(changed)) throw new Error('the copy is another model');
  } catch (error) {
    if (error instanceof EdgepackError && error.exitCode === 3 && !/[\n\r]/.test(error.message)) return 'refused';
    throw error;
  }
  let before: Feeds | undefined;
  try {
    before = await outputs(bytes, await engine.running());
  } catch (error) {
    // ONNX Runtime aborts on some models that it should reject; that is not for a pass to mend.
    if (!(error instanceof EdgepackError)) throw error;
    await engine.restart();
  }
  if (before === undefined) return 'not run';
  const after = await outputs(optimized, await engine.running());
  for (const [name, { dims, data }] of Object.entries(before)) {
    const other = after?.[name];
    if (other?.dims.join() !== dims.join()) throw new Error(`${name} is [${other?.dims}] instead of [${dims}]`);
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [Number(data[i]), Number(other.data[i])];
      if (!(Object.is(a, b) || Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a))))
        throw new Error(`${name}[${i}] is ${b} instead of ${a}`);
    }
  }
  return 'same';
}

/** An engine whose process may crash. */
export class RestartedEngine {
  #engine: Promise<Engine> | undefined;

  running(): Promise<Engine> {
    this.#engine ??= startEngine();
    return this.#engine;
  }

  async restart(): Promise<void> {
    await this.close();
    this.#engine = undefined;
  }

  async close(): Promise<void> {
    await (await this.#engine)?.close();
  }
}

async function outputs(bytes: Uint8Array, engine: Engine): Promise<Feeds | undefined> {
  try {
    const session = await engine.load(bytes, { optimization: 'disabled' });
    try {
      return await session.run(syntheticFeeds(session.inputs, 3));
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof EdgepackError && error.code !== 'engine-failed') return undefined;
    throw error;
  }
}
