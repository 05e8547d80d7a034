import { importTensor } from '../../../src/formats/onnx/import-tensor.ts';
import { decodeMessage, type TensorProto } from '../../../src/formats/onnx/proto.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import type { SessionOptions } from '../../../src/runtime/session.ts';
import { elementArrayOf, type Feeds, type NdArray } from '../../../src/tensor/nd-array.ts';
import { conformanceFiles } from './conformance-archive.ts';

/** A conformance model with its stored inputs, where a run can carry them. */
export interface ConformanceCase {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Undefined where an input is missing or no plain tensor. */
  feeds(): Feeds | undefined;
}

export function conformanceCases(): ConformanceCase[] {
  const files = conformanceFiles();
  const models = [...files].filter(([path]) => path.endsWith('.onnx'));
  return models.map(([path, bytes]) => ({ path, bytes, feeds: () => feedsOf(path, bytes, files) }));
}

function feedsOf(path: string, bytes: Uint8Array, files: ReadonlyMap<string, Buffer>): Feeds | undefined {
  const feeds: Record<string, NdArray> = {};
  const folder = path.replace(/[^/]*$/, 'test_data_set_0/');
  let index = 0;
  for (const value of decodeModel(bytes).graph.inputs) {
    if (value.tensor !== undefined) continue;
    const file = files.get(`${folder}input_${index++}.pb`);
    if (file === undefined || value.type?.kind !== 'tensor') return undefined;
    const tensor = importTensor(decodeMessage<TensorProto>('TensorProto', file), () => {
      throw new Error('conformance data is never external');
    });
    if (elementArrayOf(tensor.dataType) === undefined) return undefined;
    feeds[value.name] = tensor.toNdArray();
  }
  return feeds;
}

/** True if two runs gave the same outputs, element for element up to the tolerance; NaN is equal to NaN. */
export function sameOutputs(expected: Feeds, actual: Feeds, relative = 0, absolute = 0): boolean {
  return Object.entries(expected).every(([name, a]) => {
    const b = actual[name];
    if (b === undefined || b.dataType !== a.dataType || b.dims.join() !== a.dims.join()) return false;
    for (let i = 0; i < a.data.length; i++) {
      const [x, y] = [a.data[i]!, b.data[i]!];
      if (Object.is(x, y) || x === y) continue;
      if (
        Math.abs(Number(x) - Number(y)) > absolute + relative * Math.abs(Number(x)) ||
        Number.isNaN(Number(x) - Number(y))
      ) {
        return false;
      }
    }
    return true;
  });
}

/** Runs one model after the other; an engine that a model brought down is started again. */
export class ModelRunner {
  readonly #options: SessionOptions;
  #engine: Engine | undefined;

  constructor(options: SessionOptions = {}) {
    this.#options = options;
  }

  /** The outputs, or undefined where the engine refuses the model or its inputs, or breaks down on it. */
  async outputsOf(model: Uint8Array, feeds: Feeds): Promise<Feeds | undefined> {
    this.#engine ??= await startEngine();
    try {
      const session = await this.#engine.load(model, this.#options);
      try {
        return await session.run(feeds);
      } finally {
        await session.release();
      }
    } catch (error) {
      if ((error as { code?: string }).code === 'engine-failed') await this.close();
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    this.#engine = undefined;
  }
}
