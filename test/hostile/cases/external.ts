import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { onnx } from 'onnx-proto';
import { files, type HostileCase, handled, refusedFiles, write } from '../hostile-case.ts';
import { attribute, floats, graph, model, node } from '../onnx-messages.ts';

type Entries = readonly (readonly [key: string, value: string])[];

function outside(entries: Entries, dims = [1, 4], rest: onnx.ITensorProto = {}): onnx.ITensorProto {
  return {
    name: 'w',
    dataType: 1,
    dims,
    dataLocation: 1,
    externalData: entries.map(([key, value]) => ({ key, value })),
    ...rest,
  };
}
const adding = (...initializer: onnx.ITensorProto[]) => model(graph([node('Add', ['x', 'w'], ['y'])], { initializer }));
const data = () => new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** A model whose weight is at a location; beside it the 16 bytes that it wants, under `w.bin`. */
const at = (location: string, says: RegExp, prepare: (folder: string) => void = () => {}): HostileCase =>
  refusedFiles((folder) => {
    write(folder, { 'w.bin': data(), 'model.onnx': adding(outside([['location', location]])) });
    prepare(folder);
  }, says);
const stating = (entries: Entries, says: RegExp, dims = [1, 4]): HostileCase =>
  refusedFiles((folder) => write(folder, { 'w.bin': data(), 'model.onnx': adding(outside(entries, dims)) }), says);

