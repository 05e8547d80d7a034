import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { castElements, elementsOf } from '../../src/data/cast-elements.ts';
import { openNpy } from '../../src/data/npy-array.ts';
import { parseNpyHeader } from '../../src/data/npy-header.ts';
import { parsePythonLiteral } from '../../src/data/python-literal.ts';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { npy, npyWithHeader, temporaryFolder } from './numpy-files.ts';

const arrays = [
  [DataType.float32, Float32Array],
  [DataType.float64, Float64Array],
  [DataType.uint8, Uint8Array],
  [DataType.int8, Int8Array],
  [DataType.uint16, Uint16Array],
  [DataType.int16, Int16Array],
  [DataType.uint32, Uint32Array],
  [DataType.int32, Int32Array],
  [DataType.int64, BigInt64Array],
  [DataType.uint64, BigUint64Array],
] as const;

function refusal(action: () => unknown): EdgepackError {
  try {
    action();
  } catch (error) {
    if (error instanceof EdgepackError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('an .npy header', () => {
  it('is read in every version, with any order of keys and any quotes', () => {
    const texts = [
      `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`,
      `{"shape": (2L, 3L), "descr": "<f4", "fortran_order": False}`,
    ];
    for (const version of [1, 2, 3]) {
      for (const text of texts) {
        const bytes = npyWithHeader(text, new Uint8Array(24), version);
        expect(parseNpyHeader(bytes, 'x.npy')).toEqual({
          dataType: DataType.float32,
          descr: '<f4',
          shape: [2, 3],
          itemSizeBytes: 4,
          dataOffset: bytes.length - 24,
        });
      }
    }
  });

  const refused: readonly [string, string, RegExp, RegExp][] = [
    ['pickled objects', `{'descr': '|O', 'fortran_order': False, 'shape': (2,), }`, /pickled/, /lengths/],
    ['Fortran order', `{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }`, /Fortran/, /ascontiguousarray/],
    ['big-endian', `{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }`, /big-endian/, /<f4/],
    ['structured', `{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }`, /structured/, /savez/],
    ['complex', `{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }`, /<c8/, /astype/],
    ['text', `{'descr': '<U7', 'fortran_order': False, 'shape': (2,), }`, /<U7/, /astype/],
    ['a prototype name', `{'descr': '<constructor', 'fortran_order': False, 'shape': (2,), }`, /constructor/, /astype/],
    ['an expression', `{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,), }`, /damaged/, /numpy\.save/],
    ['a negative size', `{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }`, /damaged/, /numpy\.save/],
    ['a huge shape', `{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 999999999), }`, /large/, /numpy/],
    ['a list as shape', `{'descr': '<f4', 'fortran_order': False, 'shape': [2], }`, /tuple/, /numpy\.save/],
    ['a missing key', `{'descr': '<f4', 'shape': (2,), }`, /damaged/, /numpy\.save/],
    ['a key twice', `{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }`, /twice/, /numpy\.save/],
    ['deep nesting', `${'('.repeat(5000)}`, /nested/, /numpy\.save/],
  ];
  it.each(refused)('with %s is refused', (_, header, message, hint) => {
    const error = refusal(() => parseNpyHeader(npyWithHeader(header, new Uint8Array(24)), 'x.npy'));
    expect(error.code).toBe('data-unreadable');
    expect(error.message).toMatch(/^x\.npy: /);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/\n/);
    expect(error.hint).toMatch(hint);
  });

  it('is refused at every truncation, with an unknown version and with another signature', () => {
    const bytes = npy([2], Float32Array.of(1, 2));
    for (let length = 0; length < bytes.length - 8; length++) {
      expect(refusal(() => parseNpyHeader(bytes.subarray(0, length), 'x.npy')).code).toBe('data-unreadable');
    }
    for (const at of [0, 5, 6, 7]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x44;
      expect(refusal(() => parseNpyHeader(damaged, 'x.npy')).code).toBe('data-unreadable');
    }
  });

  it('never fails otherwise than by a refusal, whatever the bytes', () => {
    const base = npy([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(base);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          parseNpyHeader(bytes, 'x.npy');
        } catch (error) {
          expect(error).toBeInstanceOf(EdgepackError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('Python literals', () => {
  it('are read without being run', () => {
    expect(parsePythonLiteral(`{'a': (1, 2,), 'b': [None, True], 'c': ("x'y", (3))}`)).toEqual(
      new Map<string, unknown>([
        ['a', { tuple: true, items: [1, 2] }],
        ['b', { tuple: false, items: [null, true] }],
        ['c', { tuple: true, items: ["x'y", 3] }],
      ]),
    );
    for (const text of ['', '{', '(1', '1 2', '{1: 2}', "{'a' 1}", '-1', '1.5', 'f()', "'a", '[1 2]', ',']) {
      expect(() => parsePythonLiteral(text), text).toThrow(SyntaxError);
    }
  });
});

describe('an .npy file', () => {
  it('gives back every row of every type that was written', async () => {
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...arrays),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.integer(),
        async ([dataType, Type], shape, seed) => {
          const count = shape.reduce((product, dim) => product * dim, 1);
          const bytes = new Uint8Array(count * Type.BYTES_PER_ELEMENT).map((_, i) => (seed >>> 3) * (i + 7));
          const elements = new Type(bytes.buffer);
          const array = await openNpy(folder.write('x.npy', npy(shape, elements)));
          expect(array.dataType).toBe(dataType);
          expect(array.shape).toEqual(shape);
          const rowLength = count / shape[0]!;
          for (let row = 0; row < shape[0]!; row++) {
            const raw = await array.row(row);
            expect(raw.dims).toEqual(shape.slice(1));
            expect(elementsOf(raw)).toEqual(elements.slice(row * rowLength, (row + 1) * rowLength));
          }
          expect(elementsOf(await array.all())).toEqual(elements);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that is too short or too long for its shape is refused when opened', async () => {
    const folder = temporaryFolder();
    const bytes = npy([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
    for (const other of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)])]) {
      await expect(openNpy(folder.write('x.npy', other))).rejects.toMatchObject({
        code: 'data-unreadable',
        message: expect.stringMatching(/(23|25) bytes of elements where its shape \(3, 2\) of <f4 needs 24/),
      });
    }
    await expect(openNpy(`${folder.path}/none.npy`)).rejects.toMatchObject({ code: 'file-not-found' });
  });
});

describe('a cast to the type of an input', () => {
  const raw = (dataType: DataType, elements: Uint8Array | Int8Array | Float32Array | BigInt64Array | Uint16Array) => ({
    dataType,
    dims: [elements.length],
    bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
  });

  it('keeps integers, widens and narrows them, and refuses what does not fit', () => {
    expect(castElements(raw(DataType.int8, Int8Array.of(-1, 1)), DataType.int64)).toEqual(BigInt64Array.of(-1n, 1n));
    expect(castElements(raw(DataType.int64, BigInt64Array.of(5n)), DataType.int32)).toEqual(Int32Array.of(5));
    expect(castElements(raw(DataType.uint8, Uint8Array.of(0, 1)), DataType.bool)).toEqual(Uint8Array.of(0, 1));
    expect(castElements(raw(DataType.bool, Uint8Array.of(0, 1)), DataType.float32)).toEqual(Float32Array.of(0, 1));
    expect(castElements(raw(DataType.uint8, Uint8Array.of(2)), DataType.bool)).toMatch(/2 does not fit bool/);
    expect(castElements(raw(DataType.int8, Int8Array.of(3, -1)), DataType.uint8)).toMatch(/-1 does not fit uint8/);
    expect(castElements(raw(DataType.int64, BigInt64Array.of(2n ** 31n)), DataType.int32)).toMatch(/2147483648/);
    expect(castElements(raw(DataType.float32, Float32Array.of(1)), DataType.int64)).toMatch(/float32 values/);
  });

  it('converts floats and refuses NaN, infinity and overflow', () => {
    expect(castElements(raw(DataType.float16, Uint16Array.of(0x3c00, 0xc000)), DataType.float32)).toEqual(
      Float32Array.of(1, -2),
    );
    expect(castElements(raw(DataType.float32, Float32Array.of(1, -2)), DataType.float16)).toEqual(
      Uint16Array.of(0x3c00, 0xc000),
    );
    expect(castElements(raw(DataType.float32, Float32Array.of(1, Number.NaN)), DataType.float32)).toBe(
      'element 1 is NaN',
    );
    expect(castElements(raw(DataType.float16, Uint16Array.of(0x7c00)), DataType.float32)).toBe('element 0 is infinite');
    expect(castElements(raw(DataType.float32, Float32Array.of(1e6)), DataType.float16)).toMatch(
      /too large for float16/,
    );
    expect(castElements(raw(DataType.float32, Float32Array.of(1)), DataType.string)).toMatch(/string inputs/);
  });

  it('copies elements that lie unaligned in a larger buffer', () => {
    const buffer = Buffer.alloc(13);
    buffer.writeFloatLE(1.5, 1);
    buffer.writeFloatLE(-3, 5);
    const bytes = buffer.subarray(1, 9);
    expect(castElements({ dataType: DataType.float32, dims: [2], bytes }, DataType.float32)).toEqual(
      Float32Array.of(1.5, -3),
    );
  });
});
