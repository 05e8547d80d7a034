import type { onnx } from 'onnx-proto';
import { handled, notRun, refused } from '../hostile-case.ts';
import { attribute, bytes, floats, graph, ints, model, node, noise, value } from '../onnx-messages.ts';

/** x -> QuantizeLinear -> DequantizeLinear -> MatMul with a dequantized weight. */
function qdq(parts: {
  scale?: onnx.ITensorProto;
  zero?: onnx.ITensorProto;
  weightScale?: onnx.ITensorProto;
  weightZero?: onnx.ITensorProto;
  attributes?: onnx.IAttributeProto[];
  opset?: number;
}): Uint8Array {
  const { scale = floats('s', [], [0.02]), zero = bytes('z', [], [0]), attributes = [] } = parts;
  const { weightScale = floats('ws', [], [0.01]), weightZero = bytes('wz', [], [0]) } = parts;
  return model(
    graph(
      [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('DequantizeLinear', ['q', 's', 'z'], ['d']),
        node('DequantizeLinear', ['w', 'ws', 'wz'], ['dw'], attributes),
        node('MatMul', ['d', 'dw'], ['y']),
      ],
      {
        output: [value('y', [1, 8])],
        initializer: [scale, zero, weightScale, weightZero, bytes('w', [4, 8], noise(32, 127))],
      },
    ),
    { opsetImport: [{ version: parts.opset ?? 17 }] },
  );
}

const scaleOf = (name: string, values: number[], dims = [values.length]) => floats(name, dims, values);
const brokenScale = /scale/;
export const scaleZero = refused(() => qdq({ scale: floats('s', [], [0]) }), brokenScale);
export const scaleNan = refused(() => qdq({ scale: floats('s', [], [Number.NaN]) }), brokenScale);
export const scaleNegative = refused(() => qdq({ scale: floats('s', [], [-0.5]) }), brokenScale);
export const scaleInfinite = refused(
  () => qdq({ weightScale: floats('ws', [], [Number.POSITIVE_INFINITY]) }),
  brokenScale,
);
export const oneScaleOfManyIsNan = refused(
  () =>
    qdq({
      weightScale: scaleOf('ws', [1, 1, 1, 1, Number.NaN, 1, 1, 1]),
      weightZero: bytes('wz', [8], new Array(8).fill(0)),
    }),
  brokenScale,
);
export const tooFewScales = refused(
  () => qdq({ weightScale: scaleOf('ws', [1, 1, 1]), weightZero: bytes('wz', [3], [0, 0, 0]) }),
  brokenScale,
);
export const scaleOfFourDims = refused(
  () => qdq({ weightScale: scaleOf('ws', [1, 1, 1, 1], [1, 2, 2, 1]) }),
  brokenScale,
);
export const zeroPointsOfAnotherShape = refused(
  () => qdq({ weightScale: scaleOf('ws', new Array(8).fill(0.1)), weightZero: bytes('wz', [3], [0, 0, 0]) }),
  /zero point/,
);
export const zeroPointOfAnotherType = refused(() => qdq({ weightZero: bytes('wz', [], [0], 2) }), /zero point/);
export const zeroPointOfFloats = refused(() => qdq({ zero: floats('z', [], [0]) }), /zero point|type/);
export const zeroPointOfInt64 = refused(() => qdq({ zero: ints('z', [0], []) }), /zero point|type/);
export const axisOutOfRange = refused(
  () =>
    qdq({
      weightScale: scaleOf('ws', new Array(8).fill(0.1)),
      weightZero: bytes('wz', [8], new Array(8).fill(0)),
      attributes: [attribute.int('axis', 5)],
    }),
  /axis/,
);
export const blockSizeNonsense = refused(
  () =>
    qdq({
      opset: 21,
      weightScale: scaleOf('ws', new Array(8).fill(0.1), [1, 8]),
      weightZero: bytes('wz', [1, 8], new Array(8).fill(0)),
      attributes: [attribute.int('axis', 0), attribute.int('block_size', 3)],
    }),
  /block/,
);
export const blockSizeNegative = refused(
  () => qdq({ opset: 21, attributes: [attribute.int('axis', 0), attribute.int('block_size', -4)] }),
  /block/,
);

export const alreadyQdq = handled(() => qdq({}));
export const alreadyQdqPerChannel = handled(() =>
  qdq({
    weightScale: scaleOf(
      'ws',
      noise(8).map((item) => Math.abs(item) + 0.01),
    ),
    weightZero: bytes('wz', [8], new Array(8).fill(0)),
    attributes: [attribute.int('axis', 1)],
  }),
);
export const alreadyQOperator = handled(() =>
  model(
    graph(
      [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('QLinearMatMul', ['q', 's', 'z', 'w', 's', 'z', 's', 'z'], ['r']),
        node('DequantizeLinear', ['r', 's', 'z'], ['y']),
      ],
      {
        output: [value('y', [1, 8])],
        initializer: [floats('s', [], [0.02]), bytes('z', [], [0]), bytes('w', [4, 8], noise(32, 127))],
      },
    ),
  ),
);
export const dynamicallyQuantized = handled(() =>
  model(
    graph(
      [
        node('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz']),
        node('MatMulInteger', ['q', 'w', 'qz', 'z'], ['i']),
        node('Cast', ['i'], ['f'], [attribute.int('to', 1)]),
        node('Mul', ['f', 'qs'], ['y']),
      ],
      { output: [value('y', [1, 8])], initializer: [bytes('z', [], [0]), bytes('w', [4, 8], noise(32, 127))] },
    ),
  ),
);
export const qLinearConvOfWrongScales = notRun(
  () =>
    model(
      graph(
        [
          node('QuantizeLinear', ['x', 's', 'z'], ['q']),
          node('QLinearConv', ['q', 's', 'z', 'w', 'ws', 'z', 's', 'z'], ['r']),
          node('DequantizeLinear', ['r', 's', 'z'], ['y']),
        ],
        {
          input: [value('x', [1, 3, 8, 8])],
          initializer: [
            floats('s', [], [0.02]),
            bytes('z', [], [0]),
            floats('ws', [3], [1, 1, 1]),
            bytes('w', [4, 3, 1, 1], noise(12, 127)),
          ],
        },
      ),
    ),
  /./,
);
export const nanWeights = handled(() =>
  model(
    graph([node('MatMul', ['x', 'w'], ['y'])], {
      initializer: [
        floats(
          'w',
          [4, 8],
          noise(32).map((item, i) => (i === 5 ? Number.NaN : item)),
        ),
      ],
    }),
  ),
);
export const infiniteWeights = handled(() =>
  model(
    graph([node('MatMul', ['x', 'w'], ['y'])], {
      initializer: [
        floats(
          'w',
          [4, 8],
          noise(32).map((item, i) => (i === 5 ? Number.POSITIVE_INFINITY : i === 6 ? Number.NEGATIVE_INFINITY : item)),
        ),
      ],
    }),
  ),
);
export const weightsAllZero = handled(() =>
  model(graph([node('MatMul', ['x', 'w'], ['y'])], { initializer: [floats('w', [4, 8], new Array(32).fill(0))] })),
);
export const weightsDenormal = handled(() =>
  model(graph([node('MatMul', ['x', 'w'], ['y'])], { initializer: [floats('w', [4, 8], noise(32, 1e-42))] })),
);
export const weightsLargest = handled(() =>
  model(graph([node('MatMul', ['x', 'w'], ['y'])], { initializer: [floats('w', [4, 8], noise(32, 3.4e38))] })),
);
