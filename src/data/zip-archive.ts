import { inflateRawSync } from 'node:zlib';
import { crc32 } from '../codec/crc32.ts';
import { printable } from '../diagnostics/printable.ts';
import { type ByteSource, bytesInMemory } from './byte-source.ts';
import { dataError, reasonOf } from './data-error.ts';

/** One file inside a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly method: number;
  readonly crc: number;
  readonly headerOffset: number;
}

const maxEntries = 2 ** 16;
const maxDirectoryBytes = 32 * 2 ** 20;
/** The most bytes one compressed entry may unpack to, as that is held in memory; stored entries have no such limit. */
export const maxUnpackedBytes = 2 ** 30;
/** An entry beyond this size that was packed to a small part of it is no data of any use. */
const freeUnpackedBytes = 64 * 2 ** 20;
const maxPackingRatio = 200;

const rewriteHint = 'the file is damaged or is not an archive by numpy.savez; write it again';

/**
 * Lists a ZIP archive by its central directory (PKWARE APPNOTE 6.3, ZIP64 included).
 * @throws EdgepackError `data-unreadable` for a damaged directory, duplicate names, or more than 65,536 entries.
 */
export async function readZipDirectory(source: ByteSource, file: string): Promise<ReadonlyMap<string, ZipEntry>> {
  const damaged = (why: string) => dataError('data-unreadable', file, `is a damaged ZIP archive: ${why}`, rewriteHint);
  const { offset, length, count } = await findDirectory(source, file);
  if (count > maxEntries || length > maxDirectoryBytes) {
    throw dataError(
      'data-unreadable',
      file,
      `lists ${count} arrays in ${length} bytes, more than the ${maxEntries} arrays that are read`,
      'save several samples per array',
    );
  }
  if (offset + length > source.byteLength) throw damaged('its directory lies outside of the file');
  const bytes = await source.read(offset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || view.getUint32(at, true) !== 0x02014b50)
      throw damaged(`entry ${i} of its directory is broken`);
    const flags = view.getUint16(at + 8, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > length) throw damaged(`entry ${i} of its directory is broken`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const fields = {
      sizeBytes: view.getUint32(at + 24, true),
      storedBytes: view.getUint32(at + 20, true),
      headerOffset: view.getUint32(at + 42, true),
    };
    widen(fields, bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength), damaged);
    if (flags & 1) throw dataError('data-unreadable', file, 'is encrypted', 'save it without a password');
    if (entries.has(name)) throw damaged(`'${printable(name)}' is there twice`);
    entries.set(name, { name, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true), ...fields });
    at = end;
  }
  if (at !== length) throw damaged('its directory holds more than its entries');
  return entries;
}

/** Finds the end-of-directory record, and through it the directory. */
async function findDirectory(source: ByteSource, file: string) {
  const tailLength = Math.min(source.byteLength, 65535 + 22 + 20);
  const tailStart = source.byteLength - tailLength;
  const tail = await source.read(tailStart, tailLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tailLength - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + 22 + view.getUint16(at + 20, true) !== tailLength) continue;
    const count = view.getUint16(at + 10, true);
    const length = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    if (count !== 0xffff && length !== 0xffffffff && offset !== 0xffffffff) return { offset, length, count };
    if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) return { offset, length, count };
    const recordOffset = readUint64(view, at - 12);
    if (recordOffset + 56 > source.byteLength) break;
    const record = await source.read(recordOffset, 56);
    const wide = new DataView(record.buffer, record.byteOffset, record.byteLength);
    if (wide.getUint32(0, true) !== 0x06064b50) break;
    return { offset: readUint64(wide, 48), length: readUint64(wide, 40), count: readUint64(wide, 32) };
  }
  throw dataError('data-unreadable', file, 'is not a ZIP archive, or its end is missing', rewriteHint);
}

/** Replaces the fields that say 0xffffffff by the 64-bit ones of the ZIP64 extra field. */
function widen(
  fields: { sizeBytes: number; storedBytes: number; headerOffset: number },
  extra: Uint8Array,
  damaged: (why: string) => Error,
): void {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  const wide = (['sizeBytes', 'storedBytes', 'headerOffset'] as const).filter((key) => fields[key] === 0xffffffff);
  if (wide.length === 0) return;
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const length = view.getUint16(at + 2, true);
    if (length < wide.length * 8 || at + 4 + length > extra.length) break;
    wide.forEach((key, i) => {
      fields[key] = readUint64(view, at + 4 + i * 8);
    });
    return;
  }
  throw damaged('a 64-bit size is missing');
}

/** A 64-bit size; beyond 2^53 it becomes Infinity, which no check lets pass. */
function readUint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
}

/**
 * The bytes of one entry, checked against its CRC-32. Stored entries stay where they are (`slice` gives a view on that part of the
 * file); deflated ones are unpacked into memory, at most {@link maxUnpackedBytes}.
 * @throws EdgepackError `data-unreadable` where the entry is damaged, too large, or packed by another method.
 */
export async function readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  file: string,
  slice: (offset: number, length: number) => ByteSource,
): Promise<ByteSource> {
  const label = `'${printable(entry.name)}'`;
  const damaged = (why: string) => dataError('data-unreadable', file, `${label} is damaged: ${why}`, rewriteHint);
  if (entry.headerOffset + 30 > source.byteLength) throw damaged('it lies outside of the file');
  const header = await source.read(entry.headerOffset, 30);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50) throw damaged('its header is missing');
  const start = entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.storedBytes > source.byteLength) throw damaged('it lies outside of the file');
  if (entry.method === 0) {
    if (entry.storedBytes !== entry.sizeBytes) throw damaged('its two sizes differ');
    const stored = slice(start, entry.storedBytes);
    let crc = 0;
    const piece = 4 * 2 ** 20;
    for (let at = 0; at < stored.byteLength; at += piece) {
      crc = crc32(await stored.read(at, Math.min(piece, stored.byteLength - at)), crc);
    }
    if (crc !== entry.crc) throw damaged('its checksum is wrong');
    return stored;
  }
  if (entry.method !== 8) {
    throw dataError(
      'data-unreadable',
      file,
      `${label} is packed by method ${entry.method}; stored and deflate are read`,
      'write it with numpy.savez or numpy.savez_compressed',
    );
  }
  if (entry.sizeBytes > maxUnpackedBytes || entry.storedBytes > maxUnpackedBytes) {
    throw dataError(
      'data-unreadable',
      file,
      `${label} unpacks to ${entry.sizeBytes} bytes; compressed arrays are read up to ${maxUnpackedBytes}`,
      'write it with numpy.savez (not compressed), which is read sample by sample, or save fewer samples',
    );
  }
  if (entry.sizeBytes > freeUnpackedBytes && entry.sizeBytes > maxPackingRatio * entry.storedBytes) {
    throw dataError(
      'data-unreadable',
      file,
      `${label} unpacks to ${entry.sizeBytes} bytes from ${entry.storedBytes}, as no real samples do`,
      'check where the file comes from, or write it with numpy.savez (not compressed)',
    );
  }
  let bytes: Uint8Array;
  try {
    const packed = await source.read(start, entry.storedBytes);
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.sizeBytes) });
  } catch (error) {
    throw damaged(reasonOf(error));
  }
  if (bytes.byteLength !== entry.sizeBytes) {
    throw damaged(`it unpacks to ${bytes.byteLength} bytes where ${entry.sizeBytes} are announced`);
  }
  if (crc32(bytes) !== entry.crc) throw damaged('its checksum is wrong');
  return bytesInMemory(bytes);
}
