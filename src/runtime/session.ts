import type { DataType } from '../tensor/data-type.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { ProfileRecord } from './profile.ts';
import type { Statistics, StatisticsRequest } from './statistics.ts';

export interface SessionOptions {
  /** Threads inside one operator. Default 1. */
  readonly threads?: number;
  /**
   * Exact int8 arithmetic on every host (`session.x64quantprecision` = 1): on x86 without VNNI the engine's fast kernels
   * add pairs of products in saturating 16 bits. Slower; never for latency. Default false.
   */
  readonly exact?: boolean;
  /**
   * Let threads wait actively within a run, as the engine does by default elsewhere; between runs, where they would be a
   * brake on all other sessions in the process, they sleep. For latency and statistics. Default false.
   */
  readonly spin?: boolean;
  /** The engine's graph optimisations. Default 'all'. */
  readonly optimization?: 'all' | 'extended' | 'basic' | 'disabled';
  /** Where the engine writes the graph it runs, as a model of its own operators. */
  readonly optimizedModelPath?: string;
  /** As protobuf, or as the flatbuffer that the engine loads without parsing. Default 'onnx'. */
  readonly optimizedModelFormat?: 'onnx' | 'ort';
  /** Record the time of every node, for {@link Session.endProfiling}. Default false. */
  readonly profile?: boolean;
  /**
   * Plan one memory block per input shape, as the engine does by default elsewhere. Takes more memory where many outputs
   * are fetched. Default false.
   */
  readonly memoryPattern?: boolean;
  /** What error messages call a model that was given as bytes. Default 'model'. */
  readonly label?: string;
  /** The file is a temporary one, of which a user has never heard: errors do not name it. Default false. */
  readonly temporary?: boolean;
}

/** An input or output of a model. */
export interface ValueDescription {
  readonly name: string;
  /** `DataType.undefined` for what is no tensor (a sequence, map or optional). */
  readonly dataType: DataType;
  /** A string is the name of a symbolic dimension; empty where it has none. */
  readonly shape: readonly (number | string)[];
}

/** A model that can be run. */
export interface Runnable {
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  /**
   * One inference.
   * @param outputNames the outputs to fetch; all by default.
   * @throws EdgepackError `data-mismatch` if the feeds do not fit the inputs, `model-rejected` if an operator fails,
   * `engine-failed` if the process ends or takes too long.
   */
  run(feeds: Feeds, outputNames?: readonly string[]): Promise<Feeds>;
}

/** A model loaded into the engine's process. Requests are answered in the order in which they are made. */
export interface Session extends Runnable {
  readonly id: number;
  /** How long the engine took to load it. */
  readonly loadMs: number;
  /**
   * One inference whose outputs stay in the engine's process, where they are accumulated. The first call after
   * {@link statistics} decides the request; later ones have to repeat it.
   * @param outputNames outputs that are fetched beside; none by default.
   */
  collect(feeds: Feeds, request: StatisticsRequest, outputNames?: readonly string[]): Promise<Feeds>;
  /** What {@link collect} has accumulated since the last call; starts anew. */
  statistics(): Promise<Statistics>;
  /** The time of each node since the session was loaded with `profile`; ends the recording. */
  endProfiling(): Promise<readonly ProfileRecord[]>;
  release(): Promise<void>;
}
