import type { RequestKind, Requests } from './protocol.ts';

/** What a request is about, for the error that may come of it. */
export interface RequestSubject {
  /** What the message begins with, such as `running resnet8.onnx`. */
  readonly subject: string;
  readonly file?: string | undefined;
  readonly timeoutMs?: number;
}

/** The way to an engine's process, here or on a device: requests go in, answers or `EdgepackError`s come out. */
export interface EngineChannel {
  /** Of the machine the process runs on. */
  readonly processId: number;
  /** Whether an answer is outstanding. */
  readonly isBusy: boolean;
  /** Sends a request. Requests are answered in order; the time limit of each begins when its turn comes. */
  request<K extends RequestKind>(
    kind: K,
    ask: Requests[K]['ask'],
    subject: RequestSubject,
  ): Promise<Requests[K]['answer']>;
  /** Ends the process, at once if it is busy. Pending requests are rejected. */
  close(): Promise<void>;
}
