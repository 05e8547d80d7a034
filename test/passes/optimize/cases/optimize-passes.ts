import type { Value } from '../../../../src/ir/value.ts';
import { optimizePasses } from '../../../../src/passes/optimize/optimize-passes.ts';
import { DataType } from '../../../../src/tensor/data-type.ts';
import { Tensor } from '../../../../src/tensor/tensor.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const passes = () => optimizePasses();

function convBn(b: GraphBuilder, x: Value, name: string, dims: number[], attributes = {}): Value {
  const conv = b.op('Conv', [x, b.weight(`${name}.weight`, dims)], { name: `${name}/conv`, attributes });
  return b.batchNormalization(`${name}.bn`, conv, dims[0]!);
}

function sigmoidGate(b: GraphBuilder, x: Value, name: string): Value {
  return b.op('Mul', [x, b.op('Sigmoid', [x], { name: `${name}/sigmoid` })], { name: `${name}/mul` });
}

function layerNormalizationChain(b: GraphBuilder, x: Value): Value {
  const axes = { attributes: { axes: [-1] } };
  const centred = b.op('Sub', [x, b.op('ReduceMean', [x], { name: 'mean', ...axes })]);
  const variance = b.op('ReduceMean', [b.op('Pow', [centred, b.float('two', [], [2])])], { name: 'variance', ...axes });
  const deviation = b.op('Sqrt', [b.op('Add', [variance, b.float('epsilon', [], [1e-5])], { name: 'stable' })]);
  const scaled = b.op('Mul', [b.op('Div', [centred, deviation], { name: 'normal' }), b.weight('gamma', [8], 0.5, 1.5)]);
  return b.op('Add', [scaled, b.weight('beta', [8])], { name: 'shifted' });
}

