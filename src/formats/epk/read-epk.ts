import { open } from 'node:fs/promises';
import { CorruptStreamError } from '../../codec/corrupt-stream-error.ts';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { type EpkArchive, type EpkDecodeOptions, openEpk } from './open-epk.ts';
import { parallelCoder } from './parallel-coder.ts';

export interface EpkReadOptions extends EpkDecodeOptions {
  /** Threads to decode with. Default: as many as the processor runs; small files are decoded by one. */
  readonly threads?: number;
}

/** The exact files that were packed into the `.epk` at `path`. Throws EdgepackError `file-not-found` or `epk-unreadable`. */
export async function readEpk(
  path: string,
  options: EpkReadOptions = {},
): Promise<{ readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[] }> {
  return withEpk(
    path,
    async (archive) => ({ files: await archive.decodeFiles(parallelCoder(options.threads)) }),
    options,
  );
}

/**
 * Opens the `.epk` at `path`, hands it to `use`, and closes it. Only the header and what `use` asks for is read.
 * Throws EdgepackError `file-not-found` or `epk-unreadable`.
 */
export async function withEpk<T>(
  path: string,
  use: (archive: EpkArchive) => Promise<T>,
  options: EpkDecodeOptions = {},
): Promise<T> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new EdgepackError('file-not-found', `cannot be opened (${reason})`, {
      hint: 'check the path and the permissions',
      location: { file: path },
      cause,
    });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new CorruptStreamError('it is not a regular file');
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const buffer = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(buffer, done, Math.min(length - done, 1 << 30), offset + done);
        if (bytesRead === 0) throw new CorruptStreamError('the file became shorter while it was read');
        done += bytesRead;
      }
      return buffer;
    };
    return await use(await openEpk({ byteLength: stat.size, read }, options));
  } catch (cause) {
    if (!(cause instanceof CorruptStreamError)) throw cause;
    throw new EdgepackError('epk-unreadable', `cannot be unpacked: ${cause.message}`, {
      hint: 'copy or download the file again, or pack the model anew',
      location: { file: path },
      cause,
    });
  } finally {
    await handle.close();
  }
}
