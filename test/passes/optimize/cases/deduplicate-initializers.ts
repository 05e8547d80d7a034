import { deduplicateInitializers } from '../../../../src/passes/optimize/deduplicate-initializers.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { Tensor } from '../../../../src/tensor/tensor.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = deduplicateInitializers;

/** Two integer products with zero points of their own, as quantizers write them. */
function integerProducts() {
  const b = new GraphBuilder();
  const x = b.input('x', ['N', 2]);
  const [q, , zero] = b.ops('DynamicQuantizeLinear', [x], { outputs: ['q', 'scale', 'zero'] });
  const product = (name: string) => {
    const weights = Tensor.fromArray(`${name}_weights`, DataType.int8, [2, 3], Int8Array.of(1, 2, 3, 4, 5, 6));
    const point = Tensor.fromArray(`${name}_zero_point`, DataType.int8, [], Int8Array.of(0));
    const constants = [weights, point].map((tensor) => b.model.graph.addInitializer(tensor));
    const integers = b.op('MatMulInteger', [q, constants[0], zero, constants[1]]);
    return b.op('Cast', [integers], { attributes: { to: DataType.float32 } });
  };
  return b.output(b.op('Sub', [product('a'), b.op('Abs', [product('b')])]));
}

export const cases = {
  'int8-constants-stay-apart': integerProducts,
  'equal-constants-become-one': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 2]);
    const first = b.op('Add', [x, b.float('a', [2], [1, 2])]);
    const second = b.op('Mul', [first, b.float('b', [2], [1, 2])]);
    return b.output(b.op('Sub', [second, b.float('other', [1, 2], [1, 2])]));
  },
};
