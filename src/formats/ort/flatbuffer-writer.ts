/** Writes a flatbuffer from its front: what a table points to comes after it. Positions are counted from the start. */
export class FlatbufferWriter {
  #buffer = Buffer.alloc(4096);
  #length = 0;

  /** @param identifier the four bytes after the offset of the root. */
  constructor(identifier: Uint8Array) {
    this.#take(4, 4);
    this.#buffer.set(identifier, this.#take(4, 4));
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The table that the file begins with. @param fields offsets in the table, 0 where it lacks the field. */
  root(fields: readonly number[], sizeBytes: number): number {
    return this.table(0, this.vtable(fields, sizeBytes), sizeBytes);
  }

  vtable(fields: readonly number[], sizeBytes: number): number {
    const at = this.#take(4 + 2 * fields.length, 4);
    for (const [i, value] of [4 + 2 * fields.length, sizeBytes, ...fields].entries()) {
      this.#buffer.writeUInt16LE(value, at + 2 * i);
    }
    return at;
  }

  /** An empty table; the offset at `slot` points to it. */
  table(slot: number, vtable: number, sizeBytes: number): number {
    const at = this.#take(sizeBytes, 4);
    this.#buffer.writeInt32LE(at - vtable, at);
    this.point(slot, at);
    return at;
  }

  /** A vector of offsets, and where its first one is. */
  list(slot: number, count: number): number {
    const at = this.#take(4 + 4 * count, 4);
    this.#buffer.writeUInt32LE(count, at);
    this.point(slot, at);
    return at + 4;
  }

  text(slot: number, bytes: Uint8Array): void {
    const at = this.#take(4 + bytes.length + 1, 4);
    this.#buffer.writeUInt32LE(bytes.length, at);
    this.#buffer.set(bytes, at + 4);
    this.point(slot, at);
  }

  u8(at: number, value: number): void {
    this.#buffer.writeUInt8(value, at);
  }

  u32(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value, at);
  }

  /** Lets the offset at `slot` point to a later position. */
  point(slot: number, target: number): void {
    this.#buffer.writeUInt32LE(target - slot, slot);
  }

  /** Zeros up to the next position that leaves `remainder`. */
  padTo(remainder: number, modulus: number): void {
    this.#take((((remainder - this.#length) % modulus) + modulus) % modulus, 1);
  }

  #take(sizeBytes: number, alignment: number): number {
    const at = Math.ceil(this.#length / alignment) * alignment;
    this.#length = at + sizeBytes;
    if (this.#length > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(Math.max(this.#buffer.length, this.#length))]);
    }
    return at;
  }
}
