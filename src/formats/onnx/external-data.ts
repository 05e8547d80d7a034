import { dirname } from 'node:path';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { ContainedFile, type ContainedFileOptions } from '../../storage/contained-file.ts';
import { bitsPerElement, DataType, dataTypeName, packedByteLength } from '../../tensor/data-type.ts';
import type { TensorData } from '../../tensor/tensor.ts';
import type { ExternalDataResolver } from './import-tensor.ts';
import type { DeferredBytes, TensorProto } from './proto.ts';

/** Tensors may share their data, but not so often that a small file stands for a huge model. */
const MAX_SHARING = 4;
const FREE_SHARING_BYTES = 64 * 2 ** 20;

/** Elements in a range of another file, read when they are asked for and not kept. */
export class ExternalTensorData implements TensorData, DeferredBytes {
  readonly byteLength: number;
  readonly #file: ContainedFile;
  readonly #offset: number;

  constructor(file: ContainedFile, offset: number, byteLength: number) {
    this.#file = file;
    this.#offset = offset;
    this.byteLength = byteLength;
  }

  bytes(): Uint8Array {
    return this.#file.read(this.#offset, this.byteLength);
  }

  pieces(): Iterable<Uint8Array> {
    return this.#file.readPieces(this.#offset, this.byteLength);
  }
}

/**
 * Finds externally stored tensors beside the model file (ONNX specification, "External data"): nothing outside its folder
 * is opened, and a range must lie in its file and fit the tensor's shape.
 */
export function externalDataResolver(modelPath: string, options: ContainedFileOptions): ExternalDataResolver {
  const files = new Map<string, ContainedFile>();
  let fileBytes = 0;
  let tensorBytes = 0;
  return (proto, elementCount) => {
    try {
      const entry = parseEntry(proto);
      let file = files.get(entry.location);
      if (file === undefined) {
        file = new ContainedFile(dirname(modelPath), entry.location, options);
        if (file.isSameAs(modelPath)) {
          throw new EdgepackError(
            'model-unsafe',
            `names the model itself ('${printable(entry.location)}') as its data file`,
            {
              hint: 'export the model again, with a data file of its own',
            },
          );
        }
        files.set(entry.location, file);
        fileBytes += file.sizeBytes;
        if (entry.checksum !== undefined && file.sha1() !== entry.checksum) {
          throw invalid(
            `its data file '${printable(entry.location)}' does not have the checksum that the model states`,
          );
        }
      }
      const byteLength = rangeLength(proto, elementCount, entry, file);
      tensorBytes += byteLength;
      if (tensorBytes > MAX_SHARING * fileBytes + FREE_SHARING_BYTES) {
        throw new EdgepackError('model-unsafe', 'uses the same external data for too many tensors', {
          hint: 'check where the file comes from',
        });
      }
      return new ExternalTensorData(file, entry.offset, byteLength);
    } catch (error) {
      if (!(error instanceof EdgepackError)) throw error;
      throw new EdgepackError(error.code, error.message, {
        location: { ...error.location, tensor: printable(proto.name ?? '') },
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error.cause,
      });
    }
  };
}

interface Entry {
  readonly location: string;
  readonly offset: number;
  readonly length: number | undefined;
  readonly checksum: string | undefined;
}

function parseEntry(proto: TensorProto): Entry {
  const entries = new Map<string, string>();
  for (const { key = '', value = '' } of proto.externalData ?? []) {
    if (entries.has(key)) throw invalid(`states '${printable(key)}' of its external data twice`);
    if (!['location', 'offset', 'length', 'checksum'].includes(key)) {
      throw invalid(`states '${printable(key)}' of its external data, which is unknown`);
    }
    entries.set(key, value);
  }
  const location = entries.get('location');
  if (location === undefined) throw invalid('is stored in another file but does not name it');
  return {
    location,
    offset: parseCount(entries.get('offset'), 'offset') ?? 0,
    length: parseCount(entries.get('length'), 'length'),
    checksum: entries.get('checksum')?.toLowerCase(),
  };
}

function parseCount(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw invalid(`states the ${key} '${printable(text)}' of its external data`);
  return count;
}

function rangeLength(proto: TensorProto, elementCount: number, entry: Entry, file: ContainedFile): number {
  const dataType = proto.dataType ?? 0;
  if (dataType === DataType.string || dataType === DataType.undefined) {
    throw invalid(`stores elements of type ${dataTypeName(dataType)} in another file, which cannot be`);
  }
  if ((proto.rawData?.byteLength ?? 0) > 0) throw invalid('holds its elements twice, inside the model and outside');
  const needed =
    bitsPerElement(dataType) > 0
      ? packedByteLength(dataType, elementCount)
      : (entry.length ?? Math.max(0, file.sizeBytes - entry.offset));
  if (entry.length !== undefined && entry.length !== needed) {
    throw invalid(`says ${entry.length} bytes of external data where its shape needs ${needed}`);
  }
  if (entry.offset + needed > file.sizeBytes) {
    throw invalid(
      `asks for bytes ${entry.offset} to ${entry.offset + needed} of '${printable(entry.location)}', which has ${file.sizeBytes}`,
    );
  }
  return needed;
}

function invalid(message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    hint: 'copy the model together with its data files, or export it again',
  });
}
