import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type InputSpec, openDataset } from '../../src/data/dataset.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { temporaryFolder } from './numpy-files.ts';

const input: InputSpec = { name: 'x', dataType: DataType.float32, shape: ['N', 3, 4, 4] };

/** RGB pixels that differ everywhere. */
function pattern(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    return (x * 37 + Math.floor(i / 3 / width) * 91 + (i % 3) * 53) % 256;
  });
}

function picture(width: number, height: number) {
  return sharp(pattern(width, height), { raw: { width, height, channels: 3 } });
}

async function folderOf(files: Readonly<Record<string, Uint8Array | string>>) {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    folder.write(name, bytes);
  }
  return folder.path;
}

describe('a folder of images', () => {
  it('reads PNG, WebP, TIFF and GIF exactly and JPEG nearly so', async () => {
    const path = await folderOf({
      'a.png': await picture(4, 4).png().toBuffer(),
      'b.webp': await picture(4, 4).webp({ lossless: true }).toBuffer(),
      'c.TIFF': await picture(4, 4).tiff({ compression: 'deflate' }).toBuffer(),
      'd.jpeg': await picture(4, 4).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
      'e.gif': await picture(4, 4).gif({ colours: 64, dither: 0 }).toBuffer(),
      '.hidden.png': 'x',
      'README.txt': 'not an image',
    });
    const dataset = await openDataset(path, { inputs: [{ ...input, shape: [1, 4, 4, 3] }], preprocess: 'raw-0-255' });
    expect(dataset.count).toBe(5);
    expect(dataset.labels).toBeUndefined();
    const expected = Float32Array.from(pattern(4, 4));
    for (const index of [0, 1, 2]) expect((await dataset.feed(index)).x!.data).toEqual(expected);
    for (const index of [3, 4]) {
      const { data } = (await dataset.feed(index)).x!;
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - Number(data[i]))));
      expect(worst).toBeLessThanOrEqual(index === 3 ? 4 : 16);
    }
  });

  it('drops alpha, widens gray, reads 16 bits as 8, and ignores the orientation', async () => {
    const gray = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
    const alpha = Uint8Array.from({ length: 64 }, (_, i) =>
      i % 4 === 3 ? 7 : pattern(4, 4)[Math.floor(i / 4) * 3 + (i % 4)]!,
    );
    const wide = Uint16Array.from(pattern(4, 4), (value) => value * 257);
    const path = await folderOf({
      'a.png': await sharp(gray, { raw: { width: 4, height: 4, channels: 1 } })
        .toColourspace('b-w')
        .png()
        .toBuffer(),
      'b.png': await sharp(alpha, { raw: { width: 4, height: 4, channels: 4 } })
        .png()
        .toBuffer(),
      'c.png': await sharp(wide, { raw: { width: 4, height: 4, channels: 3 } })
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
      'd.png': await picture(4, 4).withMetadata({ orientation: 6 }).png().toBuffer(),
    });
    const dataset = await openDataset(path, { inputs: [{ ...input, shape: [1, 4, 4, 3] }], preprocess: 'raw-0-255' });
    expect((await dataset.feed(0)).x!.data).toEqual(
      Float32Array.from({ length: 48 }, (_, i) => gray[Math.floor(i / 3)]!),
    );
    const expected = Float32Array.from(pattern(4, 4));
    for (const index of [1, 2, 3]) expect((await dataset.feed(index)).x!.data).toEqual(expected);
  });

  it('makes gray of colour as Pillow does', async () => {
    const path = await folderOf({ 'a.png': await picture(7, 5).png().toBuffer() });
    const dataset = await openDataset(path, {
      inputs: [{ ...input, shape: ['N', 1, 5, 7] }],
      preprocess: 'raw-0-255',
    });
    expect([...(await dataset.feed(0)).x!.data]).toEqual([
      43, 80, 117, 154, 191, 199, 86, 134, 171, 179, 216, 103, 63, 100, 196, 83, 43, 80, 117, 154, 191, 60, 97, 134,
      171, 179, 216, 103, 151, 188, 196, 83, 43, 80, 117,
    ]);
  });

  it('crops the centre, rounding up, and scales other sizes to cover the input', async () => {
    const path = await folderOf({
      'a.png': await picture(7, 5).png().toBuffer(),
      'b.png': await picture(12, 8).png().toBuffer(),
    });
    const shape = [1, 4, 4, 3];
    const crop = await openDataset(path, { inputs: [{ ...input, shape }], preprocess: { resize: null } });
    const pixels = pattern(7, 5);
    const expected = Float32Array.from({ length: 48 }, (_, i) => {
      const [c, x, y] = [i % 3, Math.floor(i / 3) % 4, Math.floor(i / 12)];
      return pixels[((y + 1) * 7 + x + 2) * 3 + c]!;
    });
    expect((await crop.feed(0)).x!.data).toEqual(expected);
    expect(crop.preprocessDescription).toBe('preprocess settings: rgb, centre crop 4x4, (v / 1 - 0) / 1, NHWC float32');
    const cover = await openDataset(path, {
      inputs: [{ ...input, shape }],
      preprocess: { preset: 'raw-0-255', kernel: 'nearest' },
    });
    // 12 x 8 becomes 6 x 4 by every second pixel, then the middle 4 columns.
    const source = pattern(12, 8);
    expect((await cover.feed(1)).x!.data).toEqual(
      Float32Array.from({ length: 48 }, (_, i) => {
        const [c, x, y] = [i % 3, Math.floor(i / 3) % 4, Math.floor(i / 12)];
        return source[((y * 2 + 1) * 12 + (x + 1) * 2 + 1) * 3 + c]!;
      }),
    );
    const squashed = await openDataset(path, { inputs: [input], preprocess: { crop: null } });
    expect(squashed.preprocess!.resize).toEqual({ width: 4, height: 4 });
    expect((await squashed.feed(1)).x!.dims).toEqual([1, 3, 4, 4]);
  });

  it('takes 256 for 224 as the margin of larger inputs, and any size where the model does', async () => {
    const path = await folderOf({ 'a.png': await picture(300, 400).png().toBuffer() });
    const large = await openDataset(path, { inputs: [{ ...input, shape: ['N', 3, 224, 224] }] });
    expect(large.preprocessDescription).toBe(
      'no preprocess given, assumed preset imagenet-torch: rgb, images of another size: short side to 256 (linear), centre crop 224x224, (v / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], NCHW float32',
    );
    const keras = await openDataset(path, { inputs: [{ ...input, shape: ['N', 240, 240, 3] }] });
    expect(keras.preprocessDescription).toMatch(/imagenet-tf: .* short side to 275 .* NHWC float32/);
    const free = await openDataset(path, { inputs: [{ ...input, shape: ['N', 3, 'H', 'W'] }] });
    expect(free.preprocessDescription).toMatch(/any size/);
    expect((await free.feed(0)).x!.dims).toEqual([1, 3, 400, 300]);
  });

  it('refuses images that the settings do not bring to the size of the input', async () => {
    const path = await folderOf({ 'a.png': await picture(7, 3).png().toBuffer() });
    for (const [preprocess, message] of [
      [{ resize: null }, /a\.png: is 7x3, smaller than the crop of 4x4/],
      [{ resize: null, crop: null }, /a\.png: is 7x3 where input 'x' takes float32 \[N, 3, 4, 4\]/],
    ] as const) {
      await expect(openDataset(path, { inputs: [input], preprocess })).rejects.toMatchObject({
        code: 'data-mismatch',
        message: expect.stringMatching(message),
      });
    }
  });
});

