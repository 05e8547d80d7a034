import type { ActivationStatistics } from './choose-range.ts';

/** What one pass over the calibration samples found out, by value name. */
export interface CalibrationTable {
  readonly sampleCount: number;
  readonly activations: ReadonlyMap<string, ActivationStatistics>;
  /** Mean of every input channel of a node with weights: axis 1 of a Conv's input, the last axis of a matrix product's. */
  readonly channelMeans: ReadonlyMap<string, Float64Array>;
}
