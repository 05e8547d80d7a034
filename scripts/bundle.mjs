// Completes dist/ after the compiler: joins the modules of src/ into few files, because a program that loads hundreds of them takes
// most of its start for that. Packages stay outside; what only some commands need stays in files of its own, loaded when it is needed.
//
// dist/bundle/ holds the API (index.js) and the command line (cli.js). Modules that are started as a process or a thread replace
// what the compiler made of them, at the same path, by one file that holds all they import.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src');

/** Modules that are started by their path, without extension. */
const processes = ['runtime/child/main', 'runtime/child/watchdog', 'formats/epk/stream-worker', 'device/agent/main'];

/** What is loaded together is one file: for every command line, for most commands, for most of what they call. */
const layers = [
  { name: 'core', roots: /^cli\/main$/ },
  { name: 'commands', roots: /^cli\/commands\/(?!check$)/ },
  { name: 'pipeline', roots: /^pipeline\// },
];

/** The path below src/, as it is below dist/, without extension; undefined for what is no module of ours. */
function ownPath(id) {
  const path = relative(source, id).replaceAll('\\', '/');
  return id.endsWith('.ts') && !path.startsWith('..') ? path.slice(0, -'.ts'.length) : undefined;
}

/** Lets a module find its files from where it is now: from a folder `depth` levels below dist/. */
function keepPlaces(depth) {
  return {
    name: 'keep-places',
    transform(code, id) {
      const place = `new URL('${'../'.repeat(depth)}${ownPath(id)}.js', import.meta.url).href`;
      return code.includes('import.meta.url') ? code.replaceAll('import.meta.url', place) : undefined;
    },
  };
}

/** Fills `layerOf` once the modules are known: the first layer that reaches a module without a dynamic import. */
function findLayers(layerOf) {
  return {
    name: 'find-layers',
    buildEnd() {
      const reach = (id, layer) => {
        if (ownPath(id) === undefined || layerOf.has(id)) return;
        layerOf.set(id, layer);
        for (const imported of this.getModuleInfo(id).importedIds) reach(imported, layer);
      };
      const ids = [...this.getModuleIds()].filter((id) => ownPath(id) !== undefined).sort();
      for (const { name, roots } of layers) for (const id of ids) if (roots.test(ownPath(id))) reach(id, name);
    },
  };
}

/** The files that joining gives; they are to lie `depth` levels below dist/. */
async function generate(input, depth, plugins, output) {
  const external = (id) => /^[^./]/.test(id) && !/^[A-Za-z]:[\\/]/.test(id);
  const build = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external,
    plugins: [keepPlaces(depth), ...plugins],
  });
  try {
    return (await build.generate({ format: 'esm', ...output })).output;
  } finally {
    await build.close();
  }
}

/** Leaves a file alone that is so already: somebody may be loading it. */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Writes the modules that are started by their path, below a folder. */
export async function bundleProcesses(built = join(root, 'dist')) {
  for (const name of processes) {
    const [file] = await generate(join(source, `${name}.ts`), name.split('/').length - 1, [], { codeSplitting: false });
    write(join(built, `${name}.js`), file.code);
  }
}

async function bundleProgram() {
  const folder = join(root, 'dist', 'bundle');
  const layerOf = new Map();
  const groups = layers.map(({ name }, i) => ({
    name,
    priority: layers.length - i,
    test: (id) => layerOf.get(id) === name,
  }));
  const input = { index: join(source, 'index.ts'), cli: join(source, 'cli', 'main.ts') };
  const files = await generate(input, 1, [findLayers(layerOf)], {
    chunkFileNames: '[name].js',
    codeSplitting: { groups },
  });
  for (const { fileName, code } of files) write(join(folder, fileName), code);
  const names = new Set(files.map(({ fileName }) => fileName));
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleProcesses();
  await bundleProgram();
}
