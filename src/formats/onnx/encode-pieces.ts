import type protobuf from 'protobufjs';
import { type DeferredBytes, type MessageName, messageType } from './proto.ts';

/** Byte strings shorter than this are copied into the surrounding piece instead of being a piece of their own. */
const VIEW_THRESHOLD = 4096;
/** The messages that can hold tensors; all others are encoded whole. */
const SPLIT_MESSAGES = new Set<string>([
  'ModelProto',
  'GraphProto',
  'NodeProto',
  'AttributeProto',
  'TensorProto',
  'SparseTensorProto',
  'FunctionProto',
  'TrainingInfoProto',
]);

/** Bytes to be written, or the promise of them. */
export type Piece = Uint8Array | DeferredBytes;

interface Encoded {
  readonly pieces: readonly Piece[];
  readonly byteLength: number;
}
type Message = Record<string, unknown> & { readonly $unknowns?: readonly Uint8Array[] };

const sortedFields = new WeakMap<protobuf.Type, readonly protobuf.Field[]>();

/**
 * Encodes a message as a list of pieces to be written one after the other. Large byte fields are not copied:
 * they come back as the views they were given as. Fields are in the order of their numbers, as protobuf's own
 * serialisers write them; unknown fields come last.
 */
export function encodePieces(name: MessageName, message: object): Encoded {
  const out = new PieceList();
  encodeInto(messageType(name), message as Message, out);
  return out.finish();
}

function encodeInto(type: protobuf.Type, message: Message, out: PieceList): void {
  for (const field of fieldsOf(type)) {
    if (!Object.hasOwn(message, field.name)) continue;
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (isSplit(field)) {
      const fieldType = field.resolvedType as protobuf.Type;
      for (const item of (field.repeated ? value : [value]) as Message[]) {
        if (mayHoldTensors(fieldType.name, item)) {
          const inner = new PieceList();
          encodeInto(fieldType, item, inner);
          const encoded = inner.finish();
          out.add(lengthPrefix(field.id, encoded.byteLength));
          for (const piece of encoded.pieces) out.add(piece);
        } else {
          const bytes = fieldType.encode(item).finish();
          out.add(lengthPrefix(field.id, bytes.byteLength));
          out.add(bytes);
        }
      }
    } else if (field.type === 'bytes') {
      for (const bytes of (field.repeated ? value : [value]) as Piece[]) {
        out.add(lengthPrefix(field.id, bytes.byteLength));
        out.add(bytes);
      }
    } else {
      out.add(type.encode({ [field.name]: value }).finish());
    }
  }
  for (const unknown of message.$unknowns ?? []) out.add(unknown);
}

function fieldsOf(type: protobuf.Type): readonly protobuf.Field[] {
  let fields = sortedFields.get(type);
  if (fields === undefined) {
    fields = type.fieldsArray.map((field) => field.resolve()).sort((a, b) => a.id - b.id);
    sortedFields.set(type, fields);
  }
  return fields;
}

function isSplit(field: protobuf.Field): boolean {
  return field.resolvedType !== null && SPLIT_MESSAGES.has(field.resolvedType.name);
}

/** A node without tensor or graph attributes, or an attribute that is neither, is small: encode it whole. */
function mayHoldTensors(typeName: string, message: Message): boolean {
  if (typeName === 'NodeProto') {
    const attributes = (message.attribute ?? []) as Message[];
    return attributes.some((attribute) => mayHoldTensors('AttributeProto', attribute));
  }
  if (typeName === 'AttributeProto') {
    return ['t', 'g', 'tensors', 'graphs', 'sparseTensor', 'sparseTensors', 's', 'strings'].some((name) =>
      Object.hasOwn(message, name),
    );
  }
  return true;
}

/** Field header of a length-delimited field: tag and length as varints. */
function lengthPrefix(fieldId: number, byteLength: number): Uint8Array {
  const bytes: number[] = [];
  for (let value of [fieldId * 8 + 2, byteLength]) {
    while (value >= 0x80) {
      bytes.push((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}

/** Collects pieces, merging small neighbours. */
class PieceList {
  readonly #pieces: Piece[] = [];
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  #byteLength = 0;

  add(piece: Piece): void {
    this.#byteLength += piece.byteLength;
    if (!(piece instanceof Uint8Array) || piece.byteLength >= VIEW_THRESHOLD) {
      this.#flush();
      this.#pieces.push(piece);
    } else if (piece.byteLength > 0) {
      this.#small.push(piece);
      this.#smallBytes += piece.byteLength;
      if (this.#smallBytes >= 64 * 1024) this.#flush();
    }
  }

  finish(): Encoded {
    this.#flush();
    return { pieces: this.#pieces, byteLength: this.#byteLength };
  }

  #flush(): void {
    if (this.#small.length === 0) return;
    this.#pieces.push(this.#small.length === 1 ? this.#small[0]! : Buffer.concat(this.#small, this.#smallBytes));
    this.#small = [];
    this.#smallBytes = 0;
  }
}
