// Builds web/build/unpack.html: one file without any reference to another, with the decoder of src/ inside.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The program of one entry file with all it imports, without line breaks where they do not matter. */
async function bundle(entry, define = {}) {
  const build = await rolldown({ input: join(root, 'web', entry), platform: 'browser', transform: { define } });
  try {
    const { output } = await build.generate({ format: 'iife', minify: true });
    if (output.length !== 1) throw new Error(`${entry} became ${output.length} files`);
    if (output[0].imports.length > 0) throw new Error(`${entry} imports ${output[0].imports.join(', ')}`);
    return output[0].code;
  } finally {
    await build.close();
  }
}

export async function buildUnpackPage(path = join(root, 'web', 'build', 'unpack.html')) {
  const worker = await bundle('unpack-worker.ts');
  const page = await bundle('unpack-page.ts', { unpackWorkerSource: JSON.stringify(worker) });
  // A script element ends at the first "</script", wherever it stands.
  const program = page.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const html = readFileSync(join(root, 'web', 'unpack.html'), 'utf8').replace('/* program */', () => program);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, html);
  return path;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = await buildUnpackPage();
  process.stdout.write(`${path}: ${readFileSync(path).length} bytes\n`);
}