describe('labels of a folder of images', () => {
  const png = () => picture(4, 4).png().toBuffer();

  it('are the sorted names of sub-folders, or their numbers', async () => {
    const names = await folderOf({
      'dog/a.png': await png(),
      'cat/b.png': await png(),
      'cat/deep/c.png': await png(),
      'empty/x.txt': '',
    });
    const named = await openDataset(names, { inputs: [input] });
    expect(named.labels).toEqual(Int32Array.of(0, 0, 1));
    expect(named.classNames).toEqual(['cat', 'dog']);
    const numbers = await folderOf({ '10/a.png': await png(), '2/b.png': await png() });
    const numbered = await openDataset(numbers, { inputs: [input] });
    expect(numbered.labels).toEqual(Int32Array.of(10, 2));
    expect(numbered.classNames).toBeUndefined();
    const single = await folderOf({ 'camera/a.png': await png() });
    expect((await openDataset(single, { inputs: [input] })).labels).toBeUndefined();
  });

  it('come from labels.csv in its own order', async () => {
    const files = { 'b.png': await png(), 'a.png': await png(), 'unlisted.png': await png() };
    const path = await folderOf({
      ...files,
      'labels.csv': '\ufefffile,label,note\r\n"b.png",3,x\r\na.png,1,"y, ""z"""\r\n',
    });
    expect((await openDataset(path, { inputs: [input] })).labels).toEqual(Int32Array.of(3, 1));
    const outside = temporaryFolder().write('l.csv', 'label,file\n7,a.png\n');
    const dataset = await openDataset(path, { inputs: [input], labels: outside });
    expect(dataset.labels).toEqual(Int32Array.of(7));
  });

  it.each([
    ['a missing file', 'file,label\nno.png,1\n', /line 2 names no\.png, which is not in/],
    ['a file outside', 'file,label\n../a.png,1\n', /outside of the folder/],
    ['a name as label', 'file,label\na.png,cat\n', /label of sample 0 is 'cat'/],
    ['no label column', 'file,class\na.png,1\n', /no column 'label'/],
    ['a short row', 'file,label\na.png\n', /line 2 has 1 fields, the header 2/],
    ['an open quote', 'file,label\n"a.png,1\n', /quote/],
    ['no rows', 'file,label\n', /holds no samples/],
  ])('with %s are refused', async (_, csv, message) => {
    const path = await folderOf({ 'a.png': await png(), 'labels.csv': csv });
    await expect(openDataset(path, { inputs: [input] })).rejects.toMatchObject({
      code: expect.stringMatching(/^data-/),
      message: expect.stringMatching(message),
    });
  });
});

