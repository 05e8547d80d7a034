import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import {
  BEAT_MS,
  type DeviceAnswer,
  type DeviceAsk,
  type DeviceRequestKind,
  type DeviceRequests,
} from './agent/device-protocol.ts';
import { encodeFrame, FrameReader } from './agent/frames.ts';
import { decodeMessage, encodeMessage } from './agent/message-codec.ts';
import { addressText } from './device-address.ts';
import { endOfProcess } from './end-of-process.ts';
import { runScript, scriptFailures } from './remote-scripts.ts';
import { missingClient } from './run-remote.ts';
import { explainSshFailure, type SshTarget, shellCommand, sshArguments } from './ssh-command.ts';

interface Pending {
  resolve(answer: unknown): void;
  reject(error: EdgepackError): void;
}

/** How long the agent has to end by itself. */
const CLOSE_MS = 8000;

/** The agent on a device, seen from here. When the connection breaks, all requests are rejected, and so are later ones. */
export class DeviceConnection {
  readonly #target: SshTarget;
  readonly #silenceMs: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #reader: FrameReader;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #beat: NodeJS.Timeout;
  #silence: NodeJS.Timeout | undefined;
  #nextId = 1;
  #words = '';
  #end: EdgepackError | undefined;

  /** @param runtimeId the folder of the agent, @param node its Node.js, both as `runScript` takes them. */
  constructor(target: SshTarget, runtimeId: string, node: string, silenceMs: number) {
    this.#target = target;
    this.#silenceMs = silenceMs;
    const start = randomBytes(16).toString('hex');
    this.#reader = new FrameReader(`\n${start}\n`);
    const command = shellCommand(runScript, [runtimeId, node, start, String(silenceMs)]);
    this.#child = spawn('ssh', sshArguments(target, command), { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-8192);
    });
    this.#ended = endOfProcess(this.#child).then((end) =>
      this.#fail(end instanceof Error ? missingClient(end) : this.#describeEnd(end)),
    );
    this.#beat = setInterval(() => this.#write([]), BEAT_MS);
    this.#restartSilence();
  }

  /** @throws EdgepackError what the agent reports, or `device-failed` if the connection breaks. */
  request<K extends DeviceRequestKind>(kind: K, ask: DeviceRequests[K]['ask']): Promise<DeviceRequests[K]['answer']> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      const message: DeviceAsk<K> = { id, kind, ask };
      this.#write(encodeMessage(message));
    });
  }

  /** Ends the agent, which removes what belongs to the run, and waits for that; not for long where requests are pending. */
  async close(): Promise<void> {
    this.#fail(new EdgepackError('device-failed', 'the connection to the device has been closed'));
    this.#child.stdin.end();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), Math.min(CLOSE_MS, this.#silenceMs));
    await this.#ended;
    clearTimeout(impatient);
  }

  #write(message: readonly Uint8Array[]): void {
    if (!this.#child.stdin.writable) return;
    for (const piece of encodeFrame(message)) this.#child.stdin.write(piece);
  }

  #receive(bytes: Buffer): void {
    this.#restartSilence();
    if (this.#end !== undefined) return;
    try {
      for (const message of this.#reader.push(bytes)) this.#settle(decodeMessage(message) as DeviceAnswer);
    } catch (cause) {
      this.#break('what came from it is damaged', cause);
    }
  }

  #settle(message: DeviceAnswer): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (pending === undefined) return;
    if (!('error' in message)) {
      pending.resolve(message.answer);
      return;
    }
    const { code, message: text, hint } = message.error;
    const details = hint === undefined ? {} : { hint: printable(hint, 400) };
    pending.reject(new EdgepackError(code, printable(text, 1000), details));
  }

  #restartSilence(): void {
    clearTimeout(this.#silence);
    if (this.#end !== undefined) return;
    this.#silence = setTimeout(() => this.#break(`nothing came for ${this.#silenceMs / 1000} s`), this.#silenceMs);
  }

  #break(reason: string, cause?: unknown): void {
    this.#fail(this.#lost(reason, cause));
    this.#child.kill('SIGKILL');
  }

  #describeEnd(exitCode: number | null): EdgepackError {
    const known = exitCode === null ? undefined : scriptFailures[exitCode];
    if (known !== undefined) {
      const message = `${addressText(this.#target.address)}: ${known.reason}`;
      return new EdgepackError(known.code, message, { hint: known.hint });
    }
    if (!this.#reader.hasBegun && exitCode === 255) return explainSshFailure(this.#target, exitCode, this.#words);
    const said = printable(this.#words.trim().replace(/\s+/g, ' ').slice(-300), 300);
    const how = exitCode === 255 ? 'the connection broke' : `the agent on it ended (${exitCode ?? 'killed'})`;
    return this.#lost(`${how}${said && `: ${said}`}`);
  }

  #lost(reason: string, cause?: unknown): EdgepackError {
    return new EdgepackError('device-failed', `${addressText(this.#target.address)}: ${reason}`, {
      hint: 'Nothing was kept of the measurement. Check power and connection of the device, and try again',
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #fail(error: EdgepackError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    clearInterval(this.#beat);
    clearTimeout(this.#silence);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
