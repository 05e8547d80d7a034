import type { CheckResult } from '../budget/check-schema.ts';
import type {
  CompressResult,
  EvaluateOptions,
  FileFacts,
  InspectOptions,
  PackedTensor,
  PackOptions,
  PackResult,
  RenderReportOptions,
  RunContext,
  UnpackedTensor,
} from '../pipeline/api-types.ts';
import type { BenchOptions } from '../pipeline/bench-options.ts';
import type { CalibrateOptions } from '../pipeline/calibrate-options.ts';
import type { CheckOptions } from '../pipeline/check-options.ts';
import type { CompressOptions } from '../pipeline/compress-options.ts';
import type { CalibrationDescription } from '../pipeline/describe-calibration.ts';
import type { Diagnosis } from '../pipeline/diagnose.ts';
import type { DiffOptions } from '../pipeline/diff-options.ts';
import type { PredictOptions } from '../pipeline/predict-options.ts';
import type { BenchResult } from '../report/bench-schema.ts';
import type { CalibrationResult } from '../report/calibration-result-schema.ts';
import type { Diff } from '../report/diff-schema.ts';
import type { Evaluation } from '../report/evaluation-schema.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import type { Prediction } from '../report/prediction-schema.ts';
import type { Target } from '../targets/target-schema.ts';

/** What may come at once or have to be loaded first. */
type MaybePromise<T> = T | Promise<T>;

/** The part of the public API that the commands call; tests pass their own. */
export interface CliApi {
  compress(modelPath: string, options: CompressOptions, context?: RunContext): Promise<CompressResult>;
  inspect(modelPath: string, options?: InspectOptions): Promise<Inspection>;
  evaluate(modelPath: string, options: EvaluateOptions, context?: RunContext): Promise<Evaluation>;
  bench(files: readonly string[], options?: BenchOptions, context?: RunContext): Promise<BenchResult>;
  predict(modelPath: string, options?: PredictOptions): Promise<Prediction>;
  diff(pathA: string, pathB: string, options?: DiffOptions, context?: RunContext): Promise<Diff>;
  check(path: string, options: CheckOptions, context?: RunContext): Promise<CheckResult>;
  calibrate(targetName: string, options: CalibrateOptions, context?: RunContext): Promise<CalibrationResult>;
  /** The user's own calibration of a device, where there is one. */
  describeCalibration(target: Target): MaybePromise<CalibrationDescription | undefined>;
  /** Removes all that edgepack keeps on a device, unless a run is under way there. */
  cleanDeviceCache(options: BenchOptions, context?: RunContext): Promise<boolean>;
  /** Writes the `.epk` of a model. */
  pack(modelPath: string, epkPath: string, options?: PackOptions, context?: RunContext): Promise<PackResult>;
  /** Writes the model of an `.epk`, byte for byte. */
  unpack(epkPath: string, modelPath: string, options?: PackOptions, context?: RunContext): Promise<PackResult>;
  /** Writes the page of a saved report. */
  renderReport(reportPath: string, options?: RenderReportOptions): Promise<FileFacts>;
  listPackedTensors(epkPath: string, context?: RunContext): Promise<readonly PackedTensor[]>;
  /** Writes one tensor of an `.epk`. */
  unpackTensor(
    epkPath: string,
    name: string,
    outputPath: string,
    options?: PackOptions,
    context?: RunContext,
  ): Promise<UnpackedTensor>;
  diagnose(options?: { readonly cacheFolder?: string }): Promise<Diagnosis>;
  listTargets(): MaybePromise<readonly string[]>;
  loadTarget(nameOrPath: string): MaybePromise<Target>;
  readonly version: string;
}
