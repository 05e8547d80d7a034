/**
 * Messages as bytes: JSON with the arrays of numbers beside it. Unlike the serialisation of V8 it is the same in every
 * version of Node.js, and reading it can make nothing but plain objects and arrays.
 *
 * Layout, little-endian: length of the JSON (uint32), the JSON, then the bytes of the arrays one after the other, each
 * begun at a multiple of 8. In the JSON a text that begins with U+0001 stands for something else: `a` and a JSON list for
 * an array (its kind, its number of elements), `n` for a number that JSON lacks, `s` for a text that begins with U+0001.
 */
const MARK = '\u0001';

const kinds = {
  f32: Float32Array,
  f64: Float64Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
} as const;
type Kind = keyof typeof kinds;
type NumberArray = InstanceType<(typeof kinds)[Kind]>;

const ALIGNMENT = 8;

/** @throws TypeError for what is neither plain data nor an array of numbers. */
export function encodeMessage(message: unknown): Uint8Array[] {
  const arrays: NumberArray[] = [];
  // Not the value that is passed in: of a Buffer that is what its toJSON says.
  function replace(this: Record<string, unknown>, key: string): unknown {
    const value = this[key];
    if (typeof value === 'string') return value.startsWith(MARK) ? `${MARK}s${value}` : value;
    if (typeof value === 'number' && !Number.isFinite(value)) return `${MARK}n${value}`;
    if (!ArrayBuffer.isView(value)) return value;
    const array = value as NumberArray;
    const kind = (Object.keys(kinds) as Kind[]).find((name) => array instanceof kinds[name]);
    if (kind === undefined) throw new TypeError('arrays of this kind are not sent');
    arrays.push(array);
    return `${MARK}a${JSON.stringify([kind, array.length])}`;
  }
  const json = Buffer.from(JSON.stringify(message, replace));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length);
  const pieces: Uint8Array[] = [head, json];
  let length = head.length + json.length;
  for (const array of arrays) {
    const gap = -length & (ALIGNMENT - 1);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    pieces.push(new Uint8Array(gap), bytes);
    length += gap + bytes.length;
  }
  return pieces;
}

/** @throws RangeError or SyntaxError for bytes that {@link encodeMessage} does not make. */
export function decodeMessage(bytes: Uint8Array): unknown {
  if (bytes.length < 4) throw new RangeError('a message is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 4 + view.getUint32(0, true);
  if (end > bytes.length) throw new RangeError('a message is shorter than it says');
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + 4, end - 4).toString('utf8');
  const message: unknown = JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const rest = value.slice(2);
    if (value[1] === 's') return rest;
    if (value[1] === 'n') return Number(rest);
    if (value[1] !== 'a') throw new RangeError('a message holds an unknown mark');
    return restoreArray(rest);
  });
  if (end !== bytes.length) throw new RangeError('a message is longer than it says');
  return message;

  // JSON.parse meets the texts in the order in which JSON.stringify met the arrays.
  function restoreArray(description: string): NumberArray {
    const [kind, length] = JSON.parse(description) as [Kind, number];
    if (!Object.hasOwn(kinds, kind) || !Number.isSafeInteger(length) || length < 0) {
      throw new RangeError('a message holds an unknown array');
    }
    const start = end + (-end & (ALIGNMENT - 1));
    end = start + length * kinds[kind].BYTES_PER_ELEMENT;
    if (end > bytes.length) throw new RangeError('a message is shorter than its arrays');
    // A copy: what is received is aligned by luck only, and shares its memory with other messages. (A Buffer's own `slice`
    // makes none.)
    return new kinds[kind](Uint8Array.prototype.slice.call(bytes, start, end).buffer);
  }
}
