import type { Model } from '../../ir/model.ts';
import { writePieces } from '../../storage/write-pieces.ts';
import { encodePieces } from './encode-pieces.ts';
import { exportModel } from './export-model.ts';

/** The file of a model, in pieces to be written one after the other; large tensors are not copied. */
export function encodeModel(model: Model): { readonly pieces: readonly Uint8Array[]; readonly byteLength: number } {
  return encodePieces('ModelProto', exportModel(model));
}

/** Writes a model as an ONNX file: a temporary file beside it is completed, flushed and renamed. Returns its size in bytes. */
export function writeModel(model: Model, path: string): number {
  const { pieces, byteLength } = encodeModel(model);
  writePieces(path, pieces);
  return byteLength;
}
