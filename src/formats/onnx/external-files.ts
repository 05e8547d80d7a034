import type { Model } from '../../ir/model.ts';
import { packedByteLength } from '../../tensor/data-type.ts';
import { isOrtFormat } from '../ort/is-ort-format.ts';
import type { InitializerLocation } from './locate-initializers.ts';
import { mapTensors } from './map-tensors.ts';
import { decodeMessage, EXTERNAL, type ModelProto, messageType } from './proto.ts';
import { provenance } from './provenance.ts';

/** A file that holds tensors of a model. */
export interface ExternalFile {
  /** Relative path as the model states it. */
  readonly location: string;
  /** Ranges of tensors in the file, disjoint and in file order; of ranges that overlap the first one. */
  readonly sections: readonly InitializerLocation[];
}

/** Whether some tensor of a model that was read from a file lies in another file. */
export function hasExternalData(model: Model): boolean {
  return provenance.external.has(model);
}

/**
 * The files beside a model that hold its tensors, in the order in which the model names them. The model has been read
 * before, so that every statement about them is known to be true.
 */
export function externalFiles(bytes: Uint8Array): readonly ExternalFile[] {
  const files = new Map<string, InitializerLocation[]>();
  // It has all of its tensors inside.
  if (isOrtFormat(bytes)) return [];
  mapTensors(messageType('ModelProto'), decodeMessage<ModelProto>('ModelProto', bytes), (tensor) => {
    if (tensor.dataLocation !== EXTERNAL) return tensor;
    const entry = new Map((tensor.externalData ?? []).map(({ key = '', value = '' }) => [key, value]));
    const location = entry.get('location');
    if (location === undefined) return tensor;
    const dims = (tensor.dims ?? []).map(Number);
    const dataType = tensor.dataType ?? 0;
    const elementCount = dims.reduce((product, dim) => product * dim, 1);
    const section = {
      name: tensor.name ?? '',
      offset: Number(entry.get('offset') ?? 0),
      byteLength: Number(entry.get('length') ?? packedByteLength(dataType, elementCount)),
      dataType,
      dims,
    };
    files.set(location, [...(files.get(location) ?? []), section]);
    return tensor;
  });
  return [...files].map(([location, sections]) => ({ location, sections: disjoint(sections) }));
}

function disjoint(sections: readonly InitializerLocation[]): readonly InitializerLocation[] {
  let end = 0;
  return [...sections]
    .sort((a, b) => a.offset - b.offset || b.byteLength - a.byteLength)
    .filter((section) => {
      if (section.offset < end || section.byteLength === 0) return false;
      end = section.offset + section.byteLength;
      return true;
    });
}
