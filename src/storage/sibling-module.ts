import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of a module next to this one, for starting it as a process or thread: the extension is that of the running
 * module, so that the sources (.ts) start sources and the built package (.js) starts built files.
 */
export function siblingModule(metaUrl: string, pathWithoutExtension: string): string {
  return fileURLToPath(new URL(pathWithoutExtension + extname(fileURLToPath(metaUrl)), metaUrl));
}