export const absolutePath = at('/etc/passwd', /absolute/);
export const parentFolder = at('../w.bin', /leads out/, (folder) => write(folder, { '../w.bin': data() }));
export const parentFolderNested = at('sub/../../w.bin', /leads out/);
export const parentFolderThatComesBack = at('../case/w.bin', /leads out/);
export const parentFolderAlone = at('..', /leads out/);
export const backslashes = at('..\\..\\w.bin', /backslash/);
export const driveLetter = at('C:w.bin', /URL or names a drive/);
export const driveLetterAbsolute = at('C:\\Windows\\system.ini', /backslash|drive/);
export const httpUrl = at('http://example.com/w.bin', /URL/);
export const fileUrl = at('file:///etc/passwd', /URL/);
export const uncPath = at('//server/share/w.bin', /absolute/);
export const deviceNamespace = at('\\\\.\\PhysicalDrive0', /backslash/);
export const percentEncodedPath = at('%2e%2e/w.bin', /missing/);
export const emptyLocation = at('', /no file name/);
export const dotLocation = at('.', /regular file|no file name/);
export const trailingSlash = at('w.bin/', /no file name/);
export const nulInLocation = at('w.bin\u0000.png', /control/);
export const newlineInLocation = at('w\n.bin', /control/);
export const escapeInLocation = at('\u001b[2Jw.bin', /control/);
export const veryLongLocation = at('a/'.repeat(50_000), /longer than any path/);
export const veryLongFileName = at('a'.repeat(3000), /cannot be opened|missing/);
export const missingFile = at('none.bin', /is missing/);
export const folderAsData = at('sub', /regular file/, (folder) => mkdirSync(join(folder, 'sub')));
export const pipeAsData = at('pipe', /regular file/, (folder) => execFileSync('mkfifo', [join(folder, 'pipe')]));
export const deviceThroughALink = at('zero', /out of the folder/, (folder) =>
  symlinkSync('/dev/zero', join(folder, 'zero')),
);
export const linkOutOfTheFolder = at('link', /out of the folder/, (folder) => {
  write(folder, { '../secret.bin': data() });
  symlinkSync('../secret.bin', join(folder, 'link'));
});
export const linkThroughAFolder = at('sub/secret.bin', /out of the folder/, (folder) => {
  write(folder, { '../elsewhere/secret.bin': data() });
  symlinkSync('../elsewhere', join(folder, 'sub'));
});
export const linkToItself = at('loop', /ELOOP|missing/, (folder) => symlinkSync('loop', join(folder, 'loop')));
export const hardLink = at('hard', /hard link/, (folder) => {
  write(folder, { '../secret.bin': data() });
  linkSync(join(folder, '../secret.bin'), join(folder, 'hard'));
});
export const ownFile = at('model.onnx', /the model itself/);
export const ownFileByAnotherName = at('./model.onnx', /the model itself/);
export const noLocation = stating([['offset', '0']], /does not name it/);
export const offsetPastTheEnd = stating(
  [
    ['location', 'w.bin'],
    ['offset', '400'],
  ],
  /asks for bytes/,
);
export const rangePastTheEnd = stating(
  [
    ['location', 'w.bin'],
    ['offset', '4'],
  ],
  /asks for bytes|which has 16/,
);
export const offsetOverflows = stating(
  [
    ['location', 'w.bin'],
    ['offset', '18446744073709551612'],
  ],
  /offset/,
);
export const offsetNegative = stating(
  [
    ['location', 'w.bin'],
    ['offset', '-16'],
  ],
  /offset/,
);
export const offsetNoNumber = stating(
  [
    ['location', 'w.bin'],
    ['offset', 'zero'],
  ],
  /offset/,
);
export const offsetHexadecimal = stating(
  [
    ['location', 'w.bin'],
    ['offset', '0x0'],
  ],
  /offset/,
);
export const offsetWithSpaces = stating(
  [
    ['location', 'w.bin'],
    ['offset', ' 0 '],
  ],
  /offset/,
);
export const lengthLies = stating(
  [
    ['location', 'w.bin'],
    ['length', '8'],
  ],
  /says 8 bytes/,
);
export const lengthHuge = stating(
  [
    ['location', 'w.bin'],
    ['length', '9007199254740992'],
  ],
  /length/,
);
export const lengthNegative = stating(
  [
    ['location', 'w.bin'],
    ['length', '-1'],
  ],
  /length/,
);
export const shapeLargerThanTheFile = stating([['location', 'w.bin']], /which has 16/, [2 ** 15, 2 ** 15]);
export const unknownKey = stating(
  [
    ['location', 'w.bin'],
    ['command', 'rm -rf /'],
  ],
  /unknown/,
);
export const keyTwice = stating(
  [
    ['location', 'none.bin'],
    ['location', 'w.bin'],
  ],
  /twice/,
);
export const checksumWrong = stating(
  [
    ['location', 'w.bin'],
    ['checksum', '0'.repeat(40)],
  ],
  /checksum/,
);
export const insideAndOutside = refusedFiles(
  (folder) =>
    write(folder, {
      'w.bin': data(),
      'model.onnx': adding(outside([['location', 'w.bin']], [1, 4], { rawData: data() })),
    }),
  /twice/,
);
export const stringsOutside = refusedFiles(
  (folder) =>
    write(folder, { 'w.bin': data(), 'model.onnx': adding(outside([['location', 'w.bin']], [1, 4], { dataType: 8 })) }),
  /string/,
);
export const inAnAttribute = refusedFiles(
  (folder) =>
    write(folder, {
      'model.onnx': model(
        graph([
          node('Constant', [], ['c'], [attribute.tensor('value', outside([['location', '/etc/passwd']]))]),
          node('Add', ['x', 'c'], ['y']),
        ]),
      ),
    }),
  /absolute/,
);
export const inABranch = refusedFiles((folder) => {
  const inner = {
    name: 'b',
    output: [{ name: 't' }],
    initializer: [outside([['location', '../w.bin']])],
    node: [node('Add', ['x', 'w'], ['t'])],
  };
  const condition = { name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(1) };
  write(folder, {
    'model.onnx': model(
      graph(
        [node('If', ['c'], ['y'], [attribute.graph('then_branch', inner), attribute.graph('else_branch', inner)])],
        { initializer: [condition] },
      ),
    ),
  });
}, /leads out/);
export const inAFunction = refusedFiles(
  (folder) =>
    write(folder, {
      'model.onnx': model(graph([node('Relu', ['x'], ['y'])]), {
        functions: [
          {
            name: 'f',
            domain: 'd',
            output: ['c'],
            node: [node('Constant', [], ['c'], [attribute.tensor('value', outside([['location', '/etc/passwd']]))])],
          },
        ],
      }),
    }),
  /absolute/,
);
export const inTrainingInfo = refusedFiles(
  (folder) =>
    write(folder, {
      'model.onnx': model(graph([node('Relu', ['x'], ['y'])]), {
        trainingInfo: [{ algorithm: { name: 't', initializer: [outside([['location', '/etc/passwd']])] } }],
      }),
    }),
  /absolute/,
);
export const smallFileThatStandsForMuch = refusedFiles((folder) => {
  writeFileSync(join(folder, 'w.bin'), '');
  truncateSync(join(folder, 'w.bin'), 2 ** 27);
  const shared = Array.from({ length: 100 }, (_, i) => outside([['location', 'w.bin']], [2 ** 25], { name: `w${i}` }));
  write(folder, { 'model.onnx': adding(outside([['location', 'w.bin']], [2 ** 25]), ...shared) });
}, /too many tensors/);

