// The agent on a device. Arguments: the line that opens its answers, the folder of the cache, a folder of this run, how long
// nothing may come.
// It ends, and its engines with it, when the connection does: at the end of its input, when nothing comes any more, when
// its answers cannot be written, and when the shell that started it is gone.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, failureOf } from './agent.ts';
import { BEAT_MS, type DeviceAnswer, type DeviceAsk } from './device-protocol.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';
import { ModelCache } from './model-cache.ts';

const [start = '', cacheFolder = '', runFolder = '', silence = ''] = process.argv.slice(2);
const silenceMs = Number(silence);
const parentProcessId = process.ppid;
const models = new ModelCache(join(cacheFolder, 'models'), runFolder);
const agent = new Agent(models);
const reader = new FrameReader('');
let heardMs = performance.now();
let isEnding = false;

function send(message: readonly Uint8Array[]): void {
  for (const piece of encodeFrame(message)) process.stdout.write(piece);
}

async function respond({ id, kind, ask }: DeviceAsk): Promise<void> {
  let answer: DeviceAnswer;
  try {
    answer = { id, answer: await agent.answer(kind, ask) };
  } catch (error) {
    answer = { id, error: failureOf(error) };
  }
  if (!isEnding) send(encodeMessage(answer));
}

async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  // Engines that do not end do not keep the agent.
  setTimeout(() => process.exit(code), 5000).unref();
  await agent.close().catch(() => {});
  try {
    models.prune();
  } catch {
    // Pruned by a later run.
  }
  // The shell that made it removes it as well, but may be gone.
  rmSync(runFolder, { recursive: true, force: true });
  process.exit(code);
}

process.stdout.on('error', () => end(1));
process.stdin.on('error', () => end(1));
process.stdin.on('end', () => end(0));
process.stdin.on('data', (bytes: Buffer) => {
  heardMs = performance.now();
  try {
    for (const message of reader.push(bytes)) void respond(decodeMessage(message) as DeviceAsk);
  } catch {
    void end(1);
  }
});
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(1));
setInterval(() => {
  if (performance.now() - heardMs > silenceMs || process.ppid !== parentProcessId) void end(1);
  else send([]);
}, BEAT_MS);
process.stdout.write(`\n${start}\n`);
