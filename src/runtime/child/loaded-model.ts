import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { TemporaryFolder } from '../../storage/temporary-folder.ts';
import { DataType, type DataTypeName, dataTypeName } from '../../tensor/data-type.ts';
import type { ElementArray, Feeds, NdArray } from '../../tensor/nd-array.ts';
import { type ProfileRecord, parseProfile } from '../profile.ts';
import type { SessionOptions, ValueDescription } from '../session.ts';
import type { InferenceEngine } from './inference-engine.ts';
import { asEngineFailure, ReportedFailure } from './reported-failure.ts';
import type { Watchdog } from './watchdog.ts';

type EngineFeeds = Record<string, Tensor>;

/** A model loaded into the engine: the only place where its tensors and ours are converted into each other. */
export class LoadedModel {
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  readonly #engine: InferenceEngine;
  readonly #session: InferenceSession;
  readonly #watchdog: Watchdog;
  readonly #profileFolder: TemporaryFolder | undefined;

  private constructor(
    engine: InferenceEngine,
    watchdog: Watchdog,
    session: InferenceSession,
    profileFolder: TemporaryFolder | undefined,
  ) {
    this.#engine = engine;
    this.#watchdog = watchdog;
    this.#session = session;
    this.#profileFolder = profileFolder;
    this.inputs = session.inputMetadata.map(describe);
    this.outputs = session.outputMetadata.map(describe);
  }

  static async load(
    engine: InferenceEngine,
    watchdog: Watchdog,
    model: string | Uint8Array,
    options: SessionOptions,
  ): Promise<LoadedModel> {
    const profileFolder = options.profile ? new TemporaryFolder() : undefined;
    const sessionOptions: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads ?? 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: options.optimization ?? 'all',
      enableMemPattern: options.memoryPattern ?? false,
      logSeverityLevel: 3,
      extra: {
        session: {
          ...(options.optimizedModelFormat === 'ort' ? { save_model_format: 'ORT' } : {}),
          ...(options.exact ? { x64quantprecision: '1' } : {}),
          // Threads that spin on after a run would take the processor from the session that runs next.
          ...(options.spin ? { force_spinning_stop: '1' } : { intra_op: { allow_spinning: '0' } }),
        },
      },
      ...(options.optimizedModelPath === undefined ? {} : { optimizedModelFilePath: options.optimizedModelPath }),
      ...(profileFolder === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: join(profileFolder.path, 'profile') }),
    };
    try {
      // The two overloads of `create` differ in what they take only.
      const session = await asEngineFailure(() => engine.InferenceSession.create(model as Uint8Array, sessionOptions));
      return new LoadedModel(engine, watchdog, session, profileFolder);
    } catch (error) {
      profileFolder?.remove();
      throw error;
    }
  }

  /** The feeds as the engine's tensors, over the same memory. */
  prepare(feeds: Feeds): EngineFeeds {
    // No prototype: an input may be called __proto__.
    const prepared: EngineFeeds = Object.create(null);
    for (const [name, { dataType, dims, data }] of Object.entries(feeds)) {
      prepared[name] = new this.#engine.Tensor(
        dataTypeName(dataType) as Tensor.Type,
        data as Tensor.DataType,
        dims,
      ) as Tensor;
    }
    return prepared;
  }

  async run(feeds: EngineFeeds, outputNames: readonly string[]): Promise<Record<string, NdArray>> {
    const fetched = await asEngineFailure(() => this.#watchdog.run(() => this.#session.run(feeds, outputNames)));
    const outputs: Record<string, NdArray> = Object.create(null);
    for (const name of outputNames) outputs[name] = toNdArray(name, fetched[name] as Tensor);
    return outputs;
  }

  /** One run of which only the time matters. */
  async runOnly(feeds: EngineFeeds): Promise<void> {
    await this.#watchdog.run(() => this.#session.run(feeds));
  }

  endProfiling(): ProfileRecord[] {
    if (this.#profileFolder === undefined) {
      throw new ReportedFailure('engine-failed', 'the session was not loaded with the option profile');
    }
    this.#session.endProfiling();
    const records: ProfileRecord[] = [];
    for (const name of readdirSync(this.#profileFolder.path)) {
      const path = join(this.#profileFolder.path, name);
      records.push(...parseProfile(readFileSync(path, 'utf8')));
      rmSync(path);
    }
    return records;
  }

  async release(): Promise<void> {
    await this.#session.release();
    this.#profileFolder?.remove();
  }
}

function describe(metadata: InferenceSession.ValueMetadata): ValueDescription {
  if (!metadata.isTensor) return { name: metadata.name, dataType: DataType.undefined, shape: [] };
  return {
    name: metadata.name,
    dataType: DataType[metadata.type as DataTypeName],
    shape: metadata.shape,
  };
}

function toNdArray(name: string, tensor: Tensor): NdArray {
  if (tensor.type === 'string') {
    throw new ReportedFailure('model-rejected', `output '${name}' holds strings, which are not fetched`);
  }
  const data = tensor.data as ElementArray;
  return {
    dataType: DataType[tensor.type as DataTypeName],
    dims: [...tensor.dims],
    // Newer versions of Node.js have an array of float16 numbers; everywhere here float16 is kept as its patterns.
    data: tensor.type === 'float16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data,
  };
}
