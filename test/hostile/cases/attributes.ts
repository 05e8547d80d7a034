import type { onnx } from 'onnx-proto';
import { handled, notRun, refused } from '../hostile-case.ts';
import { attribute, floats, graph, ints, model, node, noise, value } from '../onnx-messages.ts';

const image = { input: [value('x', [1, 3, 8, 8])], initializer: [floats('w', [4, 3, 3, 3], noise(108))] };
const conv =
  (...attributes: onnx.IAttributeProto[]) =>
  () =>
    model(graph([node('Conv', ['x', 'w'], ['y'], attributes)], image));
const op =
  (opType: string, attributes: onnx.IAttributeProto[], constants: onnx.ITensorProto[] = [], dims = [1, 3, 8, 8]) =>
  () =>
    model(
      graph([node(opType, ['x', ...constants.map(({ name }) => name!)], ['y'], attributes)], {
        input: [value('x', dims)],
        initializer: constants,
      }),
    );
const { int, ints: list, float, floats: reals, string } = attribute;

export const kernelOfText = refused(conv(string('kernel_shape', '3x3')), /must be ints/);
export const kernelOfFloats = refused(conv(reals('kernel_shape', [3, 3])), /must be ints/);
export const axisOfText = refused(op('Concat', [string('axis', '1')]), /must be int/);
export const typeAndValueDiffer = refused(conv({ name: 'group', type: 2, f: 1 }), /holds a value of type float/);
export const typeLeftOut = notRun(conv({ name: 'auto_pad', s: Buffer.from('NONSENSE') }), /./);
export const tensorLeftOut = refused(
  () => model(graph([node('Constant', [], ['y'], [{ name: 'value', type: 4 }])])),
  /no value/,
);
export const graphLeftOut = refused(
  () =>
    model(
      graph([
        node(
          'If',
          ['x'],
          ['y'],
          [
            { name: 'then_branch', type: 5 },
            { name: 'else_branch', type: 5 },
          ],
        ),
      ]),
    ),
  /no value/,
);
export const unknownAttributeType = notRun(
  conv({ name: 'group', type: 77 as onnx.AttributeProto.AttributeType, i: 1 }),
  /./,
);

