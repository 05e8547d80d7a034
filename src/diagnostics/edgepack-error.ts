/** Exit codes of the command line: one per kind of ending, so that a script can tell them apart. */
export const ExitCode = {
  ok: 0,
  gateFailed: 1,
  usage: 2,
  unsafeModel: 3,
  internal: 70,
} as const;

/** Every code a calm, one-line error can carry, with the exit code it ends the program with. */
export const errorCatalogue = {
  'gate-failed': { exitCode: ExitCode.gateFailed, summary: 'A budget or accuracy limit was not met.' },
  usage: { exitCode: ExitCode.usage, summary: 'A command-line argument is missing or wrong.' },
  config: { exitCode: ExitCode.usage, summary: 'The configuration file is wrong.' },
  recipe: { exitCode: ExitCode.usage, summary: 'The recipe is unknown or malformed.' },
  target: { exitCode: ExitCode.usage, summary: 'The target is unknown or malformed.' },
  provider: { exitCode: ExitCode.usage, summary: 'The target does not have the execution provider.' },
  'report-unreadable': { exitCode: ExitCode.usage, summary: 'The report file is damaged or of another version.' },
  'output-exists': { exitCode: ExitCode.usage, summary: 'An output file is already there.' },
  'output-busy': { exitCode: ExitCode.usage, summary: 'Another run is writing into the output folder.' },
  'output-unwritable': { exitCode: ExitCode.usage, summary: 'An output file or folder cannot be written.' },
  'file-not-found': { exitCode: ExitCode.usage, summary: 'A named input file does not exist or cannot be opened.' },
  'data-unreadable': { exitCode: ExitCode.usage, summary: 'Calibration or evaluation data cannot be read.' },
  'data-mismatch': { exitCode: ExitCode.usage, summary: 'The data does not fit the model.' },
  'device-unreachable': { exitCode: ExitCode.usage, summary: 'The device cannot be reached, or does not let us in.' },
  'device-unverified': { exitCode: ExitCode.usage, summary: 'The host key of the device is unknown or has changed.' },
  'device-unsuitable': { exitCode: ExitCode.usage, summary: 'The device lacks something that a measurement needs.' },
  'device-disturbed': { exitCode: ExitCode.usage, summary: 'The device was throttled or busy while it was measured.' },
  'device-failed': { exitCode: ExitCode.usage, summary: 'The connection to the device was lost, or its agent failed.' },
  'engine-missing': { exitCode: ExitCode.usage, summary: 'The inference engine is not installed.' },

  'model-unreadable': { exitCode: ExitCode.unsafeModel, summary: 'The model file is damaged or not an ONNX model.' },
  'model-invalid': { exitCode: ExitCode.unsafeModel, summary: 'The model breaks a rule of the ONNX specification.' },
  'model-unsafe': { exitCode: ExitCode.unsafeModel, summary: 'The model asks for something it must not have.' },
  'model-too-large': { exitCode: ExitCode.unsafeModel, summary: 'The model exceeds a size limit.' },
  'model-rejected': { exitCode: ExitCode.unsafeModel, summary: 'The inference engine refuses the model.' },
  'engine-failed': {
    exitCode: ExitCode.unsafeModel,
    summary: 'The inference engine crashed on the model, hung or took too much memory.',
  },
  'epk-unreadable': {
    exitCode: ExitCode.unsafeModel,
    summary: 'The .epk file is damaged, truncated or of an unknown version.',
  },
  'pass-failed': { exitCode: ExitCode.internal, summary: 'A compression pass failed.' },
} as const satisfies Record<string, { exitCode: number; summary: string }>;

/** What kind of mistake an {@link EdgepackError} is. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Where an error was found: any of a file, a node, a tensor, a pass or a configuration key. */
export interface ErrorLocation {
  readonly file?: string;
  readonly node?: string;
  readonly tensor?: string;
  readonly pass?: string;
  readonly key?: string;
}

/** A mistake we know: prints as one line (what, where, why) and a hint (what to do), never as a stack. */
export class EdgepackError extends Error {
  override readonly name = 'EdgepackError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly location: ErrorLocation;

  constructor(
    code: ErrorCode,
    message: string,
    details: { hint?: string; location?: ErrorLocation; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.location = details.location ?? {};
  }

  get exitCode(): number {
    return errorCatalogue[this.code].exitCode;
  }
}
