import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import {
  addDims,
  DimExpression,
  divideDims,
  multiplyDims,
  type SymbolicDim,
  sameDim,
  subtractDims,
} from '../../src/ir/shape-inference/dim-expression.ts';
import { type Shape, tensorType } from '../../src/ir/types.ts';
import type { Value } from '../../src/ir/value.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

/** The value of an expression for given symbols. */
function evaluate(dim: SymbolicDim, symbols: Readonly<Record<string, number>>): number {
  // Adding 0 turns -0 into 0.
  if (typeof dim === 'number') return dim + 0;
  let sum = 0;
  for (const [monomial, coefficient] of dim.terms) {
    const factors = monomial === '' ? [] : monomial.split('\u0000');
    sum += factors.reduce((product, name) => product * symbols[name]!, coefficient);
  }
  return sum + 0;
}

const dimension: fc.Arbitrary<SymbolicDim> = fc.letrec<{ dim: SymbolicDim }>((tie) => ({
  dim: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: -5, max: 9 }),
    fc.constantFrom('N', 'T').map((name) => DimExpression.symbol(name)),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => addDims(a, b) ?? 0),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => multiplyDims(a, b) ?? 0),
  ),
})).dim;
const symbolValues = fc.record({ N: fc.integer({ min: 0, max: 12 }), T: fc.integer({ min: 0, max: 12 }) });

describe('dimension expressions', () => {
  it('compute what their operands compute, for every value of the symbols', () => {
    fc.assert(
      fc.property(dimension, dimension, symbolValues, (a, b, symbols) => {
        const [x, y] = [evaluate(a, symbols), evaluate(b, symbols)];
        const [sum, difference, product] = [addDims(a, b), subtractDims(a, b), multiplyDims(a, b)];
        if (sum !== undefined) expect(evaluate(sum, symbols)).toBe(x + y);
        if (difference !== undefined) expect(evaluate(difference, symbols)).toBe(x - y);
        if (product !== undefined) expect(evaluate(product, symbols)).toBe(x * y + 0);
        const quotient = divideDims(a, b);
        if (quotient !== undefined && y !== 0) expect(evaluate(quotient, symbols) * y + 0).toBe(x);
        if (sameDim(a, b)) expect(x).toBe(y);
        if (typeof a === 'object' && a.lowerBound !== undefined) expect(x).toBeGreaterThanOrEqual(a.lowerBound);
      }),
    );
  });
});

function build(inputShape: Shape, body: (model: Model, x: Value) => Value): Model {
  const model = Model.create(17, 8);
  const x = model.graph.addInput('x', tensorType(DataType.float32, inputShape));
  model.graph.outputs.push(body(model, x));
  return model;
}

const ints = (model: Model, values: number[]) =>
  model.graph.addInitializer(Tensor.int64('ints', [values.length], values));

describe('inferShapes', () => {
  it('follows symbols through shape arithmetic', () => {
    const model = build(['N', 'T', 12], (m, x) => {
      const { graph } = m;
      const shape = graph.create('Shape', [x]).output;
      const front = graph.create('Slice', [shape, ints(m, [0]), ints(m, [2])]).output;
      const target = graph.create('Concat', [front, ints(m, [3, 4])], { attributes: [attr.int('axis', 0)] }).output;
      const heads = graph.create('Reshape', [x, target]).output;
      return graph.create('Transpose', [heads], { attributes: [attr.ints('perm', [0, 2, 1, 3])] }).output;
    });
    inferShapes(model);
    expect(model.graph.outputs[0]!.shape).toEqual(['N', 3, 'T', 4]);
  });

  it('keeps the batch through convolutions, and spatial symbols where the convolution keeps the size', () => {
    const model = build(['N', 3, 'H', undefined], (m, x) => {
      const w = m.graph.addInitializer(Tensor.float32('w', [8, 3, 3, 3], new Float32Array(216)));
      return m.graph.create('Conv', [x, w], { attributes: [attr.ints('pads', [1, 1, 1, 1])] }).output;
    });
    inferShapes(model);
    expect(model.graph.outputs[0]!.shape).toEqual(['N', 8, 'H', undefined]);
  });

  it('refines what the file states, and never weakens or contradicts it', () => {
    const model = build(['N', 4], (m, x) => m.graph.create('Relu', [x]).output);
    const output = model.graph.outputs[0]!;
    output.type = tensorType(DataType.float32, ['batch', undefined]);
    inferShapes(model);
    expect(output.shape).toEqual(['batch', 4]);
    const stated = tensorType(DataType.float32, [7, 7, 7]);
    output.type = stated;
    inferShapes(model);
    expect(output.type).toBe(stated);
  });

  it('takes over stated types behind unknown operators', () => {
    const model = build(['N', 4], (m, x) => {
      const odd = m.graph.create('Odd', [x], { domain: 'org.example' }).output;
      odd.type = tensorType(DataType.float32, ['N', 9]);
      m.graph.valueInfo.add(odd);
      return m.graph.create('Relu', [odd]).output;
    });
    inferShapes(model);
    expect(model.graph.outputs[0]!.shape).toEqual([undefined, 9]);
  });

  it('replaces stale types of inner values when the inputs change', () => {
    const model = build([1, 4], (m, x) => m.graph.create('Exp', [m.graph.create('Relu', [x]).output]).output);
    inferShapes(model);
    model.graph.outputs[0]!.type = undefined;
    model.graph.inputs[0]!.type = tensorType(DataType.float32, ['N', 4]);
    inferShapes(model);
    for (const node of model.graph.nodes()) expect(node.output.shape).toEqual(['N', 4]);
  });

  it('does not throw on odd nodes', () => {
    const opTypes = [
      'Conv',
      'Reshape',
      'Concat',
      'Slice',
      'Gather',
      'LSTM',
      'Einsum',
      'Split',
      'If',
      'Loop',
      'Pad',
      'Resize',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...opTypes),
        fc.array(fc.option(fc.array(fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }), { maxLength: 5 }))),
        fc.array(fc.integer({ min: -3, max: 6 }), { maxLength: 5 }),
        (opType, shapes, numbers) => {
          const model = Model.create(17, 8);
          const { graph } = model;
          const inputs = shapes.map((shape, i) =>
            i % 2 === 1
              ? ints(model, numbers)
              : graph.addInput(`x${i}`, tensorType(DataType.float32, shape === null ? undefined : shape)),
          );
          const attributes = ['axis', 'group'].map((name) => attr.int(name, numbers[0] ?? 0));
          const lists = ['pads', 'strides', 'kernel_shape', 'axes'].map((name) => attr.ints(name, numbers));
          graph.outputs.push(graph.create(opType, inputs, { attributes: [...attributes, ...lists] }).output);
          expect(() => inferShapes(model)).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });
});
