import fc from 'fast-check';
import { onnx } from 'onnx-proto';
import { expect, test } from 'vitest';
import { damaged, exerciseReader, oddModel } from './fuzz-reader.ts';

const { FLOAT, GRAPH, INTS, TENSOR } = onnx.AttributeProto.AttributeType;
const float = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }, { dimParam: 'N' }] } } };

/** A small model with a bit of everything. */
const sound = onnx.ModelProto.encode({
  irVersion: 8,
  producerName: 'fuzz',
  opsetImport: [{ version: 17 }, { domain: 'd', version: 1 }],
  metadataProps: [{ key: 'k', value: 'v' }],
  graph: {
    name: 'g',
    input: [
      { name: 'x', type: float },
      { name: 'c', type: { tensorType: { elemType: 9 } } },
    ],
    output: [{ name: 'y', type: float }],
    valueInfo: [{ name: 'a', type: float }],
    initializer: [
      { name: 'w', dataType: 1, dims: [2], floatData: [1, 2] },
      { name: 'i', dataType: 7, dims: [2], rawData: new Uint8Array(16) },
    ],
    node: [
      { opType: 'Add', name: 'add', input: ['x', 'w'], output: ['a'] },
      { opType: 'LeakyRelu', input: ['a'], output: ['b'], attribute: [{ name: 'alpha', type: FLOAT, f: 0.5 }] },
      {
        opType: 'If',
        input: ['c'],
        output: ['y'],
        attribute: ['then_branch', 'else_branch'].map((name) => ({
          name,
          type: GRAPH,
          g: {
            name,
            output: [{ name: 'z' }],
            node: [
              {
                opType: 'Constant',
                output: ['k'],
                attribute: [{ name: 'value', type: TENSOR, t: { dataType: 6, dims: [1], int32Data: [3] } }],
              },
              {
                opType: 'Op',
                domain: 'd',
                input: ['b'],
                output: ['z'],
                attribute: [{ name: 'axes', type: INTS, ints: [1] }],
              },
            ],
          },
        })),
      },
    ],
  },
  functions: [
    { name: 'Op', domain: 'd', input: ['p'], output: ['q'], node: [{ opType: 'Relu', input: ['p'], output: ['q'] }] },
  ],
}).finish();

test('the sound model is accepted', () => {
  expect(exerciseReader(sound)).toBe('accepted');
});

test('damaged bytes give a model or a known error', () => {
  fc.assert(
    fc.property(damaged(sound), (bytes) => {
      exerciseReader(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('well-formed nonsense gives a model or a known error', () => {
  fc.assert(
    fc.property(oddModel, (bytes) => {
      exerciseReader(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('any bytes give a model or a known error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      exerciseReader(bytes);
    }),
    { numRuns: 1000 },
  );
});