export const besideTheModel: HostileCase = {
  // Unpacking would write the data file where it is.
  commands: handled(() => new Uint8Array(0)).commands.filter(({ args }) => args[0] !== 'unpack'),
  write: (folder) =>
    write(folder, {
      'sub/w.bin': data(),
      'model.onnx': model(
        graph([node('Add', ['x', 'w'], ['y'])], {
          initializer: [
            outside([
              ['location', 'sub/w.bin'],
              ['offset', '0'],
              ['length', '16'],
            ]),
          ],
        }),
      ),
    }),
};
const linked = (folder: string) => {
  write(folder, { '../blobs/w.bin': data(), 'model.onnx': adding(outside([['location', 'w.bin']])) });
  symlinkSync('../blobs/w.bin', join(folder, 'w.bin'));
};
export const linksWhereAllowed = files(linked, [
  { args: ['inspect', 'model.onnx'], outcome: 'refused', exitCode: 3, says: /--allow-links/ },
  { args: ['inspect', 'model.onnx', '--allow-links'], outcome: 'handled' },
  { args: ['pack', 'model.onnx', '-o', 'out.epk', '--allow-links'], outcome: 'handled' },
  {
    args: ['compress', 'model.onnx', '-o', 'out', '--allow-links'],
    outcome: 'handled',
    engine: true,
    check: 'same-outputs',
  },
]);
export const linksAllowedByTheConfiguration = files(
  (folder) => {
    linked(folder);
    write(folder, { 'edgepack.config.json': '{"allowLinks": true}' });
  },
  [{ args: ['compress', 'model.onnx', '-o', 'out'], outcome: 'handled', engine: true, check: 'same-outputs' }],
);
export const hardLinkWhereAllowed = files(
  (folder) => {
    write(folder, { '../blobs/w.bin': data(), 'model.onnx': adding(outside([['location', 'w.bin']])) });
    linkSync(join(folder, '../blobs/w.bin'), join(folder, 'w.bin'));
  },
  [{ args: ['inspect', 'model.onnx', '--allow-links'], outcome: 'handled' }],
);
export const deviceThroughAnAllowedLink = files(
  (folder) => {
    write(folder, { 'model.onnx': adding(outside([['location', 'w.bin']])) });
    symlinkSync('/dev/zero', join(folder, 'w.bin'));
  },
  [{ args: ['inspect', 'model.onnx', '--allow-links'], outcome: 'refused', exitCode: 3, says: /regular file/ }],
);
export const unusedOutside = refusedFiles(
  (folder) =>
    write(folder, {
      'model.onnx': adding(floats('w', [1], [1]), outside([['location', '../../secret']], [1], { name: 'unused' })),
    }),
  /leads out/,
);
