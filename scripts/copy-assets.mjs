// Completes dist/ after the compiler: copies the data files that it does not emit (device profiles, recipes, the ONNX schema), and
// removes what is left of sources that are gone, so that it is not packed.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src');
const built = join(root, 'dist');

/** Paths of the files under a folder, relative to it. */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
}

const isData = (name) => /\.(json|proto)$/.test(name);

for (const name of filesUnder(source).filter(isData)) cpSync(join(source, name), join(built, name));
for (const name of filesUnder(built)) {
  // Joined from many sources: scripts/bundle.mjs looks after it.
  if (dirname(name) === 'bundle') continue;
  const origin = isData(name) ? name : name.replace(/(\.d)?\.(ts|js)$/, '.ts');
  if (!existsSync(join(source, origin))) rmSync(join(built, name));
}
