import { expect, test } from 'vitest';
import { Graph } from '../../src/ir/graph.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import { printModel } from '../../src/ir/print.ts';
import { tensorType } from '../../src/ir/types.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

function example(): Model {
  const model = Model.create(13, 8, 'main');
  const { graph } = model;
  model.opsetImports.set('com.example', 2);
  const x = graph.addInput('x', tensorType(1, ['N', 3, undefined, 8]));
  const w = graph.addInitializer(Tensor.float32('w', [4, 3, 1, 1], new Float32Array(12).fill(0.5)));
  const axes = graph.addInitializer(Tensor.int64('axes', [2], [-1, 2]));
  const conv = graph.create('Conv', [x, w, undefined], {
    outputNames: ['y'],
    attributes: [attr.ints('kernel_shape', [1, 1]), attr.string('auto_pad', 'VA\nLID'), attr.float('alpha', -0)],
  });
  const custom = graph.create('Odd', [conv.output, axes], { domain: 'com.example', outputNames: ['z', 'unused'] });
  const branch = new Graph('then');
  const inner = branch.create('Identity', [conv.output], { outputNames: ['inner'] });
  branch.outputs.push(inner.output);
  const choose = graph.create('If', [custom.output], {
    outputNames: ['chosen'],
    attributes: [{ name: 'then_branch', kind: 'graph', value: branch }],
  });
  branch.owner = choose;
  choose.output.type = tensorType(1, undefined);
  graph.outputs.push(choose.output);
  return model;
}

test('a model prints one line per part', () => {
  expect(printModel(example())).toBe(`model ir 8, ai.onnx 13, com.example 2
graph main
  input x: float32[N, 3, ?, 8]
  initializer w: float32[4, 3, 1, 1] sha256:91137ea5
  initializer axes: int64[2] {-1, 2}
  node y = Conv(x, w, -) alpha=-0 auto_pad="VA\\u000aLID" kernel_shape=[1, 1]
  node z, unused = com.example.Odd(y, axes)
  node chosen: float32 = If(z)
    then_branch=graph then
      node inner = Identity(y)
      output inner
  output chosen: float32
`);
});

test('the text changes with a weight, an attribute and an edge', () => {
  const before = printModel(example());
  const edits: ((model: Model) => void)[] = [
    (model) => {
      const w = [...model.graph.initializers][0]!;
      w.tensor = Tensor.float32('w', [4, 3, 1, 1], new Float32Array(12).fill(0.25));
    },
    (model) => [...model.graph.nodes()][0]!.setAttribute(attr.ints('kernel_shape', [1, 2])),
    (model) => [...model.graph.nodes()][1]!.setInput(1, undefined),
  ];
  for (const edit of edits) {
    const model = example();
    edit(model);
    expect(printModel(model)).not.toBe(before);
  }
});
