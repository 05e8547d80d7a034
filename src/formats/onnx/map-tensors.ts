import type protobuf from 'protobufjs';
import { copyOf } from './copy-message.ts';
import type { TensorProto } from './proto.ts';

type Message = Record<string, unknown>;

const holders = new WeakMap<protobuf.Type, readonly protobuf.Field[]>();

/**
 * Replaces tensor messages anywhere inside a message: in graphs, functions, sparse tensors, training graphs. Messages
 * without a replaced tensor come back as they are, the others as copies.
 */
export function mapTensors<T extends object>(
  type: protobuf.Type,
  message: T,
  replace: (tensor: TensorProto) => TensorProto,
): T {
  if (type.name === 'TensorProto') return replace(message as TensorProto) as T;
  let result: Message | undefined;
  for (const field of fieldsWithTensors(type)) {
    const before = (message as Message)[field.name];
    if (before === undefined) continue;
    const child = field.resolvedType as protobuf.Type;
    let after: unknown = before;
    if (Array.isArray(before)) {
      const items = before.map((item: object) => mapTensors(child, item, replace));
      if (items.some((item, i) => item !== before[i])) after = items;
    } else {
      after = mapTensors(child, before as object, replace);
    }
    if (after === before) continue;
    result ??= copyOf(message as Message);
    result[field.name] = after;
  }
  return (result ?? message) as T;
}

/** The fields of a message type that can hold tensors, however deep. */
function fieldsWithTensors(type: protobuf.Type): readonly protobuf.Field[] {
  let fields = holders.get(type);
  if (fields === undefined) {
    fields = type.fieldsArray.filter((field) => leadsToTensor(field.resolve().resolvedType, new Set()));
    holders.set(type, fields);
  }
  return fields;
}

function leadsToTensor(type: protobuf.ReflectionObject | null, seen: Set<protobuf.ReflectionObject>): boolean {
  if (type === null || !('fieldsArray' in type) || seen.has(type)) return false;
  if (type.name === 'TensorProto') return true;
  seen.add(type);
  return (type as protobuf.Type).fieldsArray.some((field) => leadsToTensor(field.resolve().resolvedType, seen));
}
