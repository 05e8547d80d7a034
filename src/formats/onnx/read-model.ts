import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import type { Model } from '../../ir/model.ts';
import { checkStructure } from './check-structure.ts';
import { importModel } from './import-model.ts';
import { decodeMessage, type ModelProto } from './proto.ts';

/** Protobuf's own limit; larger models keep their tensors in external files. */
const MAX_MODEL_BYTES = 2 ** 31;

/** Decodes a model held in memory. Tensors are views on `bytes`, which must not change afterwards. */
export function decodeModel(bytes: Uint8Array): Model {
  checkStructure(bytes);
  let proto: ModelProto;
  try {
    proto = decodeMessage<ModelProto>('ModelProto', bytes);
  } catch (cause) {
    throw new EdgepackError('model-unreadable', `is not a readable ONNX model (${printable(String(cause))})`, {
      hint: 'check that the file is an ONNX model and was copied whole',
      cause,
    });
  }
  return importModel(proto, (tensor) => {
    throw new EdgepackError('model-unsafe', 'stores its data in another file, but the model was not read from a file', {
      location: { tensor: printable(tensor.name ?? '') },
    });
  });
}

/**
 * Reads an ONNX file.
 * @throws EdgepackError `file-not-found`, `model-unreadable`, `model-invalid` or `model-too-large`, naming the file.
 */
export function readModel(path: string): Model {
  const bytes = readWholeFile(path);
  try {
    return decodeModel(bytes);
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    throw new EdgepackError(error.code, error.message, {
      location: { file: path, ...error.location },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error.cause,
    });
  }
}

function readWholeFile(path: string): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new EdgepackError('file-not-found', `cannot be opened (${(cause as NodeJS.ErrnoException).code})`, {
      location: { file: path },
      hint: 'check the path and the permissions',
      cause,
    });
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) {
      throw new EdgepackError('model-unreadable', 'is not a regular file', { location: { file: path } });
    }
    if (status.size > MAX_MODEL_BYTES) {
      throw new EdgepackError('model-too-large', `has ${status.size} bytes; an ONNX file ends at 2 GiB`, {
        location: { file: path },
        hint: 'store the weights as external data',
      });
    }
    const bytes = Buffer.allocUnsafeSlow(status.size);
    for (let offset = 0; offset < bytes.length; ) {
      const count = readSync(file, bytes, offset, Math.min(bytes.length - offset, 1 << 28), offset);
      if (count === 0)
        throw new EdgepackError('model-unreadable', 'shrank while it was read', { location: { file: path } });
      offset += count;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}
