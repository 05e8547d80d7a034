import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';

type Elements =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

const descrs: readonly [abstract new (...args: never) => Elements, string][] = [
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
  [Uint8Array, '|u1'],
  [Int8Array, '|i1'],
  [Uint16Array, '<u2'],
  [Int16Array, '<i2'],
  [Uint32Array, '<u4'],
  [Int32Array, '<i4'],
  [BigInt64Array, '<i8'],
  [BigUint64Array, '<u8'],
];

/** The bytes of an `.npy` file, as numpy.save writes them. */
export function npy(shape: readonly number[], elements: Elements, descr?: string): Buffer {
  const type = descr ?? descrs.find(([ArrayType]) => elements instanceof ArrayType)![1];
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  return npyWithHeader(
    `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`,
    Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength),
  );
}

/** An `.npy` file of any header text, padded as NumPy pads it. */
export function npyWithHeader(text: string, data: Uint8Array = new Uint8Array(), version = 1): Buffer {
  const prefix = version === 1 ? 10 : 12;
  const length = Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix;
  const head = Buffer.alloc(prefix + length, ' ');
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  head[7] = 0;
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(length, 8);
  head.write(`${text}`, prefix, 'utf8');
  head[head.length - 1] = 10;
  return Buffer.concat([head, data]);
}

/** A ZIP archive as numpy.savez writes it: 64-bit sizes in the local headers, plain ones in the directory. */
export function zip(files: Readonly<Record<string, Uint8Array>>, method: 0 | 8 = 0): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(files)) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30 + nameBytes.length + 20);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(45, 4);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc32(data), 14);
    local.writeUInt32LE(0xffffffff, 18);
    local.writeUInt32LE(0xffffffff, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    local.writeUInt16LE(20, 28);
    nameBytes.copy(local, 30);
    local.writeUInt16LE(1, 30 + nameBytes.length);
    local.writeUInt16LE(16, 32 + nameBytes.length);
    local.writeBigUInt64LE(BigInt(data.length), 34 + nameBytes.length);
    local.writeBigUInt64LE(BigInt(packed.length), 42 + nameBytes.length);
    const central = Buffer.alloc(46 + nameBytes.length);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc32(data), 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt32LE(offset, 42);
    nameBytes.copy(central, 46);
    pieces.push(local, packed);
    directory.push(central);
    offset += local.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, ...directory, end]);
}

/** An `.npz` archive of named arrays. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, method: 0 | 8 = 0): Buffer {
  return zip(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])), method);
}

/** A folder that is removed when the test ends, and a way to write files into it. */
export function temporaryFolder(): { readonly path: string; write(name: string, bytes: Uint8Array | string): string } {
  const path = mkdtempSync(join(tmpdir(), 'edgepack-data-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, bytes) {
      const file = join(path, name);
      writeFileSync(file, bytes);
      return file;
    },
  };
}
