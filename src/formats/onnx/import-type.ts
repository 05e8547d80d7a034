import type { Dim, ValueType } from '../../ir/types.ts';
import type { DimensionProto, TypeProto } from './proto.ts';
import { provenance } from './provenance.ts';
import { longToBigInt } from './tensor-data.ts';

/** Reads a type; the same message gives a type object that is written back as that message. */
export function importType(proto: TypeProto): ValueType {
  const type = typeOf(proto);
  provenance.type.set(type, proto);
  return type;
}

function typeOf(proto: TypeProto): ValueType {
  const tensor = proto.tensorType ?? proto.sparseTensorType;
  if (tensor !== undefined) {
    const shape = tensor.shape === undefined ? undefined : (tensor.shape.dim ?? []).map(importDim);
    return { kind: proto.tensorType === undefined ? 'sparse-tensor' : 'tensor', elemType: tensor.elemType ?? 0, shape };
  }
  const sequence = proto.sequenceType ?? proto.optionalType;
  if (sequence !== undefined) {
    const kind = proto.sequenceType === undefined ? 'optional' : 'sequence';
    return { kind, elementType: sequence.elemType === undefined ? undefined : importType(sequence.elemType) };
  }
  if (proto.mapType !== undefined) {
    const { keyType, valueType } = proto.mapType;
    return {
      kind: 'map',
      keyType: keyType ?? 0,
      valueType: valueType === undefined ? undefined : importType(valueType),
    };
  }
  return proto.opaqueType === undefined ? { kind: 'unknown' } : { kind: 'opaque' };
}

/** A negative or absurdly large value says as little as no value. */
function importDim(dim: DimensionProto): Dim {
  if (dim.dimValue !== undefined) {
    const value = Number(longToBigInt(dim.dimValue));
    return value < 0 || value > 2 ** 40 ? undefined : value;
  }
  return dim.dimParam === undefined || dim.dimParam === '' ? undefined : dim.dimParam;
}
