import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { crc32 } from '../../../src/codec/crc32.ts';
import { digitsModel, files, type HostileCase, write } from '../hostile-case.ts';

const u16 = (number: number) => Buffer.from(Uint16Array.of(number).buffer);
const u32 = (number: number) => Buffer.from(Uint32Array.of(number).buffer);

function npy(header: string, data: Uint8Array): Buffer {
  const text = Buffer.from(`${header.padEnd(118 - 10, ' ')}\n`, 'latin1');
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), u16(text.length), text, data]);
}
const array = (shape: string, data: Uint8Array, descr = '<f4') =>
  npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`, data);

interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly sizeBytes?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly method?: number;
}

function zip(entries: readonly Entry[], count = entries.length): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, sizeBytes, crc, flags = 0, method = 8 } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const facts = Buffer.concat([
      u16(20),
      u16(flags),
      u16(method),
      u32(0),
      u32(crc ?? crc32(data)),
      u32(packed.length),
      u32(sizeBytes ?? data.length),
      u16(name.length),
      u16(0),
    ]);
    const local = Buffer.concat([u32(0x04034b50), facts, Buffer.from(name), packed]);
    directory.push(
      Buffer.concat([u32(0x02014b50), u16(20), facts, u16(0), u16(0), u16(0), u32(0), u32(offset), Buffer.from(name)]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([
    ...parts,
    central,
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(count),
    u16(count),
    u32(central.length),
    u32(offset),
    u16(0),
  ]);
}

const usage = { outcome: 'refused' as const, exitCode: 2 as const };
/** The file is given as data of a sound model to everything that takes data. */
const given = (name: string, make: (path: string) => void, says: RegExp = /./): HostileCase =>
  files(
    (folder) => make(join(folder, name)),
    [
      { ...usage, args: ['compress', digitsModel, '-o', 'out', '--dry-run', '-d', name], says },
      { ...usage, args: ['compress', digitsModel, '-o', 'out', '-d', name, '-r', 'accurate'], says, engine: true },
      { ...usage, args: ['evaluate', digitsModel, '-d', name], says },
    ],
  );
const fileOf = (name: string, content: () => Uint8Array | string, says?: RegExp) =>
  given(name, (path) => writeFileSync(path, content()), says);

export const missing = given('none.npz', () => {});
export const emptyNpz = fileOf('d.npz', () => '');
export const textNpz = fileOf('d.npz', () => 'hello');
export const npzWithoutArrays = fileOf('d.npz', () => zip([]));
export const npzOfText = fileOf('d.npz', () => zip([{ name: 'readme.txt', data: Buffer.from('hi') }]));
export const zipBomb = fileOf('d.npz', () => zip([{ name: 'x.npy', data: Buffer.alloc(80_000_000), sizeBytes: 1000 }]));
export const honestZipBomb = fileOf('d.npz', () => zip([{ name: 'x.npy', data: Buffer.alloc(80_000_000) }]));
export const zipBombInShape = fileOf('d.npz', () =>
  zip([{ name: 'x.npy', data: array('(20, 1000000)', Buffer.alloc(80_000_000)) }]),
);
export const zipClaims4Gb = fileOf('d.npz', () =>
  zip([{ name: 'x.npy', data: array('(4,)', Buffer.alloc(16)), sizeBytes: 0xfffffffe }]),
);
export const zipWrongChecksum = fileOf(
  'd.npz',
  () => zip([{ name: 'x.npy', data: array('(4,)', Buffer.alloc(16)), crc: 1 }]),
  /checksum/,
);
export const zipEncrypted = fileOf(
  'd.npz',
  () => zip([{ name: 'x.npy', data: array('(4,)', Buffer.alloc(16)), flags: 1 }]),
  /encrypted/,
);
export const zipTwoOfOneName = fileOf(
  'd.npz',
  () =>
    zip([
      { name: 'x.npy', data: array('(4,)', Buffer.alloc(16)) },
      { name: 'x.npy', data: Buffer.alloc(3) },
    ]),
  /twice/,
);
export const zipOfParentPaths = fileOf('d.npz', () =>
  zip([{ name: '../../escape.npy', data: array('(4,)', Buffer.alloc(16)) }]),
);
export const zipOfControlCharacters = fileOf('d.npz', () =>
  zip([{ name: '\u001b[31m\n.npy', data: array('(4,)', Buffer.alloc(16)) }]),
);
export const zipUnknownMethod = fileOf('d.npz', () => zip([{ name: 'x.npy', data: Buffer.alloc(9), method: 99 }]));
export const zipCountLies = fileOf('d.npz', () =>
  zip([{ name: 'x.npy', data: array('(4,)', Buffer.alloc(16)) }], 60_000),
);
export const zipTruncated = fileOf('d.npz', () =>
  zip([{ name: 'x.npy', data: array('(4,)', Buffer.alloc(16)) }]).subarray(0, -30),
);
export const npzOfPickles = fileOf(
  'd.npz',
  () => zip([{ name: 'x.npy', data: array('(1,)', Buffer.from('cposix\nsystem\n.'), '|O') }]),
  /pickled/,
);
export const emptyNpy = fileOf('d.npy', () => '');
export const pickledNpy = fileOf('d.npy', () => array('(1,)', Buffer.from('cposix\nsystem\n.'), '|O'), /pickled/);
export const npyShapeOverflows = fileOf('d.npy', () => array('(4294967296, 4294967296)', Buffer.alloc(16)), /shape/);
export const npyShapeLies = fileOf('d.npy', () => array('(1000000, 784)', Buffer.alloc(16)), /needs/);
export const npyShapeNegative = fileOf('d.npy', () => array('(-1, 784)', Buffer.alloc(16)));
export const npyManyDims = fileOf('d.npy', () => array(`(${'1, '.repeat(60)})`, Buffer.alloc(4)));
export const npyDeepHeader = fileOf('d.npy', () => {
  const text = Buffer.from(`${'('.repeat(30_000)}\n`);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), u16(text.length), text]);
});
export const npyHeaderLengthLies = fileOf('d.npy', () =>
  Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), u32(0xffffffff), Buffer.from('{}')]),
);
export const npyHeaderCallsCode = fileOf('d.npy', () =>
  npy("__import__('os').system('touch owned')", Buffer.alloc(16)),
);
export const npyFortranOrder = fileOf(
  'd.npy',
  () => npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", Buffer.alloc(16)),
  /Fortran/,
);
export const npyOfNoSamples = fileOf('d.npy', () => array('(0, 1, 28, 28)', Buffer.alloc(0)));
export const npyOfWrongShape = fileOf('d.npy', () => array('(8, 2)', Buffer.alloc(64)));
export const sparseNpy = given('d.npy', (path) => {
  writeFileSync(path, array('(1000000, 1, 100, 100)', Buffer.alloc(0)));
  truncateSync(path, 128 + 40_000_000_000);
});
export const pipeAsNpz = given('d.npz', (path) => void execFileSync('mkfifo', [path]));
export const pipeAsNpy = given('d.npy', (path) => void execFileSync('mkfifo', [path]));
export const deviceAsNpz = given('d.npz', (path) => symlinkSync('/dev/zero', path));
export const linkLoop = given('d.npz', (path) => symlinkSync('d.npz', path));

const folderOf = (contents: (folder: string) => void, says?: RegExp) =>
  given(
    'photos',
    (path) => {
      mkdirSync(path);
      contents(path);
    },
    says,
  );
const images = (name: string, content: () => Uint8Array | string) =>
  folderOf((folder) => {
    const bytes = content();
    for (let i = 0; i < 4; i++) writeFileSync(join(folder, `${i}-${name}`), bytes);
  });
function pngOf(width: number, height: number, pixels: Uint8Array): Buffer {
  const chunk = (kind: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
    return Buffer.concat([u32(data.length).swap32(), body, u32(crc32(body)).swap32()]);
  };
  const head = Buffer.concat([u32(width).swap32(), u32(height).swap32(), Buffer.of(8, 0, 0, 0, 0)]);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
export const emptyFolder = folderOf(() => {});
export const folderLinkLoop = folderOf((folder) => symlinkSync('.', join(folder, 'again')));
export const folderLinkToTheRoot = folderOf((folder) => symlinkSync('/', join(folder, 'root')));
export const folderOfPipes = folderOf((folder) => {
  for (let i = 0; i < 4; i++) execFileSync('mkfifo', [join(folder, `${i}.png`)]);
});
export const folderOfDevices = folderOf((folder) => {
  for (let i = 0; i < 4; i++) symlinkSync('/dev/zero', join(folder, `${i}.jpg`));
});
export const deepFolders = folderOf((folder) => mkdirSync(join(folder, 'a/'.repeat(500)), { recursive: true }));
export const emptyImages = images('a.png', () => '');
export const textImages = images('a.jpg', () => 'not an image');
export const truncatedJpeg = images('a.jpg', () =>
  Buffer.from('ffd8ffe000104a46494600010100000100010000ffdb0043', 'hex'),
);
export const imageBomb = images('a.png', () => pngOf(60_000, 60_000, Buffer.alloc(1000)));
export const imageBombAtTheLimit = images('a.png', () => pngOf(11_000, 12_000, Buffer.alloc(1000)));
export const honestImageBomb = images('a.png', () => pngOf(11_000, 11_000, Buffer.alloc(11_001 * 11_000)));
export const imageOfNoPixels = images('a.png', () => pngOf(0, 0, Buffer.alloc(0)));
export const svgWithReferences = images(
  'a.svg',
  () =>
    '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
);
export const svgNamedPng = images(
  'a.png',
  () =>
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><text>&x;</text></svg>',
);
export const bmpThatLies = images('a.bmp', () =>
  Buffer.concat([
    Buffer.from('BM'),
    Buffer.alloc(12),
    u32(40),
    u32(0x7fffffff),
    u32(0x7fffffff),
    u16(1),
    u16(24),
    Buffer.alloc(24),
  ]),
);
export const bmpNegative = images('a.bmp', () =>
  Buffer.concat([
    Buffer.from('BM'),
    Buffer.alloc(12),
    u32(40),
    u32(0xffffffff),
    u32(0x80000000),
    u16(1),
    u16(24),
    Buffer.alloc(24),
  ]),
);

const labelled = (name: string, content: () => Uint8Array | string): HostileCase =>
  files(
    (folder) => write(folder, { [name]: content(), 'd.npy': array('(8, 1, 28, 28)', Buffer.alloc(8 * 784 * 4)) }),
    [
      { ...usage, args: ['compress', digitsModel, '-o', 'out', '--dry-run', '-d', 'd.npy', '--labels', name] },
      { ...usage, args: ['evaluate', digitsModel, '-d', 'd.npy', '--labels', name] },
    ],
  );
export const labelsEmpty = labelled('l.csv', () => '');
export const labelsOneHugeLine = labelled('l.csv', () => 'a'.repeat(30_000_000));
export const labelsManyLines = labelled('l.csv', () => '1\n'.repeat(10_000_000));
export const labelsManyQuotes = labelled('l.csv', () => '"'.repeat(5_000_000));
export const labelsNegative = labelled('l.txt', () => '-1\n'.repeat(8));
export const labelsHuge = labelled('l.txt', () => '1e99\n'.repeat(8));
export const labelsOfText = labelled('l.txt', () => '\u001b[31mcat\n'.repeat(8));
export const labelsFractions = labelled('l.txt', () => '0.5\n'.repeat(8));
export const labelsPickled = labelled('l.npy', () => array('(8,)', Buffer.alloc(64), '|O'));
