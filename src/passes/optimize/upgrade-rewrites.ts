import { attr, Node } from '../../ir/node.ts';
import { Value } from '../../ir/value.ts';
import { Tensor } from '../../tensor/tensor.ts';

/** Gives an input `count` more axes of size 1 at the end: a constant of another shape, or an Unsqueeze (version 13). */
export function trailingOnes(
  node: Node,
  input: number,
  rank: number,
  count: number,
  constant: Tensor | undefined,
): void {
  const graph = node.graph!;
  const value = node.input(input)!;
  if (constant !== undefined) {
    const dims = [...constant.dims, ...new Array<number>(count).fill(1)];
    node.setInput(input, graph.addInitializer(constant.withDims(dims).withName(`${value.name}_broadcast`)));
    return;
  }
  const axes = Array.from({ length: count }, (_, i) => rank + i);
  const axesValue = graph.addInitializer(Tensor.int64(`${value.name}_axes`, [count], axes));
  const unsqueeze = graph.create('Unsqueeze', [value, axesValue], {
    anchor: node,
    outputNames: [`${value.name}_broadcast`],
  });
  node.setInput(input, unsqueeze.output);
}

/**
 * Puts a softmax between a Flatten at `axis` and a Reshape to the shape that the input had: what an operator of a version
 * before 13 did by itself. `shape` may be unknown.
 */
export function softmaxOfAxis(node: Node, axis: number, shape: readonly (number | undefined)[] | undefined): void {
  const graph = node.graph!;
  const data = node.input(0)!;
  const result = node.output;
  const flatten = graph.create('Flatten', [data], {
    anchor: node,
    outputNames: [`${result.name}_flattened`],
    attributes: [attr.int('axis', axis)],
  });
  const isStatic = shape?.every((dim) => dim !== undefined);
  const target = isStatic
    ? graph.addInitializer(Tensor.int64(`${result.name}_shape`, [shape!.length], shape as number[]))
    : graph.create('Shape', [data], { anchor: node, outputNames: [`${result.name}_shape`] }).output;
  node.setInput(0, flatten.output);
  node.setAttribute(attr.int('axis', -1));
  node.setOutput(0, new Value(graph.uniqueName(`${result.name}_2d`)));
  graph.insertAfter(node, new Node('Reshape', [node.output, target], [result]));
}
