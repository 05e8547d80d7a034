import { randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { handled, refused } from '../hostile-case.ts';
import { field, graph, model, node, soundGraph, varint } from '../onnx-messages.ts';

const sound = () => model(soundGraph());
const unreadable = /not a readable ONNX model/;

export const emptyFile = refused(() => new Uint8Array(0), /empty/);
export const oneByte = refused(() => Uint8Array.of(0x3a), unreadable);
export const plainText = refused(() => Buffer.from('hello, this is no model\n'), unreadable);
export const html = refused(() => Buffer.from('<!DOCTYPE html><html><body>404</body></html>'), unreadable);
export const json = refused(() => Buffer.from('{"graph": {"node": []}}'), unreadable);
export const zeros = refused(() => Buffer.alloc(4096), unreadable);
export const ones = refused(() => Buffer.alloc(4096, 0xff), unreadable);
export const png = refused(() => Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), unreadable);
export const zip = refused(
  () => Buffer.concat([Buffer.from('504b030414000000080000000000', 'hex'), deflateRawSync(sound())]),
  unreadable,
);
export const gzippedModel = refused(() => gzipSync(sound()), /./);
export const pickle = refused(() => Buffer.from('80027d7100580100000061714b01732e', 'hex'), /./);
export const hdf5 = refused(() => Buffer.from('894844460d0a1a0a0000000000080800', 'hex'), unreadable);
export const gitLfsPointer = refused(
  () => Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
  /./,
);
export const noiseBytes = refused(() => Buffer.concat([Buffer.of(7), randomBytes(5000)]), /./);
export const halfAModel = refused(() => sound().subarray(0, sound().length >> 1), /./);
export const allButOneByte = refused(() => sound().subarray(0, sound().length - 1), /./);
export const trailingGarbage = refused(() => Buffer.concat([sound(), Buffer.from('garbage')]), /./);
export const lengthPastTheEnd = refused(() => Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 7, 0), /says that/);
export const lengthOf2To63 = refused(
  () => Buffer.concat([varint(58), varint(2n ** 63n), Buffer.alloc(4)]),
  /says that/,
);
export const negativeLength = refused(() => Buffer.concat([varint(58), varint(-1n), Buffer.alloc(4)]), /says that/);
export const unknownFieldOf100Mb = refused(
  () => Buffer.concat([sound(), varint(999 * 8 + 2), varint(100_000_000), Buffer.alloc(10)]),
  /says that 100000000 bytes/,
);
export const endlessNumber = refused(() => Buffer.alloc(100, 0xff), /ten bytes/);
export const openGroup = refused(() => Uint8Array.of(0x3b, 8, 1), /group without an end/);
export const closedGroup = refused(() => Buffer.concat([sound(), Buffer.of(0x3c)]), unreadable);
export const deepGroups = refused(() => Buffer.alloc(1_000_000, 0x3b), /nested deeper/);
export const fieldZero = refused(() => Buffer.concat([sound(), Buffer.of(0, 0)]), /valid number/);
export const wireTypeSeven = refused(() => Buffer.concat([sound(), Buffer.of(0x3f, 0)]), /unknown kind/);
export const graphAsNumber = refused(() => Buffer.from('0808' + '3801', 'hex'), /graph/);
export const graphAsFixed = refused(() => Buffer.concat([Buffer.of(8, 8, 0x39), Buffer.alloc(8)]), /graph/);
export const twoGraphs = refused(() => Buffer.concat([sound(), field(7, Buffer.alloc(0))]), /twice/);
export const twoDifferentGraphs = refused(
  () => Buffer.concat([sound(), model(graph([node('Relu', ['x'], ['y2'])]))]),
  /twice/,
);
export const nodeNameNotUtf8 = refused(
  () =>
    field(
      7,
      field(
        1,
        Buffer.concat([field(2, Buffer.from('y')), field(3, Buffer.of(0xc3, 0x28)), field(4, Buffer.from('Relu'))]),
      ),
    ),
  /UTF-8/,
);
export const overlongNumbers = handled(() =>
  // ir_version 8 in ten bytes; what follows is as ever.
  Buffer.concat([Buffer.of(8, 0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), sound().subarray(2)]),
);
export const unknownFields = handled(() =>
  Buffer.concat([sound(), field(500, Buffer.from('from the future')), Buffer.of(0xa0, 0x3f, 1)]),
);
export const unknownGroup = handled(() =>
  Buffer.concat([sound(), varint(600 * 8 + 3), Buffer.of(8, 1), varint(600 * 8 + 4)]),
);

function nestedGraphs(depth: number): Buffer {
  let inner: Uint8Array = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const branch = Buffer.concat([field(1, Buffer.from('then_branch')), Buffer.of(0xa0, 1, 5), field(6, inner)]);
    inner = field(1, Buffer.concat([field(2, Buffer.from('y')), field(4, Buffer.from('If')), field(5, branch)]));
  }
  return field(7, inner);
}
export const graphsNested1000Deep = refused(() => nestedGraphs(1000), /nested deeper/);
export const graphsNested4000Deep = refused(() => nestedGraphs(4000), /nested deeper/);
export const typesNestedDeep = refused(() => {
  let type: Uint8Array = Buffer.alloc(0);
  for (let i = 0; i < 5000; i++) type = field(4, field(1, type));
  return field(7, field(11, Buffer.concat([field(1, Buffer.from('x')), field(2, type)])));
}, /nested deeper/);

const many = (fieldId: number, count: number, content: Uint8Array = new Uint8Array(0)) => {
  const one = field(fieldId, content);
  return Buffer.alloc(one.length * count, one);
};
const tooMany = /more than \d+ MiB of memory/;
export const millionsOfNodes = refused(() => field(7, many(1, 4_000_000)), tooMany);
export const millionsOfInitializers = refused(() => field(7, many(5, 4_000_000)), tooMany);
export const millionsOfInputs = refused(() => field(7, many(11, 4_000_000)), tooMany);
export const millionsOfUnknownFields = refused(() => Buffer.alloc(8_000_000, Buffer.of(0x78, 0)), tooMany);
export const millionsOfMetadata = refused(() => many(14, 4_000_000), tooMany);
export const millionsOfOpsets = refused(() => many(8, 4_000_000), tooMany);
export const millionsOfFunctions = refused(() => many(25, 2_000_000), tooMany);
export const millionsOfInputNames = refused(() => field(7, field(1, many(1, 8_000_000))), tooMany);
export const millionsOfAttributes = refused(() => field(7, field(1, many(5, 4_000_000))), tooMany);
export const millionsOfIntegers = refused(
  () => field(7, field(1, field(5, field(8, Buffer.alloc(8_000_000, 1))))),
  tooMany,
);
export const millionsOfDims = refused(() => field(7, field(5, Buffer.alloc(16_000_000, Buffer.of(8, 1)))), tooMany);
export const millionsOfStrings = refused(() => field(7, field(5, many(6, 8_000_000))), tooMany);
