import type { Node } from '../../ir/node.ts';
import { type SymbolicShape, sameDim, sameShape } from '../../ir/shape-inference/dim-expression.ts';
import type { Value } from '../../ir/value.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Shortens chains of operators that only give the same elements another shape (Reshape, Flatten, Squeeze, Unsqueeze, and
 * a Transpose that moves nothing but axes of size 1): a chain that ends in the shape it began with goes away, and a
 * Reshape behind such an operator reads that one's input. Pairs of Unsqueeze are left: engines know them as parts of masks.
 */
export function mergeViews(): Pass {
  return {
    name: 'merge-views',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        if (!isView(rewriter, node)) continue;
        const origin = originOfSameShape(rewriter, node);
        if (origin !== undefined && rewriter.bypass(node, origin, 'merge-views')) continue;
        if (node.is('Reshape')) skipViewBefore(rewriter, node);
        else reshapeInstead(rewriter, node);
      }
      return passResult(rewriter.changes);
    },
  };
}

function isView(rewriter: Rewriter, node: Node): boolean {
  if (node.is('Reshape', 'Flatten', 'Squeeze', 'Unsqueeze')) return true;
  if (!node.is('Transpose')) return false;
  const shape = rewriter.shape(node.input(0));
  const perm = node.ints('perm');
  if (shape === undefined || perm === undefined) return false;
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
}

/** The value some views back that has the node's output shape, and so is equal to it. */
function originOfSameShape(rewriter: Rewriter, node: Node): Value | undefined {
  const shape = rewriter.shape(node.output);
  let value = node.input(0);
  for (let producer = value?.producer; producer !== undefined; producer = value?.producer) {
    if (producer.graph !== rewriter.graph || !isView(rewriter, producer)) return undefined;
    value = producer.input(0);
    if (sameShape(rewriter.shape(value), shape)) return value;
  }
  return undefined;
}

function skipViewBefore(rewriter: Rewriter, node: Node): void {
  const view = node.input(0)?.producer;
  const source = view?.input(0);
  if (view === undefined || source === undefined || view.graph !== rewriter.graph || !isView(rewriter, view)) return;
  const requested = rewriter.constant(node.input(1))?.toNumbers();
  const input = rewriter.shape(source);
  const middle = rewriter.shape(node.input(0));
  if (requested === undefined || input === undefined || middle === undefined) return;
  const dims = restated(requested, input, middle, node.int('allowzero', 0) !== 0);
  if (dims === undefined) return;
  node.setInput(0, source);
  if (dims.some((dim, i) => dim !== requested[i])) {
    rewriter.setConstant(node, 1, Tensor.int64(`${node.output.name}_shape`, [dims.length], dims));
  }
  rewriter.report('merge-views', node, `skips ${view.name || view.output.name}`);
}

/** Makes one Reshape of a Transpose that is a view and the view behind it. */
function reshapeInstead(rewriter: Rewriter, node: Node): void {
  const transpose = rewriter.soleProducer(node.input(0), 'Transpose');
  const source = transpose?.input(0);
  const input = rewriter.shape(source);
  const output = rewriter.shape(node.output);
  if (transpose === undefined || source === undefined || !isView(rewriter, transpose)) return;
  if (input === undefined || output === undefined || rewriter.model.opset < 5) return;
  const dims = output.map((dim, i) => (typeof dim === 'number' ? dim : sameDim(dim, input[i]) ? 0 : -1));
  if (dims.filter((dim) => dim === -1).length > 1 || output.includes(0)) return;
  node.opType = 'Reshape';
  node.attributes.clear();
  node.truncateInputs(1);
  node.setInput(0, source);
  rewriter.setConstant(node, 1, Tensor.int64(`${node.output.name}_shape`, [dims.length], dims));
  rewriter.report('merge-views', node, `stands for ${transpose.name || transpose.output.name} too`);
}

/** The requested shape for another input of the same elements: "copy" means the copied size, wherever it now is. */
function restated(
  requested: readonly number[],
  input: SymbolicShape,
  middle: SymbolicShape,
  allowZero: boolean,
): number[] | undefined {
  const dims: number[] = [];
  for (const [i, dim] of requested.entries()) {
    if (dim !== 0) dims.push(dim);
    else if (allowZero) return undefined;
    else if (sameDim(input[i], middle[i])) dims.push(0);
    else if (typeof middle[i] === 'number' && middle[i] !== 0) dims.push(middle[i]);
    else if (!requested.includes(-1) && !dims.includes(-1)) dims.push(-1);
    else return undefined;
  }
  return dims;
}
