import type { ErrorCode } from '../../diagnostics/edgepack-error.ts';
import type { RequestSubject } from '../../runtime/engine-channel.ts';
import type { HostDescription } from '../../runtime/host.ts';
import type { MachineState } from '../../runtime/machine.ts';
import type { RequestKind } from '../../runtime/protocol.ts';

/** A file of a model: `name` is a relative path, with `/`. */
export interface ModelFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What the agent on a device is asked for, and what it answers. */
export interface DeviceRequests {
  describe: {
    ask: Record<string, never>;
    answer: { readonly description: HostDescription; readonly nodeVersion: string };
  };
  state: { ask: { readonly engineId: number }; answer: MachineState };
  /** Whether the device has all files of a model, intact; else pieces are expected. The first file is the model's. */
  openModel: { ask: { readonly files: readonly ModelFile[] }; answer: { readonly path: string | null } };
  putPiece: { ask: { readonly file: number; readonly bytes: Uint8Array }; answer: undefined };
  /** Checks what came. */
  closeModel: { ask: Record<string, never>; answer: { readonly path: string } };
  startEngine: {
    ask: Record<string, never>;
    answer: { readonly engineId: number; readonly version: string; readonly processId: number };
  };
  request: {
    ask: {
      readonly engineId: number;
      readonly kind: RequestKind;
      readonly ask: unknown;
      readonly subject: RequestSubject;
    };
    answer: unknown;
  };
  closeEngine: { ask: { readonly engineId: number }; answer: undefined };
}

export type DeviceRequestKind = keyof DeviceRequests;

export interface DeviceAsk<K extends DeviceRequestKind = DeviceRequestKind> {
  readonly id: number;
  readonly kind: K;
  readonly ask: DeviceRequests[K]['ask'];
}

export interface DeviceFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

export type DeviceAnswer =
  | { readonly id: number; readonly answer?: unknown }
  | { readonly id: number; readonly error: DeviceFailure };

/** How often each end says that it is alive. */
export const BEAT_MS = 2000;
/** The cached models of a device take no more than this after a run, but for those of the run. */
export const MODEL_CACHE_BYTES = 2 ** 29;
