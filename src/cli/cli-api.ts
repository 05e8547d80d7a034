import type { Logger } from '../diagnostics/logger.ts';
import type { CompressOptions } from '../pipeline/compress-options.ts';
import type { Evaluation } from '../report/evaluation-schema.ts';
import type { Inspection } from '../report/inspection-schema.ts';
import type { Report } from '../report/report-schema.ts';
import type { Target } from '../targets/target-schema.ts';

/** What every long-running function of the API takes beside its options. */
export interface RunContext {
  /** Says nothing by default. */
  readonly logger?: Logger;
  /** Ends the work early and cleans up; the promise rejects. */
  readonly signal?: AbortSignal;
  /** How to repeat the run, for the report. */
  readonly commandLine?: string;
}

/** A file that was read or written. */
export interface FileFacts {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What `compress` would do: the answer to `dryRun`. */
export interface CompressPlan {
  readonly model: FileFacts;
  readonly target: string;
  readonly recipe: string;
  /** Passes in order, with their options where they are not the defaults. */
  readonly steps: readonly { readonly pass: string; readonly options: Readonly<Record<string, unknown>> }[];
  readonly calibrationSamples: number;
  readonly evaluationSamples: number;
  /** Paths that would be written. */
  readonly outputs: readonly string[];
}

export interface CompressResult {
  /** null after a dry run. */
  readonly report: Report | null;
  /** null but after a dry run. */
  readonly plan: CompressPlan | null;
  /** What was written. */
  readonly outputs: readonly FileFacts[];
}

export interface EvaluateOptions {
  readonly data: string;
  readonly labels?: string;
  readonly preprocess?: CompressOptions['preprocess'];
  readonly against?: string;
  readonly target?: string;
  readonly threads?: number;
  /** Also evaluate in exact integer arithmetic. Default true. */
  readonly exact?: boolean;
}

export interface PackResult {
  readonly onnx: FileFacts;
  readonly epk: FileFacts;
}

/** The part of the public API that the commands call; tests pass their own. */
export interface CliApi {
  compress(modelPath: string, options: CompressOptions, context?: RunContext): Promise<CompressResult>;
  inspect(modelPath: string, context?: RunContext): Promise<Inspection>;
  evaluate(modelPath: string, options: EvaluateOptions, context?: RunContext): Promise<Evaluation>;
  /** Writes the `.epk` of a model. */
  pack(
    modelPath: string,
    epkPath: string,
    options?: { readonly force?: boolean },
    context?: RunContext,
  ): Promise<PackResult>;
  /** Writes the model of an `.epk`, byte for byte. */
  unpack(
    epkPath: string,
    modelPath: string,
    options?: { readonly force?: boolean },
    context?: RunContext,
  ): Promise<PackResult>;
  listTargets(): readonly string[];
  loadTarget(nameOrPath: string): Target;
  readonly version: string;
}
