import * as fs from 'node:fs';

/** The calls that writing outputs makes: those of `node:fs`. Tests put one in its place that fails at the n-th call. */
export type FileLayer = Pick<
  typeof fs,
  | 'closeSync'
  | 'fsyncSync'
  | 'linkSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'renameSync'
  | 'rmSync'
  | 'rmdirSync'
  | 'statSync'
  | 'writeSync'
>;

export const diskFiles: FileLayer = fs;

/** Windows refuses to replace a file that another program, such as a virus scanner, has open for a moment. */
export function renamePatiently(files: FileLayer, from: string, to: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      files.renameSync(from, to);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const mayPass = process.platform === 'win32' && (code === 'EPERM' || code === 'EBUSY' || code === 'EACCES');
      if (!mayPass || attempt === 10) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 * attempt);
    }
  }
}

/** A rename is durable once its folder is flushed; where folders cannot be opened (Windows), the system sees to it. */
export function syncFolder(files: FileLayer, folder: string): void {
  let file: number;
  try {
    file = files.openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    files.fsyncSync(file);
  } catch {
    // Not supported here.
  } finally {
    files.closeSync(file);
  }
}

/** Writes all of a piece, however much one call takes. */
export function writeFully(files: FileLayer, file: number, piece: Uint8Array): void {
  for (let offset = 0; offset < piece.byteLength; ) offset += files.writeSync(file, piece, offset);
}
