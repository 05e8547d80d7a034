import { FlatbufferReader } from './flatbuffer-reader.ts';
import { FlatbufferWriter } from './flatbuffer-writer.ts';

/** Fields of the tables that are rewritten, by their numbers in ONNX Runtime's `ort.fbs`. */
const session = { version: 0, model: 1, resolver: 3 } as const;
const pair = { key: 0, list: 1 } as const;
const argument = { type: 0, index: 1 } as const;

/** What nothing in such a file is aligned to more than. */
const ALIGNMENT = 16;

interface Argument {
  readonly type: number;
  readonly index: number;
}
type Resolver = readonly (readonly [
  key: Uint8Array,
  list: readonly (readonly [key: Uint8Array, list: Argument[]])[],
])[];

/**
 * The same file in one order of bytes: ONNX Runtime writes the table of its kernels' types, which stands in front of the
 * graph, in the order of a hash table that differs from process to process. It is written anew in the order of its keys; the rest
 * is kept byte for byte. A file that does not look as expected is given back as it is.
 */
export function canonicalizeOrt(bytes: Uint8Array): Uint8Array {
  try {
    return rewritten(bytes);
  } catch (error) {
    if (error instanceof RangeError) return bytes;
    throw error;
  }
}

/** @throws RangeError where the file is laid out otherwise. */
function rewritten(bytes: Uint8Array): Uint8Array {
  const reader = new FlatbufferReader(bytes);
  const { root } = reader;
  const model = reader.follow(reader.field(root, session.model));
  const version = reader.follow(reader.field(root, session.version));
  const start = Math.min(model, reader.vtableOf(model));
  const resolver = readResolver(reader, reader.follow(reader.field(root, session.resolver)));
  if (reader.fieldCount(root) !== 4 || version < start || root > start) throw new RangeError('not the expected layout');
  const writer = new FlatbufferWriter(bytes.subarray(4, 8));
  const table = writer.root([4, 8, 0, 12], 16);
  writeResolver(writer, table + 12, resolver);
  writer.padTo(start % ALIGNMENT, ALIGNMENT);
  const shift = writer.length - start;
  writer.point(table + 4, version + shift);
  writer.point(table + 8, model + shift);
  return Buffer.concat([writer.bytes(), bytes.subarray(start)]);
}

function readResolver(reader: FlatbufferReader, table: number): Resolver {
  return reader.tables(reader.field(table, 0)).map((operator) => {
    const types = reader.tables(reader.field(operator, pair.list)).map((type) => {
      const found = reader.tables(reader.field(type, pair.list)).map((entry) => {
        const [at, index] = [reader.optional(entry, argument.type), reader.optional(entry, argument.index)];
        return { type: at === undefined ? 0 : reader.u8(at), index: index === undefined ? 0 : reader.u32(index) };
      });
      return [reader.text(reader.field(type, pair.key)), found] as const;
    });
    return [reader.text(reader.field(operator, pair.key)), types] as const;
  });
}

function writeResolver(writer: FlatbufferWriter, slot: number, resolver: Resolver): void {
  const [one, two, leaf] = [writer.vtable([4], 8), writer.vtable([4, 8], 12), writer.vtable([8, 4], 12)];
  const table = writer.table(slot, one, 8);
  const operators = writer.list(table + 4, resolver.length);
  for (const [i, [key, types]] of resolver.entries()) {
    const operator = writer.table(operators + 4 * i, two, 12);
    writer.text(operator + 4, key);
    const list = writer.list(operator + 8, types.length);
    for (const [k, [name, found]] of types.entries()) {
      const type = writer.table(list + 4 * k, two, 12);
      writer.text(type + 4, name);
      const entries = writer.list(type + 8, found.length);
      for (const [n, entry] of found.entries()) {
        const at = writer.table(entries + 4 * n, leaf, 12);
        writer.u32(at + 4, entry.index);
        writer.u8(at + 8, entry.type);
      }
    }
  }
}
