import { createReadStream } from 'node:fs';

/** A file that goes into an archive: from a path, or with its bytes. */
export interface ArchiveFile {
  /** Relative, with `/`, at most 100 characters. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly content: string | Uint8Array;
}

const BLOCK_BYTES = 512;

/** The files as a POSIX ustar archive, without times and owners: the same files give the same bytes. */
export async function* tarArchive(
  files: readonly ArchiveFile[],
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  for (const { name, sizeBytes, content } of files) {
    yield header(name, sizeBytes);
    let sent = 0;
    const pieces = typeof content === 'string' ? createReadStream(content) : [content];
    for await (const piece of pieces as AsyncIterable<Uint8Array>) {
      sent += piece.length;
      onRead(piece.length);
      if (sent > sizeBytes) break;
      yield piece;
    }
    if (sent !== sizeBytes) throw new Error(`${name} changed while it was sent`);
    yield new Uint8Array(-sizeBytes & (BLOCK_BYTES - 1));
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

function header(name: string, sizeBytes: number): Uint8Array {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`${name}: the name is too long for an archive`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 'utf8');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
