import { type ChildProcess, fork } from 'node:child_process';
import { EdgepackError, type ErrorCode } from '../diagnostics/edgepack-error.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import { siblingModule } from '../storage/sibling-module.ts';
import type { EngineChannel, RequestSubject } from './engine-channel.ts';
import {
  type AnswerMessage,
  memoryExceededMark,
  type ReportedError,
  type RequestKind,
  type RequestMessage,
  type Requests,
  timeExceededMark,
} from './protocol.ts';

interface Pending {
  readonly id: number;
  readonly subject: string;
  readonly file: string | undefined;
  readonly timeoutMs: number;
  resolve(answer: unknown): void;
  reject(error: EdgepackError): void;
}

interface EngineEnd {
  readonly reason: string;
  readonly hint?: string;
}

const tailLimit = 8192;

const hints: Partial<Record<ErrorCode, string>> = {
  'engine-missing': 'Install it: npm install --ignore-scripts onnxruntime-node',
  'engine-failed':
    'Try fewer threads or smaller samples; if the model fails in ONNX Runtime by itself as well, the model or the engine is at fault.',
  'model-rejected':
    'Check that the model runs in ONNX Runtime by itself; "edgepack inspect" shows its operators and opsets.',
};

/** The engine's process, seen from the one that started it. */
export class EngineProcess implements EngineChannel {
  readonly #child: ChildProcess;
  readonly #logger: Logger;
  /** How long a request may take that says nothing else. */
  readonly timeoutMs: number;
  readonly #pending: Pending[] = [];
  readonly #ended: Promise<void>;
  #nextId = 1;
  #timer: NodeJS.Timeout | undefined;
  #stderrTail = '';
  #killedFor: 'timeout' | 'close' | undefined;
  /** Why the process is gone, once it is. */
  #end: EngineEnd | undefined;

