import Long from 'long';
import type { Shape, ValueType } from '../../ir/types.ts';
import type { DimensionProto, TypeProto } from './proto.ts';
import { provenance } from './provenance.ts';

/** The message of a type; a type that was read is written as it was. */
export function exportType(type: ValueType): TypeProto {
  const origin = provenance.type.get(type);
  if (origin !== undefined) return origin;
  switch (type.kind) {
    case 'tensor':
      return { tensorType: exportTensorType(type.elemType, type.shape) };
    case 'sparse-tensor':
      return { sparseTensorType: exportTensorType(type.elemType, type.shape) };
    case 'sequence':
      return { sequenceType: type.elementType === undefined ? {} : { elemType: exportType(type.elementType) } };
    case 'optional':
      return { optionalType: type.elementType === undefined ? {} : { elemType: exportType(type.elementType) } };
    case 'map':
      return {
        mapType: {
          keyType: type.keyType,
          ...(type.valueType === undefined ? {} : { valueType: exportType(type.valueType) }),
        },
      };
    default:
      return {};
  }
}

function exportTensorType(elemType: number, shape: Shape | undefined): NonNullable<TypeProto['tensorType']> {
  return shape === undefined ? { elemType } : { elemType, shape: { dim: shape.map(exportDim) } };
}

function exportDim(dim: Shape[number]): DimensionProto {
  if (dim === undefined) return {};
  return typeof dim === 'number' ? { dimValue: Long.fromNumber(dim) } : { dimParam: dim };
}