export const cases = {
  'pytorch-mobile-block-with-squeeze-excite': () => {
    const b = new GraphBuilder();
    const x = b.input('input', ['N', 4, 8, 8]);
    const expanded = sigmoidGate(b, convBn(b, x, 'expand', [8, 4, 1, 1]), 'silu1');
    const depth = convBn(b, expanded, 'depthwise', [8, 1, 3, 3], { group: 8, pads: [1, 1, 1, 1] });
    const active = sigmoidGate(b, depth, 'silu2');
    const pooled = b.op('ReduceMean', [active], { name: 'squeeze', attributes: { axes: [2, 3], keepdims: 1 } });
    const reduced = b.op('Conv', [pooled, b.weight('se1.w', [2, 8, 1, 1]), b.weight('se1.b', [2])], { name: 'se1' });
    const restored = b.op('Conv', [b.op('Relu', [reduced]), b.weight('se2.w', [8, 2, 1, 1]), b.weight('se2.b', [8])], {
      name: 'se2',
    });
    const gated = b.op('Mul', [b.op('Sigmoid', [restored], { name: 'gate' }), active], { name: 'excite' });
    return b.output(
      b.op('Add', [convBn(b, gated, 'project', [4, 8, 1, 1]), x], { name: 'residual' }),
      undefined,
      'output',
    );
  },
  'pytorch-head-with-constant-nodes-and-dynamic-flatten': () => {
    const b = new GraphBuilder();
    const x = b.input('input', ['N', 4, 4, 4]);
    const pooled = b.op('GlobalAveragePool', [b.op('HardSwish', [convBn(b, x, 'last', [8, 4, 1, 1])])]);
    const zero = b.constant('/Constant_output_0', Tensor.int64('', [], [0]));
    const batch = b.op('Gather', [b.op('Shape', [pooled]), zero], { attributes: { axis: 0 } });
    const axes = b.constant('/Constant_1_output_0', Tensor.int64('', [1], [0]));
    const minusOne = b.constant('/Constant_2_output_0', Tensor.int64('', [1], [-1]));
    const shape = b.op('Concat', [b.op('Unsqueeze', [batch, axes]), minusOne], { attributes: { axis: 0 } });
    const flat = b.op('Dropout', [b.op('Reshape', [pooled, shape])]);
    const logits = b.op('Gemm', [flat, b.weight('head.weight', [5, 8]), b.weight('head.bias', [5])], {
      attributes: { transB: 1 },
    });
    return b.output(b.op('Identity', [logits], { outputs: ['logits'] }));
  },
  'tf2onnx-transposes-around-channels-last-layers': () => {
    const b = new GraphBuilder(13);
    const x = b.input('input', ['N', 8, 8, 3]);
    const toFirst = { attributes: { perm: [0, 3, 1, 2] } };
    const toLast = { attributes: { perm: [0, 2, 3, 1] } };
    const first = b.op('Transpose', [x], { name: 'in', ...toFirst });
    const pad = b.op('Pad', [first, b.ints('pads', [0, 0, 0, 0, 0, 0, 1, 1])]);
    const conv = b.op('Conv', [pad, b.weight('w', [4, 3, 3, 3])], { attributes: { strides: [2, 2] } });
    const last = b.op('Transpose', [conv], { name: 'last', ...toLast });
    const again = b.op('Transpose', [last], { name: 'again', ...toFirst });
    const biased = b.op('Relu', [b.op('Add', [again, b.weight('bias', [1, 4, 1, 1])])]);
    const pooled = b.op('GlobalAveragePool', [biased]);
    const squeezed = b.op('Squeeze', [b.op('Transpose', [pooled], { name: 'out', ...toLast }), b.ints('axes', [1, 2])]);
    const dense = b.op('MatMul', [squeezed, b.weight('dense/kernel', [4, 5])]);
    return b.output(b.op('Softmax', [b.op('Add', [dense, b.weight('dense/bias', [5])], { name: 'dense' })]));
  },
  'keras-dense-with-batch-normalization': () => {
    const b = new GraphBuilder(13);
    const dense = b.op('MatMul', [b.input('input', ['N', 6]), b.weight('kernel', [6, 8])]);
    const biased = b.op('Add', [dense, b.weight('bias', [8])]);
    const scaled = b.op('Mul', [biased, b.weight('bn/scale', [8], 0.5, 1.5)]);
    const shifted = b.op('Add', [scaled, b.weight('bn/shift', [8])], { name: 'bn/add' });
    return b.output(b.op('Relu', [shifted]));
  },
  'transformer-chains-are-left-for-the-engine-to-fuse': () => {
    const b = new GraphBuilder();
    const x = b.input('input', ['N', 'T', 8]);
    const normal = layerNormalizationChain(b, x);
    const hidden = b.op(
      'Add',
      [b.weight('ffn.bias', [16]), b.op('MatMul', [normal, b.weight('ffn.weight', [8, 16])])],
      {
        name: 'hidden',
      },
    );
    const erf = b.op('Erf', [b.op('Div', [hidden, b.float('sqrt2', [], [Math.SQRT2])], { name: 'div' })]);
    const half = b.op('Mul', [hidden, b.op('Add', [erf, b.float('one', [], [1])], { name: 'plus' })], { name: 'gelu' });
    return b.output(b.op('Mul', [half, b.float('half', [], [0.5])], { name: 'halved' }));
  },
  'dynamic-static-padding-as-pytorch-exports-it': () => {
    const b = new GraphBuilder();
    const x = b.input('input', ['N', 3, 7, 7]);
    const given = b.ints('given', [0, 1, 0, 1]);
    const zeros = b.op('ConstantOfShape', [b.ints('four', [4])], { attributes: { value: Tensor.int64('', [1], [0]) } });
    const all = b.op('Reshape', [
      b.op('Concat', [given, zeros], { attributes: { axis: 0 } }),
      b.ints('pairs', [-1, 2]),
    ]);
    const flipped = b.op('Slice', [
      all,
      b.ints('s', [-1]),
      b.ints('e', [-(2 ** 40)]),
      b.ints('a', [0]),
      b.ints('t', [-1]),
    ]);
    const turned = b.op('Transpose', [flipped], { attributes: { perm: [1, 0] } });
    const flat = b.op('Cast', [b.op('Reshape', [turned, b.ints('flat', [-1])], { name: 'flatten' })], {
      attributes: { to: DataType.int64 },
    });
    const pad = b.op('Pad', [x, flat, b.float('fill', [], [0])]);
    return b.output(b.op('Conv', [pad, b.weight('w', [4, 3, 3, 3])], { attributes: { strides: [2, 2] } }));
  },
  'recurrent-layer-with-squeezed-direction': () => {
    const b = new GraphBuilder();
    const x = b.op('Transpose', [b.input('input', ['N', 'T', 4])], { attributes: { perm: [1, 0, 2] } });
    const zeros = b.op('ConstantOfShape', [
      b.op(
        'Concat',
        [b.ints('one', [1]), b.op('Slice', [b.op('Shape', [x]), b.ints('s', [1]), b.ints('e', [2])]), b.ints('h', [3])],
        {
          attributes: { axis: 0 },
        },
      ),
    ]);
    const weights = [b.weight('W', [1, 9, 4]), b.weight('R', [1, 9, 3]), b.weight('B', [1, 18])];
    const [steps] = b.ops('GRU', [x, ...weights, undefined, zeros], {
      outputs: ['steps', 'state'],
      attributes: { hidden_size: 3, linear_before_reset: 1 },
    });
    const squeezed = b.op('Squeeze', [steps, b.ints('axes', [1])]);
    return b.output(b.op('Transpose', [squeezed], { name: 'back', attributes: { perm: [1, 0, 2] } }));
  },
};
