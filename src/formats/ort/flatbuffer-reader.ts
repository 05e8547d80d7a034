/** Reads tables of a flatbuffer by number. Everything throws RangeError outside the bytes. */
export class FlatbufferReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get root(): number {
    return this.u32(0);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  i8(at: number): number {
    return this.#view.getInt8(at);
  }

  i32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  i64(at: number): bigint {
    return this.#view.getBigInt64(at, true);
  }

  f32(at: number): number {
    return this.#view.getFloat32(at, true);
  }

  /** Where the offset at `at` points to. */
  follow(at: number): number {
    return at + this.u32(at);
  }

  vtableOf(table: number): number {
    return table - this.#view.getInt32(table, true);
  }

  fieldCount(table: number): number {
    return (this.#view.getUint16(this.vtableOf(table), true) - 4) / 2;
  }

  /** Where a field is; undefined where it has its default. */
  optional(table: number, field: number): number | undefined {
    if (field >= this.fieldCount(table)) return undefined;
    const offset = this.#view.getUint16(this.vtableOf(table) + 4 + 2 * field, true);
    return offset === 0 ? undefined : table + offset;
  }

  /** @throws RangeError where the field is not there. */
  field(table: number, field: number): number {
    const at = this.optional(table, field);
    if (at === undefined) throw new RangeError(`a table has no field ${field}`);
    return at;
  }

  /** The tables in the vector that the offset at `at` points to. */
  tables(at: number): number[] {
    return this.entries(at, 4).map((entry) => this.follow(entry));
  }

  /** Where the entries of the vector are that the offset at `at` points to. */
  entries(at: number, sizeBytes: number): number[] {
    const vector = this.follow(at);
    const count = this.u32(vector);
    if (count > this.#bytes.length / sizeBytes) throw new RangeError(`${count} entries do not fit`);
    return Array.from({ length: count }, (_, i) => vector + 4 + sizeBytes * i);
  }

  text(at: number): Uint8Array {
    const start = this.follow(at) + 4;
    const end = start + this.u32(start - 4);
    if (end > this.#bytes.length) throw new RangeError('a text ends outside');
    return this.#bytes.subarray(start, end);
  }
}
