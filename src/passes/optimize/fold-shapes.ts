import type { Node } from '../../ir/node.ts';
import type { Content } from '../../ir/shape-inference/content.ts';
import { sameDim } from '../../ir/shape-inference/dim-expression.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { becomeInitializer } from './become-initializer.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Replaces computed shapes by constants, by shape inference alone: integer tensors whose elements it knows become
 * initializers, and the shape of a Reshape that is known but for symbolic sizes becomes one with 0 (copy the input's
 * size) and at most one -1 (what remains). Both hold for every size of the symbolic dimensions.
 */
export function foldShapes(): Pass {
  return {
    name: 'fold-shapes',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        if (node.is('Reshape')) simplifyReshape(rewriter, node);
        if (node.is('Constant') || node.subgraphs().length > 0) continue;
        for (const [i, value] of node.outputs.entries()) {
          if (value.useCount === 0 || rewriter.isOutput(value)) continue;
          const tensor = integerTensor(rewriter.content(value), rewriter.elemType(value));
          if (tensor === undefined) continue;
          rewriter.report('fold-shape', node, `${value.name} = [${tensor.toNumbers().join(', ')}]`);
          becomeInitializer(model.graph, node, i, tensor);
        }
      }
      return passResult(rewriter.changes);
    },
  };
}

/** Longer ones are data (positions, tables) and would grow the file. */
const MAX_SHAPE_ELEMENTS = 128;

function integerTensor(content: Content | undefined, elemType: number): Tensor | undefined {
  if (content === undefined || content.elements.length > MAX_SHAPE_ELEMENTS) return undefined;
  if (!content.elements.every((element) => Number.isSafeInteger(element))) return undefined;
  const numbers = content.elements as number[];
  if (elemType === DataType.int64) return Tensor.int64('', content.dims, numbers);
  if (elemType === DataType.bool) return Tensor.fromArray('', elemType, content.dims, Uint8Array.from(numbers));
  if (elemType !== DataType.int32 || numbers.some((element) => element !== (element | 0))) return undefined;
  return Tensor.fromArray('', elemType, content.dims, Int32Array.from(numbers));
}

function simplifyReshape(rewriter: Rewriter, node: Node): void {
  const shapeInput = node.input(1);
  const requested = rewriter.content(shapeInput)?.elements;
  const input = rewriter.shape(node.input(0));
  if (shapeInput === undefined || rewriter.isConstant(shapeInput) || requested === undefined || input === undefined)
    return;
  if (node.int('allowzero', 0) !== 0 || requested.every((element) => typeof element === 'number')) return;
  const dims: (number | undefined)[] = requested.map((element, i) => {
    if (typeof element === 'number') return element;
    return element !== undefined && sameDim(element, input[i]) ? 0 : undefined;
  });
  const open = dims.filter((dim) => dim === undefined || dim === -1).length;
  // A size of 0 that was computed would now mean "copy".
  if (open > 1 || requested.includes(0) || dims.some((dim) => dim !== undefined && dim < -1)) return;
  // What is left open can only be what remains: the number of elements does not change.
  const shape = dims.map((dim) => dim ?? -1);
  rewriter.setConstant(node, 1, Tensor.int64(`${node.output.name}_shape`, [shape.length], shape));
  rewriter.report('simplify-reshape', node, `[${shape.join(', ')}]`);
}