  constructor(options: { readonly timeoutMs: number; readonly logger: Logger }) {
    this.#logger = options.logger;
    this.timeoutMs = options.timeoutMs;
    this.#child = fork(siblingModule(import.meta.url, './child/main'), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // This process has few objects of its own, and they do not live long.
      execArgv: [
        ...process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
        '--max-semi-space-size=1',
      ],
      env: {
        // Memory of tens of MB comes and goes with sessions and runs. glibc would map and unmap each of it, which costs as much
        // time as the runs; other C libraries do not know these names.
        MALLOC_MMAP_THRESHOLD_: '33554432',
        MALLOC_TRIM_THRESHOLD_: '67108864',
        ...process.env,
        // ONNX Runtime would keep files in the folder for temporary ones, and send what it is used for over the network.
        ORT_DISABLE_TELEMETRY: '1',
      },
    });
    this.#child.on('message', (message) => this.#receive(message as AnswerMessage));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-tailLimit);
    });
    this.#ended = this.#awaitEnd();
    this.#keepAlive(false);
  }

  get processId(): number {
    return this.#child.pid ?? -1;
  }

  get isBusy(): boolean {
    return this.#pending.length > 0;
  }

  request<K extends RequestKind>(
    kind: K,
    ask: Requests[K]['ask'],
    { subject, file, timeoutMs }: RequestSubject,
  ): Promise<Requests[K]['answer']> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const pending: Pending = { id, subject, file, timeoutMs: timeoutMs ?? this.timeoutMs, resolve, reject };
      if (this.#end !== undefined || !this.#child.connected) {
        reject(
          this.#errorOf(pending, { code: 'engine-failed', ...(this.#end ?? { reason: 'the engine has been closed' }) }),
        );
        return;
      }
      this.#pending.push(pending);
      if (this.#pending.length === 1) this.#startTurn();
      const message: RequestMessage<K> = { id, kind, ask };
      // A failure to send means that the process is ending: its end tells why and settles the request.
      this.#child.send(message, () => {});
    });
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return this.#ended;
    this.#killedFor ??= 'close';
    this.#keepAlive(true);
    if (this.isBusy) this.#child.kill('SIGKILL');
    else if (this.#child.connected) this.#child.disconnect();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#ended;
    clearTimeout(impatient);
  }

  /** Settles everything once the process has ended and its last words are in. */
  async #awaitEnd(): Promise<void> {
    const { stderr } = this.#child;
    const wordsEnd = new Promise<void>((resolve) => {
      if (stderr === null) resolve();
      else stderr.once('close', resolve);
    });
    const reason = await new Promise<() => EngineEnd>((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(() => this.#describeEnd(code, signal)));
      this.#child.once('error', (error) =>
        resolve(() => ({ reason: `its process could not be started: ${error.message}` })),
      );
    });
    await Promise.race([wordsEnd, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    this.#fail(reason());
  }

  #startTurn(): void {
    clearTimeout(this.#timer);
    const current = this.#pending[0];
    this.#keepAlive(current !== undefined);
    if (current === undefined) return;
    this.#timer = setTimeout(() => {
      this.#killedFor = 'timeout';
      this.#child.kill('SIGKILL');
    }, current.timeoutMs);
  }

  /** An idle engine does not keep this process from ending. */
  #keepAlive(busy: boolean): void {
    const { channel, stderr } = this.#child;
    const handles = [this.#child, channel, stderr] as ({ ref?(): void; unref?(): void } | null | undefined)[];
    for (const handle of handles) busy ? handle?.ref?.() : handle?.unref?.();
  }

  #receive(message: AnswerMessage): void {
    const index = this.#pending.findIndex((pending) => pending.id === message.id);
    const [pending] = index < 0 ? [] : this.#pending.splice(index, 1);
    this.#startTurn();
    if (pending === undefined) return;
    if ('error' in message) pending.reject(this.#errorOf(pending, message.error));
    else pending.resolve(message.answer);
  }

  #describeEnd(code: number | null, signal: NodeJS.Signals | null): EngineEnd {
    const exceeded = new RegExp(`${memoryExceededMark} (\\d+) of (\\d+)`).exec(this.#stderrTail);
    if (exceeded !== null) {
      const [used, limit] = [exceeded[1], exceeded[2]].map((bytes) => Math.round(Number(bytes) / 2 ** 20));
      return {
        reason: `it took ${used} MiB of memory where the limit is ${limit} MiB`,
        hint: 'Try fewer threads or smaller batches; if you trust the model, allow more with --engine-memory',
      };
    }
    const late = new RegExp(`${timeExceededMark} ([\\d.e+]+)`).exec(this.#stderrTail);
    if (late !== null) {
      return {
        reason: `no answer within ${Number(Number(late[1]).toPrecision(3))} s of computing; it may never end`,
        hint: 'If you trust the model, allow more time with --engine-timeout',
      };
    }
    return { reason: this.#describeDeath(code, signal) };
  }

  #describeDeath(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#killedFor === 'timeout') return `no answer within ${(this.#pending[0]?.timeoutMs ?? 0) / 1000} s`;
    if (this.#killedFor === 'close') return 'the engine has been closed';
    if (signal === 'SIGKILL') return 'its process was killed (SIGKILL), perhaps by the system for lack of memory';
    if (signal !== null) return `its process crashed (${signal})`;
    return `its process ended with code ${code !== null && code > 255 ? `0x${code.toString(16)}` : code}`;
  }

  #fail(end: EngineEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#timer);
    const tail = this.#stderrTail.trim();
    if (tail !== '') this.#logger.debug(`the engine's last words: ${printable(tail.replace(/\s+/g, ' '), 2000)}`);
    for (const pending of this.#pending.splice(0)) {
      pending.reject(this.#errorOf(pending, { code: 'engine-failed', ...end }));
    }
    this.#keepAlive(false);
  }

  #errorOf({ subject, file }: Pending, { code, reason, hint = hints[code] }: ReportedError & EngineEnd): EdgepackError {
    const what = code === 'engine-missing' ? 'the inference engine cannot be loaded' : subject;
    return new EdgepackError(code, `${what}: ${reason}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(file === undefined ? {} : { location: { file } }),
    });
  }
}
