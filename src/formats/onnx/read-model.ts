import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { atFile } from '../../diagnostics/at-file.ts';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { checkQuantization } from '../../ir/check-quantization.ts';
import type { Model } from '../../ir/model.ts';
import { verify } from '../../ir/verify.ts';
import type { ContainedFileOptions } from '../../storage/contained-file.ts';
import type { TensorData } from '../../tensor/tensor.ts';
import { magic } from '../epk/epk-format.ts';
import { decodeOrt } from '../ort/decode-ort.ts';
import { isOrtFormat } from '../ort/is-ort-format.ts';
import { checkStructure } from './check-structure.ts';
import { checkVersions } from './check-versions.ts';
import { externalDataResolver } from './external-data.ts';
import { importModel } from './import-model.ts';
import { type ExternalDataResolver, importTensor } from './import-tensor.ts';
import { mapTensors } from './map-tensors.ts';
import { decodeMessage, EXTERNAL, type ModelProto, messageType, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';

/** Protobuf's own limit; larger models keep their tensors in external files. */
const MAX_MODEL_BYTES = 2 ** 31;

export interface ReadModelOptions extends ContainedFileOptions {
  /** Whether a file in ONNX Runtime's own format (.ort) will do, to look at and to run. Default false. */
  readonly ort?: boolean;
}

/**
 * Decodes a model held in memory. Tensors are views on `bytes`, which must not change afterwards.
 * @throws EdgepackError `model-unreadable`, `model-invalid`, `model-too-large`; `model-unsafe` where the model keeps
 * tensors in other files.
 */
export function decodeModel(bytes: Uint8Array): Model {
  return decodeWith(bytes, (tensor) => {
    throw new EdgepackError('model-unsafe', 'stores its data in another file, but the model was not read from a file', {
      location: { tensor: printable(tensor.name ?? '') },
      hint: 'read the model by its path, with the data file beside it',
    });
  });
}

/**
 * Reads an ONNX file. Tensors in other files are read from there when they are used, so those files must stay.
 * @throws EdgepackError `file-not-found`, `model-unreadable`, `model-invalid`, `model-too-large` or, where data files are
 * outside the model's folder, `model-unsafe`; naming the file.
 */
export function readModel(path: string, options: ReadModelOptions = {}): Model {
  const bytes = readWholeFile(path);
  return atFile(path, () => {
    const isOrt = isOrtFormat(bytes);
    if (isOrt && options.ort !== true) throw ortRefused();
    refuseEpk(bytes);
    const model = isOrt ? decodeOrtModel(bytes) : decodeFile(bytes, externalDataResolver(path, options));
    checkVersions(model);
    checkQuantization(model);
    return model;
  });
}

/** @throws EdgepackError `model-unreadable` for a model that is packed. */
function refuseEpk(bytes: Uint8Array): void {
  if (magic.some((byte, i) => bytes[i] !== byte)) return;
  throw new EdgepackError('model-unreadable', 'is an .epk, in which a model is packed', {
    hint: '"edgepack unpack" gets the .onnx out of it',
  });
}

function ortRefused(): EdgepackError {
  return new EdgepackError('model-unreadable', "is in ONNX Runtime's own format (.ort): it is made to be run only", {
    hint: 'use the .onnx that it was made from; edgepack unpack gets it out of the .epk',
  });
}

function decodeOrtModel(bytes: Uint8Array): Model {
  const model = importModel(decodeOrt(bytes), (tensor) =>
    importTensor(tensor, () => {
      throw new EdgepackError('model-unreadable', 'keeps tensors in another file');
    }),
  );
  verify(model, { anyOrder: true });
  return model;
}

/** A model with its path: what it keeps in other files is remembered. */
function decodeFile(bytes: Uint8Array, resolve: ExternalDataResolver): Model {
  let isExternal = false;
  const model = decodeWith(bytes, (...tensor) => {
    isExternal = true;
    return resolve(...tensor);
  });
  if (isExternal) provenance.external.add(model);
  return model;
}

function decodeWith(bytes: Uint8Array, resolveExternal: ExternalDataResolver): Model {
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
  const imported = new Set<TensorProto>();
  const model = importModel(proto, (tensor) => {
    imported.add(tensor);
    return importTensor(tensor, resolveExternal);
  });
  verify(model, { anyOrder: true });
  const hidden = new Map<TensorProto, TensorData>();
  mapTensors(messageType('ModelProto'), proto, (tensor) => {
    if (tensor.dataLocation === EXTERNAL && !imported.has(tensor)) {
      hidden.set(tensor, importTensor(tensor, resolveExternal).data);
    }
    return tensor;
  });
  if (hidden.size > 0) provenance.hiddenData.set(model, hidden);
  return model;
}

function readWholeFile(path: string): Buffer {
  let file: number;
  try {
    // A pipe would wait for its other end; it is refused below.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw new EdgepackError('file-not-found', `cannot be opened (${(cause as NodeJS.ErrnoException).code})`, {
      location: { file: path },
      hint: 'check the path and the permissions',
      cause,
    });
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw unreadable(path, 'is not a regular file');
    if (status.size === 0) throw unreadable(path, 'is empty');
    if (status.size > MAX_MODEL_BYTES) {
      throw new EdgepackError('model-too-large', `has ${status.size} bytes; an ONNX file ends at 2 GiB`, {
        location: { file: path },
        hint: 'store the weights as external data',
      });
    }
    const bytes = Buffer.allocUnsafeSlow(status.size);
    for (let offset = 0; offset < bytes.length; ) {
      const count = readSync(file, bytes, offset, Math.min(bytes.length - offset, 1 << 28), offset);
      if (count === 0) throw unreadable(path, 'shrank while it was read');
      offset += count;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

function unreadable(path: string, message: string): EdgepackError {
  return new EdgepackError('model-unreadable', message, {
    location: { file: path },
    hint: 'check that the file is an ONNX model and was copied whole',
  });
}
