import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import type { Model } from '../../ir/model.ts';
import { PendingFile } from '../../storage/pending-file.ts';
import { writePieces } from '../../storage/write-pieces.ts';
import { encodePieces, type Piece } from './encode-pieces.ts';
import { exportModel } from './export-model.ts';
import { exportTensor, type TensorExporter } from './export-tensor.ts';
import { spillTensors } from './spill-tensors.ts';

/** Protobuf messages, and so ONNX files, end at 2 GiB. */
const MAX_INLINE_BYTES = 2 ** 31 - 1;
/** Tensors from this size on are worth a place in the data file. */
const DEFAULT_THRESHOLD_BYTES = 1024;

export interface WriteModelOptions {
  /**
   * `'inline'`: everything in one file. `{ thresholdBytes }`: tensors of at least that size in one data file beside it.
   * Default: inline below 2 GiB, else tensors of at least 1 kB in the data file.
   */
  readonly externalData?: 'inline' | { readonly thresholdBytes: number };
  /** Largest size of a file that is written in one piece; at most, and by default, 2 GiB. */
  readonly maxInlineBytes?: number;
}

/** The file of a model, in pieces to be written one after the other; large tensors in memory are not copied. */
export function encodeModel(model: Model): { readonly pieces: readonly Uint8Array[]; readonly byteLength: number } {
  const { pieces, byteLength } = encodeInline(model, MAX_INLINE_BYTES);
  return { pieces: pieces.flatMap((piece) => copiesOf(piece)), byteLength };
}

/** The size of the file of a model in bytes; nothing is copied or read for it. */
export function encodedBytes(model: Model): number {
  return encodeInline(model, Number.POSITIVE_INFINITY).byteLength;
}

/**
 * Writes a model as an ONNX file: a temporary file beside it is completed, flushed and renamed. External data goes to
 * `<name>-<hash of the content>.data`, so that old model and old data stay together until the new model is in place;
 * data files of that form that the new model does not use are removed then. Tensors that are stored in other files are
 * copied a few MiB at a time.
 * @returns the size in bytes of the file, or of both files.
 * @throws EdgepackError `output-unwritable`; `model-too-large` where it must be one file and cannot.
 */
export function writeModel(model: Model, path: string, options: WriteModelOptions = {}): number {
  const limit = Math.min(options.maxInlineBytes ?? MAX_INLINE_BYTES, MAX_INLINE_BYTES);
  if (options.externalData === 'inline') return writePieces(path, bytesOf(encodeInline(model, limit).pieces));
  if (options.externalData === undefined) {
    const encoded = encodePieces('ModelProto', exportModel(model));
    if (encoded.byteLength <= limit) return writePieces(path, bytesOf(encoded.pieces));
  }
  return writeWithDataFile(model, path, options.externalData?.thresholdBytes ?? DEFAULT_THRESHOLD_BYTES);
}

function encodeInline(model: Model, limit: number, tensorExporter: TensorExporter = exportTensor) {
  const encoded = encodePieces('ModelProto', exportModel(model, tensorExporter));
  if (encoded.byteLength > limit) {
    throw new EdgepackError('model-too-large', `takes ${encoded.byteLength} bytes; an ONNX file ends at ${limit}`, {
      hint: 'write the tensors as external data',
    });
  }
  return encoded;
}

function writeWithDataFile(model: Model, path: string, thresholdBytes: number): number {
  const stem = basename(path, extname(path));
  const dataFile = new PendingFile(join(dirname(path), `${stem}.data`));
  try {
    const hash = createHash('sha256');
    const places = spillTensors(model, thresholdBytes, (piece) => {
      hash.update(piece);
      dataFile.write(piece);
    });
    const dataName = `${stem}-${hash.digest('hex').slice(0, 12)}.data`;
    const encoded = encodeInline(model, MAX_INLINE_BYTES, places.exporter(dataName));
    if (places.count > 0) dataFile.commit(join(dirname(path), dataName));
    const modelBytes = writePieces(path, bytesOf(encoded.pieces));
    removeOldData(dirname(path), stem, dataName);
    return modelBytes + (places.count > 0 ? dataFile.byteLength : 0);
  } finally {
    dataFile.discard();
  }
}

/** Data files that earlier runs wrote for a model of the same path. */
function removeOldData(folder: string, stem: string, current: string): void {
  for (const name of readdirSync(folder)) {
    const isOurs = name.startsWith(`${stem}-`) && /^[0-9a-f]{12}\.data$/.test(name.slice(stem.length + 1));
    if (isOurs && name !== current) rmSync(join(folder, name), { force: true });
  }
}

function* bytesOf(pieces: readonly Piece[]): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* piece.pieces();
  }
}

/** Deferred pieces reuse their buffer, so what is kept must be copied. */
function copiesOf(piece: Piece): Uint8Array[] {
  return piece instanceof Uint8Array
    ? [piece]
    : Array.from(piece.pieces(), (part) => Uint8Array.prototype.slice.call(part));
}
