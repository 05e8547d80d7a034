import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const src = join(root, 'src');

/** The table of ARCHITECTURE.md, read from there: rank by room. */
function ranksFromDocument(): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const line of readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split(/\r?\n/)) {
    const match = /^\| (\d+) \| ([^|]+) \|/.exec(line);
    if (match === null) continue;
    for (const [, room] of match[2]!.matchAll(/`([a-z.]+?)\/?`/g)) ranks.set(room!, Number(match[1]));
  }
  return ranks;
}

function filesUnder(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name))
    .sort();
}

/** `a/b.ts` lives in room `a`; a file directly in src/ is a room of its own. */
function roomOf(path: string): string {
  return relative(src, path).split(sep)[0]!;
}

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const pattern = /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/gm;
  return Array.from(text.matchAll(pattern), ([, statement, expression]) => ({
    file: relative(root, path).split(sep).join('/'),
    specifier: (statement ?? expression)!,
  }));
}

const sources = filesUnder(src, '.ts');
const ranks = ranksFromDocument();
const imports = sources.flatMap((path) => importsOf(path).map((entry) => ({ ...entry, path })));

describe('the scan of imports', () => {
  it('sees every source file, packages, relative files and re-exports', () => {
    expect(sources.length).toBeGreaterThan(50);
    const found = imports.map(({ file, specifier }) => `${file} ${specifier}`);
    expect(found).toContain('src/formats/onnx/proto.ts protobufjs');
    expect(found).toContain('src/formats/onnx/proto.ts node:fs');
    expect(found).toContain('src/data/dataset.ts ./open-dataset.ts');
    expect(found).toContain('src/ir/graph.ts ./node.ts');
  });
});

describe('rooms', () => {
  it('are all in the table of ARCHITECTURE.md', () => {
    const rooms = new Set(sources.map(roomOf));
    expect([...rooms].filter((room) => !ranks.has(room))).toEqual([]);
  });

  it('import only from rooms of a lower rank, or from themselves', () => {
    const upward: string[] = [];
    for (const { path, file, specifier } of imports) {
      if (!specifier.startsWith('.')) continue;
      const from = roomOf(path);
      const to = roomOf(resolve(dirname(path), specifier));
      if (from === to || to === '..') continue;
      if (!(ranks.get(to)! < ranks.get(from)!)) upward.push(`${file} imports ${specifier}`);
    }
    expect(upward).toEqual([]);
  });

  it('stay inside src/: nothing is imported from tests or scripts', () => {
    const outside = imports.filter(
      ({ path, specifier }) =>
        specifier.startsWith('.') && relative(src, resolve(dirname(path), specifier)).startsWith('..'),
    );
    expect(outside.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('have no drawer for odds and ends', () => {
    const drawers = sources.filter((path) => /(^|[/\\])(utils?|helpers?|common|misc)([/\\]|\.ts$)/i.test(path));
    expect(drawers.map((path) => relative(root, path))).toEqual([]);
  });
});

describe('dependencies', () => {
  const homes: readonly [dependency: string, room: string][] = [
    ['protobufjs', 'src/formats/onnx/'],
    ['long', 'src/formats/onnx/'],
    ['onnxruntime-node', 'src/runtime/'],
    ['sharp', 'src/data/'],
    ['d3-scale', 'src/budget/'],
    ['d3-shape', 'src/budget/'],
    ['jsonc-parser', 'src/budget/'],
    ['commander', 'src/cli/'],
    ['ora', 'src/cli/'],
  ];
  it.each(homes)('%s is imported in %s only', (dependency, room) => {
    const users = imports.filter(({ specifier }) => specifier === dependency || specifier.startsWith(`${dependency}/`));
    expect(users.filter(({ file }) => !file.startsWith(room)).map(({ file }) => file)).toEqual([]);
  });

  it('are declared in package.json, and no other package is imported', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const strangers = imports.filter(({ specifier }) => {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) return false;
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      return dependencies[name] === undefined;
    });
    expect(strangers.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });
});

describe('files', () => {
  it('of the source are named in kebab-case and carry the .ts extension in imports', () => {
    const names = sources.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path.split(sep).at(-1)!));
    expect(names).toEqual([]);
    const bare = imports.filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|json)$/.test(specifier));
    expect(bare.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it.each([
    { folder: 'src', extension: '.ts', limit: 400 },
    { folder: 'scripts', extension: '.mjs', limit: 400 },
    { folder: 'benchmarks', extension: '.mjs', limit: 400 },
    { folder: 'test', extension: '.ts', limit: 600 },
  ])('in $folder/ have at most $limit lines', ({ folder, extension, limit }) => {
    const long = filesUnder(join(root, folder), extension).filter(
      (path) => readFileSync(path, 'utf8').trimEnd().split('\n').length > limit,
    );
    expect(long.map((path) => relative(root, path))).toEqual([]);
  });
});

describe('documents', () => {
  const documents = [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...['docs', 'fixtures', 'benchmarks'].flatMap((folder) =>
      existsSync(join(root, folder))
        ? filesUnder(join(root, folder), '.md').map((path) => relative(root, path).split(sep).join('/'))
        : [],
    ),
  ];

  it('include those a newcomer looks for', () => {
    for (const name of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'ARCHITECTURE.md']) {
      expect(documents).toContain(name);
    }
  });

  it.each(documents)('%s links to files and headings that exist', (document) => {
    const text = readFileSync(join(root, document), 'utf8').replace(/```[\s\S]*?```/g, '');
    const broken: string[] = [];
    for (const [, target] of text.matchAll(/\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/i.test(target!)) continue;
      const [path, anchor] = target!.split('#') as [string, string?];
      const file = path === '' ? join(root, document) : resolve(join(root, dirname(document)), path);
      if (!existsSync(file)) broken.push(target!);
      else if (anchor !== undefined && statSync(file).isFile() && !headings(file).has(anchor)) broken.push(target!);
    }
    expect(broken).toEqual([]);
  });
});

/** Anchors of a document's headings, as GitHub derives them. */
function headings(path: string): Set<string> {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  const anchors = lines
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    );
  return new Set(anchors);
}
