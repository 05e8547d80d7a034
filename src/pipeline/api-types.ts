import type { Logger } from '../diagnostics/logger.ts';
import type { Report } from '../report/report-schema.ts';
import type { CompressOptions } from './compress-options.ts';

/** What every long-running function of the API takes beside its options. */
export interface RunContext {
  /** Says nothing by default. */
  readonly logger?: Logger;
  /** Ends the work early and cleans up; the promise rejects. */
  readonly signal?: AbortSignal;
  /**
   * Called when a search for a smaller model has found one that it could end with, with the function that ends it there, and
   * with undefined when the search is over.
   */
  readonly onSearch?: (stop: (() => void) | undefined) => void;
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
  /** Execution provider of ONNX Runtime. */
  readonly provider: string;
  readonly recipe: string;
  /** Passes in order, with their options where they are not the defaults. */
  readonly steps: readonly { readonly pass: string; readonly options: Readonly<Record<string, unknown>> }[];
  readonly calibrationSamples: number;
  readonly evaluationSamples: number;
  /** Paths that would be written. */
  readonly outputs: readonly string[];
}

/** What `compress` did, or would do. */
export interface CompressResult {
  /** null after a dry run. */
  readonly report: Report | null;
  /** null but after a dry run. */
  readonly plan: CompressPlan | null;
  /** What was written. */
  readonly outputs: readonly FileFacts[];
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Path of the samples: a folder of images, an `.npy` or an `.npz` file. */
  readonly data: string;
  /** Path of the class of each sample: a `.csv`, `.npy` or text file. Default: what lies with the data. */
  readonly labels?: string;
  /** How images become inputs: a preset, a JSON file, or the settings themselves. Default: assumed from the model's input. */
  readonly preprocess?: CompressOptions['preprocess'];
  /** Path of a model to compare with, often the original. */
  readonly against?: string;
  /** Device whose integer arithmetic counts: a name or a JSON file. Default `generic-arm64`. */
  readonly target?: string;
  /** Threads of the inference engine. Default: those of the target. */
  readonly threads?: number;
  /** Also run the model there: `ssh://[user@]host[:port]`. */
  readonly device?: string;
  /** Configuration of OpenSSH to reach the device with. Default: the user's own. */
  readonly sshConfig?: string;
  /** Also evaluate in exact integer arithmetic. Default true. */
  readonly exact?: boolean;
  readonly allowLinks?: boolean;
  readonly engineMemory?: number;
  readonly engineTimeout?: number;
}

/** Options of `inspect`. */
export interface InspectOptions extends RunContext {
  /** Device to ask about: a name or a JSON file. Default: none, or `generic-arm64` where a provider is given. */
  readonly target?: string;
  /** Execution provider of ONNX Runtime there. Default: that of the target's engine. */
  readonly provider?: string;
  /** Accept data files of the model that are links. Default false. */
  readonly allowLinks?: boolean;
}

/** Options of `renderReport`. */
export interface RenderReportOptions {
  /** The file to write. Default: `report.html` or `report.md` beside the report. */
  readonly output?: string;
  /** Default: by the extension of the output, else `'html'`. */
  readonly format?: 'html' | 'md';
  /** Overwrite an existing file. Default false. */
  readonly force?: boolean;
}

/** Options of `pack` and `unpack`. */
export interface PackOptions {
  /** Overwrite existing files. Default false. */
  readonly force?: boolean;
  /** Accept data files of the model that are links. Default false. */
  readonly allowLinks?: boolean;
}

/** A tensor inside an `.epk`. */
export interface PackedTensor {
  readonly name: string;
  /** The packed file that holds it: the model, or one of its external data. */
  readonly file: string;
  /** Element type, as in `float32`; `type-<n>` where it is unknown. */
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

/** What `unpackTensor` wrote. */
export interface UnpackedTensor {
  readonly tensor: PackedTensor;
  /** The file that was written, and its size. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** The two files that `pack` or `unpack` read and wrote. */
export interface PackResult {
  readonly onnx: FileFacts;
  readonly epk: FileFacts;
}
