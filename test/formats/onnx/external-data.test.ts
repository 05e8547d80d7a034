import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnx } from 'onnx-proto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import { decodeModel, readModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel, writeModel } from '../../../src/formats/onnx/write-model.ts';
import { Model } from '../../../src/ir/model.ts';
import { attr } from '../../../src/ir/node.ts';
import { tensorType } from '../../../src/ir/types.ts';
import { verify } from '../../../src/ir/verify.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-external-'));
  path = join(folder, 'model.onnx');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Entries = Record<string, string>;

function external(name: string, dims: number[], entries: Entries | [string, string][]): onnx.ITensorProto {
  const pairs = Array.isArray(entries) ? entries : Object.entries(entries);
  return { name, dataType: 1, dims, dataLocation: 1, externalData: pairs.map(([key, value]) => ({ key, value })) };
}

function writeProto(
  initializer: onnx.ITensorProto[],
  rest: onnx.IGraphProto = {},
  functions: onnx.IFunctionProto[] = [],
) {
  const graph = { name: 'g', initializer, ...rest };
  writeFileSync(
    path,
    onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 17 }], graph, functions }).finish(),
  );
}

function floats(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

function initializers(model: Model): Map<string, number[]> {
  return new Map(Array.from(model.graph.initializers, (value) => [value.name, [...value.tensor!.toFloat32()]]));
}

describe('reading', () => {
  test('ranges of one or several files, in sub-folders, with and without offset and length', () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a.data'), floats(0, 1, 2, 3, 4));
    writeFileSync(join(folder, 'sub', 'b.data'), floats(5, 6));
    writeProto([
      external('u', [2], { location: 'a.data', offset: '4', length: '8' }),
      external('v', [2, 1], { location: 'a.data', offset: '12' }),
      external('w', [2], { location: 'sub/b.data' }),
      external('tied', [2], { location: 'a.data', offset: '4', length: '8' }),
      { name: 'inside', dataType: 1, dims: [1], floatData: [9] },
    ]);
    expect(initializers(readModel(path))).toEqual(
      new Map([
        ['u', [1, 2]],
        ['v', [3, 4]],
        ['w', [5, 6]],
        ['tied', [1, 2]],
        ['inside', [9]],
      ]),
    );
  });

  test('is lazy: the file may be far larger than what is used', () => {
    writeFileSync(join(folder, 'a.data'), floats(1));
    const sparse = readSparse(2 ** 31);
    const before = process.memoryUsage().rss;
    const model = readModel(sparse);
    const small = [...model.graph.initializers].find(({ name }) => name === 'small')!;
    expect(small.tensor!.toFloat32()[0]).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  function readSparse(sizeBytes: number): string {
    const count = sizeBytes / 4;
    writeSparse(join(folder, 'big.data'), sizeBytes + 4);
    writeProto([
      external('huge', [count], { location: 'big.data', length: String(sizeBytes) }),
      external('small', [1], { location: 'big.data', offset: String(sizeBytes) }),
    ]);
    return path;
  }

  test('the checksum is checked where it is stated', () => {
    writeFileSync(join(folder, 'a.data'), floats(1));
    const checksum = createHash('sha1').update(floats(1)).digest('hex');
    writeProto([external('w', [1], { location: 'a.data', checksum })]);
    expect(initializers(readModel(path)).get('w')).toEqual([1]);
    writeProto([external('w', [1], { location: 'a.data', checksum: checksum.replace(/^./, 'x') })]);
    expect(() => readModel(path)).toThrow(/checksum/);
  });

  test.each<[string, Entries | [string, string][], RegExp, string]>([
    ['no location', { offset: '0' }, /does not name it/, 'model-invalid'],
    ['a location outside', { location: '../a.data' }, /leads out/, 'model-unsafe'],
    ['a missing file', { location: 'none.data' }, /is missing/, 'model-unreadable'],
    ['an offset past the end', { location: 'a.data', offset: '400' }, /asks for bytes 400 to 408/, 'model-invalid'],
    ['a range past the end', { location: 'a.data', offset: '4', length: '8' }, /which has 8/, 'model-invalid'],
    ['a length that lies', { location: 'a.data', length: '4' }, /says 4 bytes .* needs 8/, 'model-invalid'],
    ['a negative offset', { location: 'a.data', offset: '-4' }, /offset '-4'/, 'model-invalid'],
    ['an offset that is no number', { location: 'a.data', offset: '1e1' }, /offset '1e1'/, 'model-invalid'],
    ['a huge offset', { location: 'a.data', offset: '9999999999999999' }, /offset/, 'model-invalid'],
    ['an unknown key', { location: 'a.data', run: 'rm' }, /'run' .* unknown/, 'model-invalid'],
    [
      'a repeated key',
      [
        ['location', 'a.data'],
        ['location', 'b.data'],
      ],
      /twice/,
      'model-invalid',
    ],
  ])('%s is refused, naming tensor and file', (_name, entries, message, code) => {
    writeFileSync(join(folder, 'a.data'), floats(1, 2));
    writeProto([external('w', [2], entries)]);
    expect(() => readModel(path)).toThrow(message);
    expect(() => readModel(path)).toThrow(
      expect.objectContaining({ code, location: { file: path, tensor: 'w' }, hint: expect.any(String) }),
    );
  });

  test('tensors of functions, sparse tensors and attributes are confined too', () => {
    const evil = external('evil', [1], { location: '/etc/passwd' });
    const constant = { opType: 'Constant', output: ['c'], attribute: [{ name: 'value', type: 4, t: evil }] };
    writeProto([], { node: [constant] });
    expect(() => readModel(path)).toThrow(/absolute/);
    writeProto([], {}, [{ name: 'f', domain: 'd', output: ['c'], node: [constant] }]);
    expect(() => readModel(path)).toThrow(/absolute/);
    writeProto([], { sparseInitializer: [{ values: evil, indices: evil, dims: [9] }] });
    expect(() => readModel(path)).toThrow(/absolute/);
  });

  test('strings cannot be external, and elements cannot be in two places', () => {
    writeFileSync(join(folder, 'a.data'), floats(1));
    writeProto([{ ...external('w', [1], { location: 'a.data' }), dataType: 8 }]);
    expect(() => readModel(path)).toThrow(/string/);
    writeProto([{ ...external('w', [1], { location: 'a.data' }), rawData: floats(1) }]);
    expect(() => readModel(path)).toThrow(/twice/);
  });

  test('a small file cannot stand for a huge model', () => {
    writeSparse(join(folder, 'a.data'), 2 ** 28);
    writeProto(Array.from({ length: 100 }, (_, i) => external(`w${i}`, [2 ** 26], { location: 'a.data' })));
    expect(() => readModel(path)).toThrow(expect.objectContaining({ code: 'model-unsafe' }));
  });

  test('bytes without a file have no folder to look in', () => {
    writeProto([external('w', [1], { location: 'a.data' })]);
    expect(() => decodeModel(readFileSync(path))).toThrow(expect.objectContaining({ code: 'model-unsafe' }));
  });
});

describe('writing', () => {
  function bigModel(): Model {
    const model = Model.create(13, 8, 'g');
    const { graph } = model;
    const x = graph.addInput('x', tensorType(1, [512]));
    const big = graph.addInitializer(
      Tensor.float32(
        'big',
        [512],
        Float32Array.from({ length: 512 }, (_, i) => i),
      ),
    );
    const other = graph.addInitializer(Tensor.float32('other', [300], new Float32Array(300).fill(7)));
    const small = graph.addInitializer(Tensor.float32('small', [2], [1, 2]));
    const constant = graph.create('Constant', [], { attributes: [attr.tensor('value', big.tensor!)] });
    const sum = graph.create('Sum', [x, big, other, small, constant.output]);
    graph.outputs.push(sum.output);
    return model;
  }

  test('a model read from external data goes inside the file by default', () => {
    writeFileSync(join(folder, 'a.data'), floats(1, 2, 3));
    const w = external('w', [3], { location: 'a.data' });
    const constant = { opType: 'Constant', output: ['c'], attribute: [{ name: 'value', type: 4, t: w }] };
    writeProto(
      [w, { ...w, name: 'v', docString: 'kept' }],
      {
        node: [constant],
        sparseInitializer: [
          {
            values: { ...w, name: 's' },
            indices: { name: 'i', dataType: 7, dims: [3], int64Data: [0, 1, 2] },
            dims: [9],
          },
        ],
      },
      [{ name: 'f', domain: 'd', output: ['c'], node: [constant] }],
    );
    const target = join(folder, 'elsewhere');
    mkdirSync(target);
    for (const model of [readModel(path), cloneModel(readModel(path))]) {
      const size = writeModel(model, join(target, 'copy.onnx'));
      expect(readdirSync(target)).toEqual(['copy.onnx']);
      expect(statSync(join(target, 'copy.onnx')).size).toBe(size);
      const proto = onnx.ModelProto.decode(readFileSync(join(target, 'copy.onnx')));
      const tensors = [
        ...proto.graph!.initializer!,
        proto.graph!.node![0]!.attribute![0]!.t!,
        proto.graph!.sparseInitializer![0]!.values!,
        proto.functions![0]!.node![0]!.attribute![0]!.t!,
      ];
      expect(tensors.map(({ rawData }) => Buffer.from(rawData!))).toEqual(new Array(5).fill(floats(1, 2, 3)));
      for (const tensor of tensors) expect([tensor.dataLocation ?? 0, tensor.externalData]).toEqual([0, []]);
      expect(proto.graph!.initializer![1]!.docString).toBe('kept');
    }
  });

  test('large initializers go to one aligned data file, and come back', () => {
    const model = bigModel();
    const size = writeModel(model, path, { externalData: { thresholdBytes: 1024 } });
    const names = readdirSync(folder).sort();
    expect(names).toEqual([expect.stringMatching(/^model-[0-9a-f]{12}\.data$/), 'model.onnx']);
    expect(size).toBe(names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0));
    const proto = onnx.ModelProto.decode(readFileSync(path));
    const entries = proto.graph!.initializer!.map(({ externalData }) =>
      externalData!.map(({ key, value }) => [key, value]),
    );
    expect(entries).toEqual([
      [
        ['location', names[0]],
        ['offset', '0'],
        ['length', '2048'],
      ],
      [
        ['location', names[0]],
        ['offset', '4096'],
        ['length', '1200'],
      ],
      [],
    ]);
    const copy = readModel(path);
    expect(() => verify(copy)).not.toThrow();
    expect(initializers(copy)).toEqual(initializers(model));
    expect([...copy.graph.nodes()][0]!.tensor('value')!.bytes()).toEqual(
      Buffer.from(model.graph.nodes().next().value!.tensor('value')!.bytes()),
    );
  });

  test('the same model gives the same bytes', () => {
    writeModel(bigModel(), path, { externalData: { thresholdBytes: 1024 } });
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('hex')]);
    writeModel(bigModel(), path, { externalData: { thresholdBytes: 1024 } });
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('hex')])).toEqual(before);
  });

  test('an old data file stays until the new model is there, and goes then', () => {
    writeModel(bigModel(), path, { externalData: { thresholdBytes: 1024 } });
    writeFileSync(join(folder, 'model-notes.data'), 'mine');
    const changed = readModel(path);
    for (const value of changed.graph.initializers) {
      if (value.name === 'other') value.tensor = Tensor.float32('other', [300], new Float32Array(300).fill(8));
    }
    writeModel(changed, path, { externalData: { thresholdBytes: 1024 } });
    const names = readdirSync(folder).filter((name) => name.endsWith('.data'));
    expect(names).toHaveLength(2);
    expect(names).toContain('model-notes.data');
    expect(initializers(readModel(path)).get('other')![0]).toBe(8);
    expect(initializers(readModel(path)).get('big')![511]).toBe(511);
  });

  test('beyond the limit of one file the data moves out by itself, or is refused where it must stay', () => {
    const model = bigModel();
    expect(() => writeModel(model, path, { externalData: 'inline', maxInlineBytes: 3000 })).toThrow(
      expect.objectContaining({ code: 'model-too-large' }),
    );
    expect(readdirSync(folder)).toEqual([]);
    writeModel(model, path, { maxInlineBytes: 3000 });
    expect(readdirSync(folder)).toHaveLength(2);
    expect(initializers(readModel(path))).toEqual(initializers(model));
  });

  test('a moved pair loads, and one without its data file says so', () => {
    writeModel(bigModel(), path, { externalData: { thresholdBytes: 1024 } });
    const target = join(folder, 'moved');
    mkdirSync(target);
    copyFileSync(path, join(target, 'model.onnx'));
    expect(() => readModel(join(target, 'model.onnx'))).toThrow(/is missing/);
    const data = readdirSync(folder).find((name) => name.endsWith('.data'))!;
    copyFileSync(join(folder, data), join(target, data));
    expect(initializers(readModel(join(target, 'model.onnx'))).get('small')).toEqual([1, 2]);
  });

  test('encoding in memory takes the external data in', () => {
    const model = bigModel();
    writeModel(model, path, { externalData: { thresholdBytes: 1024 } });
    const bytes = Buffer.concat(encodeModel(readModel(path)).pieces);
    expect(initializers(decodeModel(bytes))).toEqual(initializers(model));
  });
});

function writeSparse(file: string, sizeBytes: number): void {
  writeFileSync(file, '');
  truncateSync(file, sizeBytes);
}
