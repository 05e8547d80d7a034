import { isUtf8 } from 'node:buffer';
import type protobuf from 'protobufjs';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { messageType } from './proto.ts';
import { WireCursor, WireType } from './wire-cursor.ts';

/** Messages may be nested this deep (the limit of protobuf's own decoders). */
const MAX_DEPTH = 100;

/**
 * Memory, in bytes, that one message takes once it is decoded and in the IR; measured on long chains and rounded up.
 * Messages that are not listed take {@link OTHER_MESSAGE_BYTES}.
 */
const MESSAGE_BYTES: Readonly<Record<string, number>> = {
  NodeProto: 1300,
  GraphProto: 2000,
  TensorProto: 1200,
  AttributeProto: 500,
  ValueInfoProto: 900,
};
const OTHER_MESSAGE_BYTES = 300;
const STRING_BYTES = 48;
const VIEW_BYTES = 130;
const INTEGER_BYTES = 56;
const FLOAT_BYTES = 16;

/** Memory that the structure of any model may take, and more in proportion to the file. */
const BASE_STRUCTURE_BYTES = 160 * 2 ** 20;
const STRUCTURE_BYTES_PER_FILE_BYTE = 1;

interface Shape {
  readonly name: string;
  readonly bytes: number;
  readonly fields: ReadonlyMap<number, Rule>;
}
interface Rule {
  readonly kind: 'message' | 'string' | 'other';
  readonly name: string;
  /** Memory per value, or per encoded byte where packed numbers are decoded. */
  readonly bytes: number;
  readonly child: (() => Shape) | undefined;
  /** A message that a message of its kind holds once at most. */
  readonly isSingular: boolean;
}

/**
 * Walks over an encoded model before it is decoded and refuses what would decode into more memory than a model of its
 * size should take, is nested too deep, holds a message twice where readers differ in what they make of that, or has names that are not UTF-8 (which could not be written back as they are).
 * @throws EdgepackError `model-unreadable`, `model-invalid` or `model-too-large`.
 */
export function checkStructure(bytes: Uint8Array): void {
  const limit = BASE_STRUCTURE_BYTES + STRUCTURE_BYTES_PER_FILE_BYTE * bytes.byteLength;
  let structureBytes = 0;
  const charge = (amount: number): void => {
    structureBytes += amount;
    if (structureBytes > limit) throw tooLarge(limit);
  };
  const walk = (shape: Shape, start: number, end: number, depth: number): void => {
    if (depth > MAX_DEPTH) throw tooDeep();
    charge(shape.bytes);
    const cursor = new WireCursor(bytes, start, end);
    let singulars: Set<Rule> | undefined;
    while (cursor.next()) {
      const rule = shape.fields.get(cursor.fieldId);
      const isBytes = cursor.wireType === WireType.bytes;
      if (rule === undefined || (rule.kind !== 'other' && !isBytes)) {
        charge(VIEW_BYTES);
      } else if (rule.kind === 'message') {
        if (rule.isSingular) {
          singulars ??= new Set();
          if (singulars.has(rule)) throw twice(shape.name, rule.name, cursor.start);
          singulars.add(rule);
        }
        walk(rule.child!(), cursor.start, cursor.end, depth + 1);
      } else if (rule.kind === 'string') {
        charge(STRING_BYTES + 2 * (cursor.end - cursor.start));
        if (!isValidText(bytes, cursor.start, cursor.end)) throw notUtf8(shape.name, rule.name, cursor);
      } else if (isBytes && rule.bytes !== VIEW_BYTES) {
        charge(rule.bytes * (cursor.end - cursor.start));
      } else {
        charge(rule.bytes);
      }
    }
  };
  walk(shapeOf(messageType('ModelProto')), 0, bytes.byteLength, 1);
}

const shapes = new Map<protobuf.Type, Shape>();

function shapeOf(type: protobuf.Type): Shape {
  let shape = shapes.get(type);
  if (shape === undefined) {
    const fields = type.fieldsArray.map((field): [number, Rule] => [field.id, ruleOf(field.resolve())]);
    shape = { name: type.name, bytes: MESSAGE_BYTES[type.name] ?? OTHER_MESSAGE_BYTES, fields: new Map(fields) };
    shapes.set(type, shape);
  }
  return shape;
}

function ruleOf(field: protobuf.Field): Rule {
  const { name, type } = field;
  if (field.resolvedType !== null && 'fieldsArray' in field.resolvedType) {
    const child = field.resolvedType as protobuf.Type;
    return { kind: 'message', name, bytes: 0, child: () => shapeOf(child), isSingular: !field.repeated };
  }
  if (type === 'string') return { kind: 'string', name, bytes: 0, child: undefined, isSingular: false };
  const bytes = type === 'bytes' ? VIEW_BYTES : type === 'float' || type === 'double' ? FLOAT_BYTES : INTEGER_BYTES;
  return { kind: 'other', name, bytes, child: undefined, isSingular: false };
}

function isValidText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return isUtf8(bytes.subarray(i, end));
  return true;
}

function notUtf8(message: string, field: string, cursor: WireCursor): EdgepackError {
  const text = Buffer.from(cursor.bytes.subarray(cursor.start, Math.min(cursor.end, cursor.start + 400))).toString();
  return new EdgepackError(
    'model-invalid',
    `the ${field} '${printable(text)}' of a ${message} is not valid UTF-8 (at byte ${cursor.start})`,
    { hint: 'export the model again with plain names' },
  );
}

function twice(message: string, field: string, offset: number): EdgepackError {
  return new EdgepackError('model-invalid', `has the ${field} of a ${message} twice (at byte ${offset})`, {
    hint: 'two files were joined, or the file is damaged: export the model again',
  });
}

function tooDeep(): EdgepackError {
  return new EdgepackError('model-unreadable', `is nested deeper than ${MAX_DEPTH} levels`, {
    hint: 'no exporter writes such a model; check where the file comes from',
  });
}

function tooLarge(limit: number): EdgepackError {
  const limitMb = Math.round(limit / 2 ** 20);
  return new EdgepackError(
    'model-too-large',
    `has so many nodes, names or attributes that they would take more than ${limitMb} MiB of memory`,
    { hint: 'edge models have some thousands of nodes; check where the file comes from' },
  );
}