describe('a folder that cannot be read', () => {
  it.each([
    ['nothing in it', {}, /holds no samples/],
    ['samples beside class folders', { 'a.png': '', 'cat/b.png': '' }, /both beside and in its sub-folders/],
    ['images and arrays', { 'a.png': '', 'b.npy': '' }, /mixes samples of different kinds: a\.png and b\.npy/],
    ['a BMP image', { 'a.bmp': 'BM' }, /a\.bmp: BMP images are not read/],
    ['a BMP image by another name', { 'a.png': 'BMxxxxxxxx' }, /a\.png: is a BMP image/],
    [
      'an SVG image by another name',
      { 'a.png': '<svg xmlns="http://www.w3.org/2000/svg"/>' },
      /a\.png: is not an image/,
    ],
    ['an empty image', { 'a.jpg': '' }, /a\.jpg: is not an image/],
  ])('for %s is refused by name', async (_, files, message) => {
    await expect(openDataset(await folderOf(files), { inputs: [input] })).rejects.toMatchObject({
      code: expect.stringMatching(/^data-/),
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it('names a truncated image when it comes to it', async () => {
    const jpeg = await picture(64, 64).jpeg().toBuffer();
    const path = await folderOf({ 'a.jpg': jpeg, 'b.jpg': jpeg.subarray(0, jpeg.length / 2) });
    const dataset = await openDataset(path, { inputs: [input] });
    await dataset.feed(0);
    await expect(dataset.feed(1)).rejects.toMatchObject({
      code: 'data-unreadable',
      message: expect.stringMatching(/b\.jpg: is a damaged image/),
    });
  });

  it('for a model of several inputs says so', async () => {
    const path = await folderOf({ 'a.png': await picture(4, 4).png().toBuffer() });
    await expect(openDataset(path, { inputs: [input, { ...input, name: 'z' }] })).rejects.toThrow(/2 inputs: x, z/);
    const ids: InputSpec = { name: 'ids', dataType: DataType.int64, shape: ['N', 'T'] };
    await expect(openDataset(path, { inputs: [ids] })).rejects.toThrow(/does not fit input 'ids' of int64 \[N, T\]/);
  });
});
