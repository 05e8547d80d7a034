import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { externalFiles } from '../formats/onnx/external-files.ts';
import { isOrtFormat } from '../formats/ort/is-ort-format.ts';
import type { EngineChannel, RequestSubject } from '../runtime/engine-channel.ts';
import type { RequestKind, Requests } from '../runtime/protocol.ts';
import type { ModelFile } from './agent/device-protocol.ts';
import type { DeviceConnection } from './device-connection.ts';

/** Long against the answer that each piece waits for. */
const PIECE_BYTES = 2 ** 20;

/** The way to an engine's process on a device. Models are copied there when they are loaded. */
export class DeviceEngine implements EngineChannel {
  readonly id: number;
  readonly processId: number;
  readonly #connection: DeviceConnection;
  #outstanding = 0;

  constructor(connection: DeviceConnection, id: number, processId: number) {
    this.#connection = connection;
    this.id = id;
    this.processId = processId;
  }

  get isBusy(): boolean {
    return this.#outstanding > 0;
  }

  async request<K extends RequestKind>(
    kind: K,
    ask: Requests[K]['ask'],
    subject: RequestSubject,
  ): Promise<Requests[K]['answer']> {
    this.#outstanding++;
    try {
      const engineAsk = kind === 'load' ? await this.#withCopiedModel(ask as Requests['load']['ask']) : ask;
      return (await this.#connection.request('request', {
        engineId: this.id,
        kind,
        ask: engineAsk,
        subject,
      })) as Requests[K]['answer'];
    } finally {
      this.#outstanding--;
    }
  }

  async close(): Promise<void> {
    // Without a connection the agent ends its engines by itself.
    await this.#connection.request('closeEngine', { engineId: this.id }).catch(() => {});
  }

  async #withCopiedModel(ask: Requests['load']['ask']): Promise<Requests['load']['ask']> {
    if (ask.options.optimizedModelPath !== undefined) {
      throw new EdgepackError('engine-failed', 'a device writes no files for this host');
    }
    return typeof ask.model === 'string' ? { ...ask, model: await copyModel(this.#connection, ask.model) } : ask;
  }
}

/**
 * Copies a model with its data files to the device, unless it is there.
 * @returns its path there.
 */
async function copyModel(connection: DeviceConnection, modelPath: string): Promise<string> {
  const bytes = readFileSync(modelPath);
  // The name that the user gave it stays here; the engine knows its own format by the end of the name.
  const name = isOrtFormat(bytes) ? 'model.ort' : 'model.onnx';
  const parts = [
    { path: modelPath, name },
    ...externalFiles(bytes).map(({ location }) => ({
      path: join(dirname(modelPath), ...location.split('/')),
      name: location,
    })),
  ];
  if (parts.slice(1).some(({ name }) => name === 'model.onnx')) parts[0]!.name = 'model-of-edgepack.onnx';
  const files: ModelFile[] = parts.map(({ path, name }) => {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for (const piece of piecesOf(path)) {
      hash.update(piece);
      sizeBytes += piece.length;
    }
    return { name, sizeBytes, sha256: hash.digest('hex') };
  });
  const { path: cached } = await connection.request('openModel', { files });
  if (cached !== null) return cached;
  for (const [file, { path }] of parts.entries()) {
    for (const piece of piecesOf(path)) await connection.request('putPiece', { file, bytes: piece });
  }
  return (await connection.request('closeModel', {})).path;
}

function* piecesOf(path: string): Generator<Uint8Array> {
  const handle = openSync(path, 'r');
  try {
    for (let left = statSync(path).size; left > 0; ) {
      const piece = new Uint8Array(Math.min(left, PIECE_BYTES));
      const read = readSync(handle, piece);
      if (read === 0) return;
      left -= read;
      yield piece.subarray(0, read);
    }
  } finally {
    closeSync(handle);
  }
}