export const kernelOfZero = notRun(conv(list('kernel_shape', [0, 0])), /./);
export const kernelNegative = notRun(conv(list('kernel_shape', [-3, -3])), /./);
export const kernelThatLies = notRun(conv(list('kernel_shape', [5, 5])), /./);
export const kernelOf20000Numbers = notRun(conv(list('kernel_shape', new Array(20_000).fill(3))), /./);
export const stridesZero = notRun(conv(list('strides', [0, 0])), /./);
export const stridesNegative = notRun(conv(list('strides', [-1, -1])), /./);
export const dilationsHuge = notRun(conv(list('dilations', [2 ** 40, 2 ** 40])), /./);
export const padsHuge = notRun(conv(list('pads', [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31])), /./);
export const padsNegative = notRun(conv(list('pads', [-9, -9, -9, -9])), /./);
export const groupZero = notRun(conv(int('group', 0)), /./);
export const groupNegative = notRun(conv(int('group', -1)), /./);
export const groupHuge = notRun(conv(int('group', 2 ** 40)), /./);
export const poolKernelZero = notRun(op('MaxPool', [list('kernel_shape', [0, 0])]), /./);
export const poolKernelHuge = notRun(op('AveragePool', [list('kernel_shape', [2 ** 40, 2 ** 40])]), /./);
export const concatAxisOutOfRange = notRun(op('Concat', [int('axis', 99)]), /./);
/** The engine takes the lower half of the number. */
export const softmaxAxisHuge = handled(op('Softmax', [int('axis', 2 ** 40)]), { compress: 'either' });
export const flattenAxisNegative = notRun(op('Flatten', [int('axis', -99)]), /./);
export const permTwiceTheSame = notRun(op('Transpose', [list('perm', [0, 0, 1, 2])]), /./);
export const permOutOfRange = notRun(op('Transpose', [list('perm', [0, 1, 2, 9])]), /./);
export const permTooShort = notRun(op('Transpose', [list('perm', [0])]), /./);
export const castTo99 = notRun(op('Cast', [int('to', 99)]), /./);
export const castToNothing = notRun(op('Cast', []), /./);
export const gatherOutOfRange = notRun(op('Gather', [int('axis', 9)], [ints('i', [0])]), /./);
export const gatherIndexOutOfRange = notRun(op('Gather', [], [ints('i', [2 ** 40])]), /./);
export const reshapeTwoMinusOnes = notRun(op('Reshape', [], [ints('s', [-1, -1])]), /./);
export const reshapeHuge = notRun(op('Reshape', [], [ints('s', [2 ** 40, 2 ** 40])]), /./);
export const reshapeMinusFive = notRun(op('Reshape', [], [ints('s', [-5, 4])]), /./);
export const reshapeOfZeroLength = notRun(op('Reshape', [], [ints('s', [])]), /./);
export const squeezeTwice = notRun(op('Squeeze', [], [ints('a', [1, 1, 2])]), /./);
export const unsqueezeHuge = notRun(op('Unsqueeze', [], [ints('a', [2 ** 40])]), /./);
export const splitThatDoesNotAddUp = notRun(op('Split', [int('axis', 1)], [ints('s', [1, 7])]), /./);
export const sliceStepZero = notRun(
  op('Slice', [], [ints('b', [0]), ints('e', [1]), ints('a', [0]), ints('t', [0])]),
  /./,
);
export const sliceAxesTwice = notRun(op('Slice', [], [ints('b', [0, 0]), ints('e', [1, 1]), ints('a', [0, 0])]), /./);
export const topKHuge = notRun(op('TopK', [], [ints('k', [2 ** 40])]), /./);
export const spaceToDepthZero = notRun(op('SpaceToDepth', [int('blocksize', 0)]), /./);
export const depthToSpaceHuge = notRun(op('DepthToSpace', [int('blocksize', 2 ** 40)]), /./);
export const einsumNonsense = notRun(op('Einsum', [string('equation', ']]->[[,,..')]), /./);
export const einsumLong = notRun(op('Einsum', [string('equation', 'a'.repeat(1_000_000))]), /./);
export const resizeScaleNan = notRun(
  () =>
    model(
      graph([node('Resize', ['x', '', 's'], ['y'])], {
        input: [value('x', [1, 3, 8, 8])],
        initializer: [floats('s', [4], [1, 1, Number.NaN, Number.NaN])],
      }),
    ),
  /./,
);
export const resizeScaleZero = notRun(
  () =>
    model(
      graph([node('Resize', ['x', '', 's'], ['y'])], {
        input: [value('x', [1, 3, 8, 8])],
        initializer: [floats('s', [4], [1, 1, 0, -1])],
      }),
    ),
  /./,
);
export const resizeUnknownMode = notRun(
  () =>
    model(
      graph([node('Resize', ['x', '', 's'], ['y'], [string('mode', '\u001b[2J\n\u202e')])], {
        input: [value('x', [1, 3, 8, 8])],
        initializer: [floats('s', [4], [1, 1, 2, 2])],
      }),
    ),
  /./,
);
export const lstmHiddenLies = notRun(
  () =>
    model(
      graph([node('LSTM', ['x', 'w', 'r'], ['y'], [int('hidden_size', 2 ** 30)])], {
        input: [value('x', [2, 1, 4])],
        initializer: [floats('w', [1, 8, 4], noise(32)), floats('r', [1, 8, 2], noise(16))],
      }),
    ),
  /./,
);
export const batchNormOfWrongLength = notRun(
  op(
    'BatchNormalization',
    [float('epsilon', Number.NaN)],
    ['a', 'b', 'c', 'd'].map((name) => floats(name, [7], noise(7))),
  ),
  /./,
);
export const gemmOfThreeDims = notRun(op('Gemm', [], [floats('w', [2, 2, 2], noise(8))]), /./);
export const constantWithoutValue = notRun(
  () => model(graph([node('Constant', [], ['c']), node('Add', ['x', 'c'], ['y'])])),
  /./,
);
export const constantWithTwoValues = notRun(
  () =>
    model(
      graph([
        node('Constant', [], ['c'], [int('value_int', 1), float('value_float', 1)]),
        node('Add', ['x', 'c'], ['y']),
      ]),
    ),
  /./,
);
export const clipUpsideDown = notRun(op('Clip', [], [ints('low', [9], []), ints('high', [1], [])]), /./);
