import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { addressText } from './device-address.ts';
import { endOfProcess } from './end-of-process.ts';
import { scriptFailures } from './remote-scripts.ts';
import { explainSshFailure, type SshTarget, shellCommand, sshArguments } from './ssh-command.ts';

const MAX_OUTPUT_BYTES = 2 ** 20;
/** After the input the device unpacks and checks, and says nothing. */
const PATIENCE_AFTER_INPUT = 4;

export interface RemoteRun {
  readonly script: string;
  readonly parameters?: readonly string[];
  readonly input?: Readable;
  /** How long nothing may move. */
  readonly silenceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a script on the device and gives what it prints.
 * @throws EdgepackError `device-unreachable`, `device-unverified`, `device-unsuitable` or `device-failed`.
 */
export async function runRemote(target: SshTarget, run: RemoteRun): Promise<string> {
  const { script, parameters, input, silenceMs, signal } = run;
  signal?.throwIfAborted();
  const device = addressText(target.address);
  const child = spawn('ssh', sshArguments(target, shellCommand(script, parameters)), {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let stopped: 'silence' | 'output' | 'abort' | undefined;
  const stop = (reason: typeof stopped) => {
    stopped ??= reason;
    child.kill('SIGKILL');
    input?.destroy();
  };
  let timer: NodeJS.Timeout | undefined;
  const moved = (patience = 1) => {
    clearTimeout(timer);
    timer = setTimeout(() => stop('silence'), patience * silenceMs);
  };
  const abort = () => stop('abort');
  signal?.addEventListener('abort', abort, { once: true });
  moved();
  let output = '';
  let words = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    moved();
    output += text;
    if (output.length > MAX_OUTPUT_BYTES) stop('output');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-8192);
  });
  // Why it cannot be written to is told by the end of the process.
  child.stdin.on('error', () => {});
  let inputFailure: Error | undefined;
  if (input === undefined) child.stdin.end();
  else {
    input.on('data', () => moved());
    input.on('error', (error) => {
      inputFailure = error;
      child.kill('SIGKILL');
    });
    child.stdin.on('drain', () => moved());
    child.stdin.on('finish', () => moved(PATIENCE_AFTER_INPUT));
    input.pipe(child.stdin);
  }
  const exitCode = await endOfProcess(child);
  clearTimeout(timer);
  signal?.removeEventListener('abort', abort);
  input?.destroy();
  if (exitCode instanceof Error) throw missingClient(exitCode);
  if (stopped === 'abort') signal!.throwIfAborted();
  if (inputFailure !== undefined) {
    const reason = printable(inputFailure.message, 200);
    throw new EdgepackError('device-failed', `what is copied to the device cannot be read: ${reason}`, {
      hint: 'Install the dependencies again: npm install --ignore-scripts',
      cause: inputFailure,
    });
  }
  if (stopped === 'silence') {
    throw new EdgepackError('device-unreachable', `${device}: no answer within ${silenceMs / 1000} s`, {
      hint: 'Check the connection, and try again',
    });
  }
  if (stopped === 'output') throw new EdgepackError('device-failed', `${device}: the device talks too much`);
  if (exitCode === 0) return output;
  const known = exitCode === null ? undefined : scriptFailures[exitCode];
  if (known !== undefined) {
    throw new EdgepackError(known.code, `${device}: ${known.reason}`, { hint: known.hint });
  }
  throw explainSshFailure(target, exitCode, words);
}

export function missingClient(cause: Error): EdgepackError {
  return new EdgepackError('device-unreachable', `the program ssh cannot be started: ${cause.message}`, {
    hint: 'Install the OpenSSH client',
    cause,
  });
}
