import type { onnx } from 'onnx-proto';
import { handled, notRun, refused } from '../hostile-case.ts';
import { floats, graph, ints, model, node, value } from '../onnx-messages.ts';

type Dims = (number | { low: number; high: number; unsigned: boolean })[];
const int64 = (number: bigint) => ({
  low: Number(BigInt.asIntN(32, number)),
  high: Number(number >> 32n),
  unsigned: false,
});
const withTensor = (tensor: Omit<onnx.ITensorProto, 'dims'> & { dims?: Dims }) =>
  model(graph([node('Add', ['x', 'w'], ['y'])], { initializer: [{ name: 'w', ...(tensor as onnx.ITensorProto) }] }));
const bad = (tensor: Parameters<typeof withTensor>[0], says: RegExp) => refused(() => withTensor(tensor), says);
const raw = (length: number) => new Uint8Array(length);

export const dimsWhoseProductOverflows = bad(
  { dataType: 1, dims: [2 ** 31, 2 ** 31, 4], rawData: raw(16) },
  /impossible shape/,
);
export const dimsOf2To62 = bad({ dataType: 1, dims: [int64(2n ** 62n)], rawData: raw(16) }, /impossible shape/);
export const dimsThatWrapToFour = bad(
  { dataType: 1, dims: [int64(2n ** 62n), 4, 1], rawData: raw(0) },
  /impossible shape/,
);
export const negativeDim = bad({ dataType: 1, dims: [-1, 4], rawData: raw(16) }, /impossible shape/);
export const twoNegativeDims = bad({ dataType: 1, dims: [-2, -2], rawData: raw(16) }, /impossible shape/);
export const smallestInt64Dim = bad({ dataType: 1, dims: [int64(-(2n ** 63n))], rawData: raw(16) }, /impossible shape/);
export const zeroTimesHugeDims = bad({ dataType: 1, dims: [0, int64(2n ** 62n)] }, /impossible shape/);
export const thousandDims = bad({ dataType: 1, dims: new Array(1000).fill(1), rawData: raw(4) }, /1000 dimensions/);
export const rawDataTooShort = bad(
  { dataType: 1, dims: [1, 4], rawData: raw(12) },
  /tensor 'w': holds 12 bytes where its shape \[1, 4\]/,
);
export const rawDataTooLong = bad({ dataType: 1, dims: [1, 4], rawData: raw(20) }, /20 bytes/);
export const rawDataEmpty = bad({ dataType: 1, dims: [1, 4] }, /0 elements/);
export const bombOfOneElement = bad({ dataType: 1, dims: [2 ** 20, 2 ** 18], floatData: [1] }, /1 elements/);
export const floatsTooFew = bad({ dataType: 1, dims: [1, 4], floatData: [1, 2, 3] }, /3 elements/);
export const floatsTooMany = bad({ dataType: 1, dims: [1, 4], floatData: [1, 2, 3, 4, 5] }, /5 elements/);
export const floatsInTheWrongField = bad({ dataType: 1, dims: [1, 4], int32Data: [1, 2, 3, 4] }, /0 elements/);
export const elementsInTwoFields = bad(
  { dataType: 1, dims: [1, 4], floatData: [1, 2, 3, 4], rawData: raw(16) },
  /twice/,
);
export const noElementType = bad({ dataType: 0, dims: [1, 4], rawData: raw(16) }, /no element type/);
export const elementType99 = notRun(() => withTensor({ dataType: 99, dims: [1, 4], rawData: raw(16) }), /./);
export const negativeElementType = notRun(() => withTensor({ dataType: -5, dims: [1, 4], rawData: raw(16) }), /./);
export const int4OfTheWrongLength = bad({ dataType: 22, dims: [1, 5], rawData: raw(5) }, /5 bytes/);
export const packedInt4TooMany = bad({ dataType: 22, dims: [4], int32Data: [1, 2, 3, 4] }, /4 elements/);
export const stringsTooFew = bad({ dataType: 8, dims: [3], stringData: [Buffer.from('a')] }, /1 strings/);
export const stringsInRawData = bad({ dataType: 8, dims: [1], rawData: raw(8) }, /0 strings/);
export const namelessInitializer = bad({ name: '', dataType: 1, dims: [1, 4], rawData: raw(16) }, /without a name/);
export const absurdManyPackedNumbers = bad(
  { dataType: 3, dims: [4], int32Data: new Array(3_000_000).fill(1) },
  /3000000 elements/,
);

