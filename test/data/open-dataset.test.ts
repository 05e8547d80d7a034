import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprintDataset, type InputSpec, openDataset } from '../../src/data/dataset.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { npy, npyWithHeader, npz, temporaryFolder } from './numpy-files.ts';

const image: InputSpec = { name: 'x', dataType: DataType.float32, shape: ['N', 3, 2, 2] };
const features: InputSpec = { name: 'x', dataType: DataType.float32, shape: ['N', 3] };
const ids: InputSpec = { name: 'ids', dataType: DataType.int64, shape: ['N', 'T'] };
const mask: InputSpec = { name: 'mask', dataType: DataType.int64, shape: ['N', 'T'] };
const floats = (...shape: number[]) =>
  npy(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 2),
  );
const bytes = (...shape: number[]) =>
  npy(
    shape,
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe('an .npy dataset', () => {
  it('of floats goes in unchanged, with labels from beside it', async () => {
    const folder = temporaryFolder();
    for (const [x, y] of [
      ['test_x.npy', 'test_y.npy'],
      ['x.npy', 'y.npy'],
      ['data.npy', 'data-labels.npy'],
      ['data2.npy', 'data2_labels.npy'],
    ] as const) {
      folder.write(y, npy([2], BigInt64Array.of(4n, 0n)));
      const dataset = await openDataset(folder.write(x, floats(2, 3)), { inputs: [features] });
      expect(dataset.count).toBe(2);
      expect(dataset.labels).toEqual(Int32Array.of(4, 0));
      expect(dataset.preprocessDescription).toBe('values go in as they are stored');
      expect(dataset.preprocessAssumed).toBe(false);
      expect(await dataset.feed(1)).toEqual({
        x: { dataType: DataType.float32, dims: [1, 3], data: Float32Array.of(1.5, 2, 2.5) },
      });
    }
  });

  it.each([
    ['a symbolic batch', ['N', 2, 3], [4, 2, 3], [1, 2, 3]],
    ['a batch of 1', [1, 2, 3], [4, 2, 3], [1, 2, 3]],
    ['a batch of 1 in data and model', [1, 2, 3], [4, 1, 2, 3], [1, 2, 3]],
    ['no batch', [2, 3], [4, 2, 3], [2, 3]],
    ['a missing axis of 1', ['N', 1, 2, 3], [4, 2, 3], [1, 1, 2, 3]],
    ['an axis of 1 elsewhere', ['N', 1, 2, 3], [4, 2, 3, 1], [1, 1, 2, 3]],
    ['free sizes', ['N', 'T', undefined], [4, 5, 6], [1, 5, 6]],
    ['one number per sample', ['N'], [4], [1]],
  ])('fits a model with %s', async (_, shape, stored, dims) => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', floats(...stored));
    const dataset = await openDataset(path, { inputs: [{ name: 'x', dataType: DataType.float32, shape }] });
    const length = stored.slice(1).reduce((a, b) => a * b, 1);
    expect((await dataset.feed(2)).x).toEqual({
      dataType: DataType.float32,
      dims,
      data: Float32Array.from({ length }, (_, i) => (2 * length + i) / 2),
    });
  });

  it.each([
    [
      'another shape',
      floats(2, 4),
      features,
      /sample 0 is float32 \[4\], which does not fit input 'x' of float32 \[N, 3\]/,
    ],
    ['another rank', floats(2, 3, 3), features, /which does not fit/],
    ['no samples', floats(0, 3), features, /holds no samples/],
    [
      'no axis for samples',
      npyWithHeader(`{'descr': '<f4', 'fortran_order': False, 'shape': (), }`, Buffer.alloc(4)),
      features,
      /holds no samples/,
    ],
    ['floats for integers', floats(2, 3), ids, /sample 0 does not go into input 'ids' .*float32 values/],
  ])('of %s is refused when opened', async (_, file, input, message) => {
    const folder = temporaryFolder();
    await expect(openDataset(folder.write('x.npy', file), { inputs: [input] })).rejects.toMatchObject({
      code: 'data-mismatch',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it('names the sample that holds NaN', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', npy([3, 2], Float32Array.of(1, 2, 3, 4, 5, Number.NaN)));
    const dataset = await openDataset(path, { inputs: [{ ...features, shape: ['N', 2] }] });
    await dataset.feed(1);
    await expect(dataset.feed(2)).rejects.toMatchObject({
      code: 'data-mismatch',
      message: `${path}: sample 2 does not go into input 'x' of float32 [N, 2]: element 1 is NaN`,
    });
  });

  it('says that a fixed batch above 1 is not fed', async () => {
    const folder = temporaryFolder();
    const hint = expect.stringMatching(/takes 8 samples at a time; export it with a symbolic batch/);
    const shape = [8, ...image.shape.slice(1)];
    for (const file of [floats(2, 3, 2, 2), bytes(2, 2, 2, 3)]) {
      const path = folder.write('x.npy', file);
      await expect(openDataset(path, { inputs: [{ ...image, shape }] })).rejects.toMatchObject({
        code: 'data-mismatch',
        hint,
      });
    }
  });

  it('refuses labels that do not fit', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', floats(2, 3));
    const cases: readonly [string, Uint8Array | string, RegExp][] = [
      ['l.npy', npy([3], Int32Array.of(1, 2, 3)), /labels of shape \(3\) for 2 samples/],
      ['l.npy', npy([2, 10], new Int32Array(20)), /shape \(2, 10\)/],
      ['l.npy', npy([2], Float32Array.of(1, 2)), /float32 labels/],
      ['l.npy', npy([2], Int32Array.of(1, -1)), /label of sample 1 is '-1'/],
      ['l.npy', npy([2], BigInt64Array.of(1n, 1n << 31n)), /label of sample 1 is '2147483648'/],
      ['l.txt', '1\n2\n3\n', /3 labels for 2 samples/],
      ['l.txt', '1\ncat\n', /label of sample 1 is 'cat'/],
      ['l.csv', 'class\n1\n2\n', /no column 'label' \(its header is: class\)/],
    ];
    for (const [name, content, message] of cases) {
      const labels = folder.write(name, content);
      await expect(openDataset(path, { inputs: [features], labels }), name).rejects.toMatchObject({
        code: expect.stringMatching(/^data-(mismatch|unreadable)$/),
        message: expect.stringMatching(message),
      });
    }
    for (const [name, content] of [
      ['l.txt', '1\r\n2\r\n'],
      ['l.csv', '"label",note\n1,"a, b"\n2,c\n'],
      ['l.npy', npy([2, 1], Uint8Array.of(1, 2))],
    ] as const) {
      const labels = folder.write(name, content);
      expect((await openDataset(path, { inputs: [features], labels })).labels, name).toEqual(Int32Array.of(1, 2));
    }
  });

  it('refuses a model of several inputs, a missing file and a file of another kind', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', floats(2, 3));
    await expect(openDataset(path, { inputs: [ids, mask] })).rejects.toThrow(/model has 2 inputs: ids, mask/);
    await expect(openDataset(join(folder.path, 'no.npy'), { inputs: [ids] })).rejects.toMatchObject({
      code: 'file-not-found',
    });
    await expect(openDataset(folder.write('x.csv', '1'), { inputs: [ids] })).rejects.toThrow(/neither a folder nor/);
  });
});

describe('8-bit images in an .npy array', () => {
  it('take the values, the layout and the channels that the model asks for', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', bytes(2, 2, 2, 3));
    const preprocess = { divide: 2, mean: [1, 2, 3], std: [1, 2, 4] };
    const rgb = [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
    const value = (v: number, c: number) => (v / 2 - [1, 2, 3][c]!) / [1, 2, 4][c]!;
    const planar = [0, 1, 2].flatMap((c) => [0, 1, 2, 3].map((i) => value(rgb[i * 3 + c]!, c)));
    const nchw = await openDataset(path, { inputs: [image], preprocess });
    expect((await nchw.feed(1)).x).toEqual({
      dataType: DataType.float32,
      dims: [1, 3, 2, 2],
      data: Float32Array.from(planar),
    });
    const nhwc = await openDataset(path, { inputs: [{ ...image, shape: [1, 2, 2, 3] }], preprocess });
    expect((await nhwc.feed(1)).x!.data).toEqual(Float32Array.from(rgb, (v, i) => value(v, i % 3)));
    const bgr = await openDataset(path, { inputs: [image], preprocess: { color: 'bgr' } });
    expect([...((await bgr.feed(1)).x!.data as Float32Array).subarray(0, 4)]).toEqual([14, 17, 20, 23]);
    const gray = await openDataset(path, {
      inputs: [{ ...image, shape: ['N', 1, 2, 2] }],
      preprocess: 'raw-0-255',
    });
    expect([...((await gray.feed(0)).x!.data as Float32Array)]).toEqual([1, 4, 7, 10]);
  });

  it('are found channels first too, and gray ones fill every channel', async () => {
    const folder = temporaryFolder();
    const planar = await openDataset(folder.write('p.npy', bytes(1, 3, 2, 2)), {
      inputs: [image],
      preprocess: 'raw-0-255',
    });
    expect([...((await planar.feed(0)).x!.data as Float32Array)]).toEqual([...Array(12).keys()]);
    const gray = await openDataset(folder.write('g.npy', bytes(1, 2, 2)), { inputs: [image], preprocess: 'raw-0-255' });
    expect([...((await gray.feed(0)).x!.data as Float32Array)]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    const one = await openDataset(folder.write('o.npy', bytes(1, 1, 2, 2)), {
      inputs: [{ ...image, shape: [1, 1, 2, 2] }],
    });
    expect(one.preprocessDescription).toBe(
      'no preprocess given, assumed preset scale-0-1: gray, images of another size: short side to 2 (linear), centre crop 2x2, (v / 255 - 0) / 1, NCHW float32',
    );
    expect(one.preprocessAssumed).toBe(true);
    expect((await one.feed(0)).x!.data).toEqual(Float32Array.of(0, 1 / 255, 2 / 255, 3 / 255));
  });

  it('are flattened for dense models, flat ones too', async () => {
    const folder = temporaryFolder();
    const dense: InputSpec = { name: 'x', dataType: DataType.float32, shape: ['N', 9] };
    const expected = Float32Array.from({ length: 9 }, (_, i) => i / 255);
    const square = await openDataset(folder.write('s.npy', bytes(2, 3, 3)), { inputs: [dense] });
    expect((await square.feed(0)).x).toEqual({ dataType: DataType.float32, dims: [1, 9], data: expected });
    const flat = folder.write('f.npy', bytes(2, 9));
    const scaled = await openDataset(flat, { inputs: [dense], preprocess: 'mnist-0-1' });
    expect((await scaled.feed(0)).x!.data).toEqual(expected);
    const plain = await openDataset(flat, { inputs: [dense] });
    expect((await plain.feed(0)).x!.data).toEqual(Float32Array.from({ length: 9 }, (_, i) => i));
    expect(plain.preprocess).toBeUndefined();
  });

  it('go into 8-bit and half-precision inputs', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', bytes(1, 2, 2, 3));
    const open = async (dataType: InputSpec['dataType'], preprocess?: { mean?: number[]; divide?: number }) =>
      (await (await openDataset(path, { inputs: [{ ...image, dataType }], ...(preprocess && { preprocess }) })).feed(0))
        .x!;
    expect([...(await open(DataType.uint8)).data].slice(0, 4)).toEqual([0, 3, 6, 9]);
    expect([...(await open(DataType.int8)).data].slice(0, 2)).toEqual([-128, -125]);
    expect([...(await open(DataType.float16, {})).data].slice(0, 2)).toEqual([0, 0x4200]);
    await expect(open(DataType.uint8, { divide: 255 })).rejects.toThrow(/no integers of that type/);
  });

  it('refuse settings that contradict the model or find nothing to apply to', async () => {
    const folder = temporaryFolder();
    const path = folder.write('x.npy', bytes(1, 2, 2, 3));
    const cases: readonly [object | string, string, RegExp][] = [
      [{ mean: [1, 2] }, 'data-mismatch', /mean has 2 numbers/],
      [{ color: 'gray' }, 'data-mismatch', /color is gray/],
      [{ crop: 1 }, 'data-mismatch', /makes images of 1x1/],
      [{ dtype: 'float16' }, 'data-mismatch', /dtype is float16/],
      ['mnist-normalized', 'data-mismatch', /preset mnist-normalized: color is gray/],
      ['imagenet-torh', 'usage', /no preprocess preset 'imagenet-torh'/],
      [{ preset: 'nothing' }, 'usage', /no preprocess preset 'nothing'/],
      [{ divid: 2 }, 'config', /unknown key 'divid'/],
      [{ divide: 0 }, 'config', /divide/],
      ['{"divide": }', 'config', /not valid JSON/],
      [join(folder.path, 'none.json'), 'file-not-found', /none\.json/],
    ];
    for (const [preprocess, code, message] of cases) {
      await expect(
        openDataset(path, { inputs: [image], preprocess: preprocess as string }),
        JSON.stringify(preprocess),
      ).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    }
    const floatPath = folder.write('f.npy', floats(1, 3, 2, 2));
    await expect(openDataset(floatPath, { inputs: [image], preprocess: 'raw-0-255' })).rejects.toMatchObject({
      code: 'data-mismatch',
      message: expect.stringMatching(/holds float32 \[3, 2, 2\] samples, to which preset raw-0-255 does not apply/),
    });
  });
});

describe('an .npz dataset', () => {
  it('casts integers, takes several inputs, labels and lengths', async () => {
    const folder = temporaryFolder();
    for (const method of [0, 8] as const) {
      const path = folder.write(
        'd.npz',
        npz(
          {
            mask: npy([2, 3], Int8Array.of(1, 1, 1, 1, 0, 0)),
            ids: npy([2, 3], Int32Array.of(1, 2, 3, 4, 5, 6)),
            y: npy([2], BigInt64Array.of(3n, 7n)),
            ids_lengths: npy([2], Int32Array.of(3, 1)),
            mask_lengths: npy([2], Int32Array.of(3, 1)),
          },
          method,
        ),
      );
      const dataset = await openDataset(path, { inputs: [ids, mask] });
      expect(dataset.labels).toEqual(Int32Array.of(3, 7));
      expect(await dataset.feed(0)).toEqual({
        ids: { dataType: DataType.int64, dims: [1, 3], data: BigInt64Array.of(1n, 2n, 3n) },
        mask: { dataType: DataType.int64, dims: [1, 3], data: BigInt64Array.of(1n, 1n, 1n) },
      });
      expect(await dataset.feed(1)).toEqual({
        ids: { dataType: DataType.int64, dims: [1, 1], data: BigInt64Array.of(4n) },
        mask: { dataType: DataType.int64, dims: [1, 1], data: BigInt64Array.of(1n) },
      });
    }
  });

  it('cuts an inner axis where that is the symbolic one', async () => {
    const folder = temporaryFolder();
    const path = folder.write(
      'd.npz',
      npz({
        x: npy(
          [2, 2, 3],
          Float32Array.from({ length: 12 }, (_, i) => i),
        ),
        x_lengths: npy([2], Uint8Array.of(3, 2)),
      }),
    );
    const inputs = [{ name: 'x', dataType: DataType.float32, shape: ['N', 2, 'T'] }];
    expect((await (await openDataset(path, { inputs })).feed(1)).x).toEqual({
      dataType: DataType.float32,
      dims: [1, 2, 2],
      data: Float32Array.of(6, 7, 9, 10),
    });
  });

  it('takes the only array for the only input, and labels from a file before its own', async () => {
    const folder = temporaryFolder();
    const path = folder.write('d.npz', npz({ arr_0: floats(2, 3), labels: npy([2], Int32Array.of(1, 2)) }));
    expect((await openDataset(path, { inputs: [features] })).labels).toEqual(Int32Array.of(1, 2));
    const labels = folder.write('other.txt', '5\n6');
    expect((await openDataset(path, { inputs: [features], labels })).labels).toEqual(Int32Array.of(5, 6));
  });

  it('refuses missing arrays, different counts, wrong lengths and sizes that disagree', async () => {
    const folder = temporaryFolder();
    const idsArray = npy([2, 3], Int32Array.of(1, 2, 3, 4, 5, 6));
    const cases: readonly [Record<string, Uint8Array>, RegExp][] = [
      [{ ids: idsArray, y: npy([2], Int32Array.of(0, 1)) }, /no array for input 'mask'; its arrays are: ids, y/],
      [{ ids: idsArray, mask: npy([1, 3], Int8Array.of(1, 1, 1)) }, /different numbers of samples: ids 2, mask 1/],
      [{ ids: idsArray, mask: npy([2, 2], Int8Array.of(1, 1, 1, 1)) }, /has T = 3 in 'ids' but 2 in 'mask'/],
      [
        { ids: idsArray, mask: idsArray, y: npy([3], Int32Array.of(0, 1, 2)) },
        /d\.npz#y: has labels of shape \(3\) for 2/,
      ],
      [
        { ids: idsArray, mask: idsArray, ids_lengths: npy([2], Int32Array.of(3, 4)) },
        /length of sample 1 is 4, not 1 to 3/,
      ],
      [{ ids: idsArray, mask: idsArray, ids_lengths: npy([1], Int32Array.of(3)) }, /shape \(1\) of <i4 for 2 samples/],
    ];
    for (const [arrays, message] of cases) {
      await expect(openDataset(folder.write('d.npz', npz(arrays)), { inputs: [ids, mask] })).rejects.toMatchObject({
        code: 'data-mismatch',
        message: expect.stringMatching(message),
      });
    }
    const unnamed: InputSpec = { ...ids, name: 'mask', shape: ['?', '?'] };
    const differing = folder.write('e.npz', npz({ ids: idsArray, mask: npy([2, 1], Int8Array.of(1, 1)) }));
    const opened = openDataset(differing, { inputs: [{ ...ids, shape: ['?', '?'] }, unnamed] });
    await expect(opened, 'a name that says nothing is no promise of equal sizes').resolves.toBeDefined();
    const fixed = { ...features, name: 'ids', shape: ['N', 3], dataType: DataType.int64 };
    const path = folder.write('d.npz', npz({ ids: idsArray, ids_lengths: npy([2], Int32Array.of(3, 3)) }));
    await expect(openDataset(path, { inputs: [fixed] })).rejects.toThrow(/no symbolic dimension to cut/);
    const pickled = npyWithHeader(`{'descr': '|O', 'fortran_order': False, 'shape': (2,), }`, Buffer.alloc(16));
    await expect(openDataset(folder.write('p.npz', npz({ ids: pickled })), { inputs: [ids] })).rejects.toMatchObject({
      code: 'data-unreadable',
      message: expect.stringMatching(/p\.npz#ids: holds pickled/),
    });
  });
});

describe('a fingerprint', () => {
  it('changes with samples, their order and the preprocessing, and not with names and labels', async () => {
    const folder = temporaryFolder();
    const path = folder.write('a.npy', bytes(2, 2, 2, 3));
    const print = async (file: string, preprocess: string, order = [0, 1]) =>
      fingerprintDataset((await openDataset(file, { inputs: [image], preprocess })).subset(order));
    const first = await print(path, 'raw-0-255');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    folder.write('b-labels.npy', npy([2], Int32Array.of(0, 1)));
    expect(await print(folder.write('b.npy', bytes(2, 2, 2, 3)), 'raw-0-255')).toBe(first);
    const others = [
      await print(path, 'scale-0-1'),
      await print(path, 'raw-0-255', [1, 0]),
      await print(path, 'raw-0-255', [0]),
      await print(folder.write('c.npy', bytes(3, 2, 2, 3)), 'raw-0-255', [0, 2]),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });
});

describe('a folder of arrays', () => {
  it('holds one sample a file, in shapes of their own', async () => {
    const folder = temporaryFolder();
    folder.write('b.npz', npz({ ids: npy([1, 4], Int32Array.of(1, 2, 3, 4)), y: npyScalar(2) }));
    folder.write('a.npz', npz({ ids: npy([2], Int32Array.of(9, 8)), y: npyScalar(5) }));
    folder.write('notes.txt', 'not a sample');
    const dataset = await openDataset(folder.path, { inputs: [ids] });
    expect(dataset.labels).toEqual(Int32Array.of(5, 2));
    expect((await dataset.feed(0)).ids!.dims).toEqual([1, 2]);
    expect((await dataset.feed(1)).ids).toEqual({
      dataType: DataType.int64,
      dims: [1, 4],
      data: BigInt64Array.of(1n, 2n, 3n, 4n),
    });
  });

  it('feeds models whose first dimension is time with as many steps as a file has', async () => {
    const steps: InputSpec = { name: 'x', dataType: DataType.float32, shape: ['T', 1, 2] };
    const folder = temporaryFolder();
    folder.write('a.npy', floats(3, 1, 2));
    folder.write('b.npy', floats(5, 1, 2));
    const dataset = await openDataset(folder.path, { inputs: [steps] });
    expect((await dataset.feed(0)).x!.dims).toEqual([3, 1, 2]);
    expect((await dataset.feed(1)).x!.dims).toEqual([5, 1, 2]);
    const path = temporaryFolder().write('all.npy', floats(2, 3, 1, 2));
    await expect(openDataset(path, { inputs: [steps] })).rejects.toMatchObject({
      code: 'data-mismatch',
      hint: expect.stringMatching(/a folder with one file per sample/),
    });
  });

  it('may have its classes as sub-folders', async () => {
    const folder = temporaryFolder();
    for (const [name, value] of [
      ['no', 1],
      ['yes', 2],
    ] as const) {
      mkdirSync(join(folder.path, name));
      writeFileSync(join(folder.path, name, 'a.npy'), npy([3], Float32Array.of(value, 0, 0)));
    }
    const dataset = await openDataset(folder.path, { inputs: [features] });
    expect(dataset.labels).toEqual(Int32Array.of(0, 1));
    expect(dataset.classNames).toEqual(['no', 'yes']);
    expect((await dataset.feed(1)).x!.data).toEqual(Float32Array.of(2, 0, 0));
  });
});

function npyScalar(value: number): Buffer {
  return npyWithHeader(`{'descr': '|u1', 'fortran_order': False, 'shape': (), }`, Uint8Array.of(value));
}
