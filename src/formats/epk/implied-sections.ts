import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';

/** A section that follows from the structure of the file around it. */
export interface ImpliedSection {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
  readonly dataType: number;
  readonly dims: readonly number[];
}

/** Part of the format: shorter payloads of tensors stay where they are. */
export const minImpliedBytes = 16;
const maxDepth = 100;
const maxRank = 64;

export type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'training' | 'function';

/** The fields of ONNX's messages that lead to tensors (onnx.proto). */
export const children: Record<Message, Readonly<Record<number, Message>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  tensor: {},
  sparse: { 1: 'tensor', 2: 'tensor' },
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 11: 'attribute' },
};

/**
 * Finds the holes in an ONNX file from which the payloads of tensors were taken, given only what is left of it: lengths and shapes
 * stand there still. In each tensor the first of the fields raw_data, float_data, double_data (packed) of 16 bytes and more is a hole.
 * Throws `CorruptStreamError` where the bytes are not of that form.
 */
export function impliedSections(skeleton: Uint8Array, byteLength: number): ImpliedSection[] {
  const walk = new Walk(skeleton);
  walk.message('model', byteLength, 0, '');
  if (walk.position !== byteLength || walk.at !== skeleton.length) throw malformed();
  return walk.found;
}

function malformed(): CorruptStreamError {
  return new CorruptStreamError('a graph does not have the form that its sections are to follow from');
}

class Walk {
  readonly found: ImpliedSection[] = [];
  readonly #bytes: Uint8Array;
  /** Where the walk stands in the skeleton; with `#removed`, in the file. */
  at = 0;
  #removed = 0;

  constructor(skeleton: Uint8Array) {
    this.#bytes = skeleton;
  }

  get position(): number {
    return this.at + this.#removed;
  }

  /** Walks over the fields of a message that ends at `end` (in the file). */
  message(kind: Message, end: number, depth: number, context: string): void {
    if (depth > maxDepth) throw malformed();
    const tensor = { name: '', dataType: 0, dims: [] as number[] };
    let hole: { offset: number; byteLength: number } | undefined;
    let output: string | undefined;
    while (this.position < end) {
      const tag = this.#varint();
      const field = Math.floor(tag / 8);
      const wireType = tag % 8;
      if (wireType === 0) {
        const value = this.#varint();
        if (kind !== 'tensor') continue;
        if (field === 1 && tensor.dims.length < maxRank) tensor.dims.push(value);
        if (field === 2) tensor.dataType = value;
        continue;
      }
      if (wireType === 1 || wireType === 5) {
        this.#skip(wireType === 1 ? 8 : 4);
        continue;
      }
      if (wireType !== 2) throw malformed();
      const size = this.#varint();
      const fieldEnd = this.position + size;
      if (fieldEnd > end) throw malformed();
      const child = children[kind][field];
      if (child !== undefined) this.message(child, fieldEnd, depth + 1, output ?? context);
      else if (kind === 'tensor' && isPayload(field) && size >= minImpliedBytes && hole === undefined) {
        hole = { offset: this.position, byteLength: size };
        this.#removed += size;
      } else if (kind === 'tensor' && field === 8) tensor.name = this.#text(size);
      else if (kind === 'node' && field === 2 && output === undefined) output = this.#text(size);
      else this.#skip(size);
    }
    if (this.position !== end) throw malformed();
    if (hole !== undefined) this.found.push({ ...tensor, name: tensor.name === '' ? context : tensor.name, ...hole });
  }

  #skip(count: number): void {
    if (count > this.#bytes.length - this.at) throw malformed();
    this.at += count;
  }

  #text(count: number): string {
    const from = this.at;
    this.#skip(count);
    return new TextDecoder().decode(this.#bytes.subarray(from, this.at));
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 50; factor *= 128) {
      if (this.at >= this.#bytes.length) throw malformed();
      const byte = this.#bytes[this.at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw malformed();
  }
}

export function isPayload(field: number): boolean {
  return field === 9 || field === 4 || field === 10;
}