export const tensorInAnAttribute = refused(
  () =>
    model(
      graph([
        node('Constant', [], ['c'], [{ name: 'value', type: 4, t: { dataType: 1, dims: [2 ** 30], floatData: [1] } }]),
        node('Add', ['x', 'c'], ['y']),
      ]),
    ),
  /1 elements where/,
);
export const tensorInAFunction = refused(
  () =>
    model(graph([node('F', ['x'], ['y'], [], { domain: 'd' })]), {
      opsetImport: [{ version: 17 }, { domain: 'd', version: 1 }],
      functions: [
        {
          name: 'F',
          domain: 'd',
          input: ['p'],
          output: ['q'],
          opsetImport: [{ version: 17 }],
          node: [
            node(
              'Constant',
              [],
              ['c'],
              [{ name: 'value', type: 4, t: { dataType: 1, dims: [2 ** 30], floatData: [1] } }],
            ),
            node('Add', ['p', 'c'], ['q']),
          ],
        },
      ],
    }),
  /1 elements where/,
);

const sparse = (values: onnx.ITensorProto, indices: onnx.ITensorProto, dims: Dims) =>
  model(
    graph([node('Add', ['x', 's'], ['y'])], {
      sparseInitializer: [{ values: { ...values, name: 's' }, indices, dims: dims as number[] }],
    }),
  );
const two = floats('s', [2], [1, 2]);
const sparseLie = /sparse/;
export const sparseIndexPastTheEnd = refused(() => sparse(two, ints('i', [0, 99]), [1, 4]), sparseLie);
export const sparseNegativeIndex = refused(() => sparse(two, ints('i', [-1, 2]), [1, 4]), sparseLie);
export const sparseUnsortedIndices = refused(() => sparse(two, ints('i', [2, 1]), [1, 4]), sparseLie);
export const sparseTwiceTheSameIndex = refused(() => sparse(two, ints('i', [1, 1]), [1, 4]), sparseLie);
export const sparseTooFewIndices = refused(() => sparse(two, ints('i', [1]), [1, 4]), sparseLie);
export const sparseOfHugeShape = refused(() => sparse(two, ints('i', [0, 1]), [2 ** 20, 2 ** 20]), sparseLie);
export const sparseOfOverflowingShape = refused(
  () => sparse(two, ints('i', [0, 1]), [2 ** 31, 2 ** 31, 2 ** 31]),
  sparseLie,
);
export const sparseNegativeShape = refused(() => sparse(two, ints('i', [0, 1]), [-1, -4]), sparseLie);
export const sparseFloatIndices = refused(() => sparse(two, floats('i', [2], [0, 1]), [1, 4]), sparseLie);
export const sparseWithoutValues = refused(
  () => model(graph([node('Add', ['x', 's'], ['y'])], { sparseInitializer: [{ dims: [1, 4] }] })),
  sparseLie,
);

export const zeroSizeTensor = handled(() =>
  model(
    graph([node('Concat', ['x', 'w'], ['y'], [{ name: 'axis', type: 2, i: 0 }])], {
      initializer: [{ name: 'w', dataType: 1, dims: [0, 4] }],
    }),
  ),
);
export const scalarTensor = handled(() =>
  model(graph([node('Mul', ['x', 'w'], ['y'])], { initializer: [floats('w', [], [2])] })),
);
export const stringTensor = handled(() =>
  model(
    graph([node('Relu', ['x'], ['y'])], {
      initializer: [
        { name: 'words', dataType: 8, dims: [2], stringData: [Buffer.from('a\u001b[31m'), Buffer.of(0xff, 0)] },
      ],
    }),
  ),
);
export const unusedInitializers = handled(() =>
  model(
    graph([node('Relu', ['x'], ['y'])], {
      initializer: Array.from({ length: 300 }, (_, i) => floats(`unused${i}`, [4], [i, 1, 2, 3])),
    }),
  ),
);
export const wrongStatedShapes = notRun(
  () =>
    model(
      graph([node('MatMul', ['x', 'w'], ['y'])], {
        input: [value('x', [1, 7])],
        initializer: [floats('w', [4, 4], new Array(16).fill(1))],
      }),
    ),
  /model/,
);
