import type { Feeds } from '../tensor/nd-array.ts';
import type { UsedPreprocess } from './image-plan.ts';

export { fingerprintDataset, fingerprintLabelled } from './fingerprint-dataset.ts';
export type { UsedPreprocess } from './image-plan.ts';
export type { InputSpec } from './input-spec.ts';
export { type OpenDatasetOptions, openDataset } from './open-dataset.ts';
export type { Preprocess } from './preprocess.ts';
export { splitDataset } from './split-dataset.ts';
export { spread } from './spread.ts';

/** Samples for calibration or evaluation, read one at a time. */
export interface Dataset {
  readonly count: number;
  /** The class of every sample, from 0; undefined where there are none. */
  readonly labels: Int32Array | undefined;
  /** By class, where the classes are named. */
  readonly classNames?: readonly string[];
  /** The file or folder, for messages and the report. */
  readonly source: string;
  /** In one line, how what is stored becomes the values of the inputs, and what of that was assumed. */
  readonly preprocessDescription: string;
  /** The settings in that line as data; undefined where no 8-bit images are involved. */
  readonly preprocess: UsedPreprocess | undefined;
  /** True where images are read and nobody said how their values are scaled. */
  readonly preprocessAssumed: boolean;
  /**
   * One sample, ready to run: every input with a batch dimension of 1, or without one where the model has none.
   * Samples are read when asked for; nothing is kept.
   * @throws EdgepackError `data-unreadable` or `data-mismatch`, naming the sample.
   */
  feed(index: number): Promise<Feeds>;
  /** SHA-256 (hexadecimal) of what is stored for the sample: its bytes, not its path, label or preprocessing. */
  contentHash(index: number): Promise<string>;
  /** The samples at these indices, in this order. */
  subset(indices: readonly number[]): Dataset;
}
