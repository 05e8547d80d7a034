import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import type { Graph } from '../../ir/graph.ts';
import type { Attribute, AttributeKind } from '../../ir/types.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checkSparseTensor } from './check-sparse-tensor.ts';
import { type AttributeProto, AttributeType, type GraphProto, type TensorProto } from './proto.ts';
import { provenance } from './provenance.ts';
import { longToInt } from './tensor-data.ts';

type FieldName = 'f' | 'i' | 's' | 't' | 'g' | 'floats' | 'ints' | 'strings' | 'tensors' | 'graphs';
type FieldKind = Exclude<AttributeKind, 'opaque'>;

/** The field that holds the value, by the number of the attribute's type. */
const fieldByType: ReadonlyMap<number, { readonly kind: FieldKind; readonly field: FieldName }> = new Map([
  [AttributeType.float, { kind: 'float', field: 'f' }],
  [AttributeType.int, { kind: 'int', field: 'i' }],
  [AttributeType.string, { kind: 'string', field: 's' }],
  [AttributeType.tensor, { kind: 'tensor', field: 't' }],
  [AttributeType.graph, { kind: 'graph', field: 'g' }],
  [AttributeType.floats, { kind: 'floats', field: 'floats' }],
  [AttributeType.ints, { kind: 'ints', field: 'ints' }],
  [AttributeType.strings, { kind: 'strings', field: 'strings' }],
  [AttributeType.tensors, { kind: 'tensors', field: 'tensors' }],
  [AttributeType.graphs, { kind: 'graphs', field: 'graphs' }],
]);

/** How the parts of an attribute that are not plain values are read. */
export interface AttributePartImporter {
  tensor(proto: TensorProto): Tensor;
  graph(proto: GraphProto): Graph;
  /** Whether the attribute may stand for one of the function around it. */
  readonly allowsReferences: boolean;
}

/**
 * Reads an attribute.
 * @throws EdgepackError `model-invalid` where it says it is of one type and holds a value of another.
 */
export function importAttribute(proto: AttributeProto, parts: AttributePartImporter): Attribute {
  const attribute = attributeValue(proto, parts);
  provenance.attribute.set(attribute, proto);
  return attribute;
}

function attributeValue(proto: AttributeProto, parts: AttributePartImporter): Attribute {
  const name = proto.name ?? '';
  if (proto.refAttrName !== undefined && proto.refAttrName !== '') {
    if (!parts.allowsReferences)
      throw invalid(`the attribute '${printable(name)}' refers to another outside of a function`);
    return { name, kind: 'opaque', value: undefined };
  }
  for (const sparse of [proto.sparseTensor, ...(proto.sparseTensors ?? [])]) {
    if (sparse !== undefined) checkSparseTensor(sparse);
  }
  const type = proto.type ?? guessType(proto);
  const known = fieldByType.get(type);
  if (known === undefined) return { name, kind: 'opaque', value: undefined };
  checkField(proto, known);
  switch (known.kind) {
    case 'float':
      return { name, kind: 'float', value: proto.f ?? 0 };
    case 'int':
      return { name, kind: 'int', value: proto.i === undefined ? 0 : longToInt(proto.i) };
    case 'string':
      return { name, kind: 'string', value: proto.s ?? new Uint8Array(0) };
    case 'tensor':
      return { name, kind: 'tensor', value: parts.tensor(proto.t!) };
    case 'graph':
      return { name, kind: 'graph', value: parts.graph(proto.g!) };
    case 'floats':
      return { name, kind: 'floats', value: proto.floats ?? [] };
    case 'ints':
      return { name, kind: 'ints', value: (proto.ints ?? []).map(longToInt) };
    case 'strings':
      return { name, kind: 'strings', value: proto.strings ?? [] };
    case 'tensors':
      return { name, kind: 'tensors', value: (proto.tensors ?? []).map((tensor) => parts.tensor(tensor)) };
    case 'graphs':
      return { name, kind: 'graphs', value: (proto.graphs ?? []).map((graph) => parts.graph(graph)) };
  }
}

/** Zero numbers, empty strings and empty lists may be left out by a writer; messages and values of another type may not. */
function checkField(proto: AttributeProto, known: { readonly kind: FieldKind; readonly field: FieldName }): void {
  if (isFilled(proto, known.field)) return;
  const other = [...fieldByType.values()].find(({ field }) => field !== known.field && isFilled(proto, field));
  if (other === undefined && known.kind !== 'tensor' && known.kind !== 'graph') return;
  throw invalid(
    `the attribute '${printable(proto.name ?? '')}' says it is of type ${known.kind} but holds ${other === undefined ? 'no value' : `a value of type ${other.kind}`}`,
  );
}

function invalid(message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}

function isFilled(proto: AttributeProto, field: FieldName): boolean {
  const value = proto[field];
  if (value === undefined) return false;
  return !Array.isArray(value) || value.length > 0;
}

/** Very old files leave the attribute's type out: it is what the filled field says. */
function guessType(proto: AttributeProto): number {
  for (const [type, { field }] of fieldByType) if (isFilled(proto, field)) return type;
  return AttributeType.undefined;
}
