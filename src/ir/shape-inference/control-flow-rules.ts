import { DataType } from '../../tensor/data-type.ts';
import { sameDim } from './dim-expression.ts';
import type { InferenceContext, InferredType, ShapeRule } from './inference-context.ts';

/** If: what both branches agree on. */
const branches: ShapeRule = (context) => {
  const then = context.inferSubgraph('then_branch');
  const otherwise = context.inferSubgraph('else_branch');
  for (let i = 0; i < context.outputCount; i++) {
    const [a, b] = [then?.[i], otherwise?.[i]];
    if (a !== undefined && b !== undefined) context.setType(i, commonType(context, a, b));
  }
};

function commonType(context: InferenceContext, a: InferredType, b: InferredType): InferredType {
  const elemType = a.elemType === b.elemType ? a.elemType : 0;
  const shape =
    a.shape === undefined || b.shape === undefined || a.shape.length !== b.shape.length
      ? undefined
      : a.shape.map((dim, i) => (sameDim(dim, b.shape?.[i]) ? dim : context.unknownDim()));
  return { elemType, shape };
}

/** Loop: carried values keep their element type (their shape may change), scan outputs get an axis of unknown size. */
const loop: ShapeRule = (context) => {
  const carried = Math.max(0, context.inputCount - 2);
  const carriedTypes = Array.from({ length: carried }, (_, i) => {
    const type = context.type(i + 2);
    return type === undefined ? undefined : { elemType: type.elemType, shape: undefined, other: type.other };
  });
  const scalar = (elemType: number): InferredType => ({ elemType, shape: undefined });
  const results = context.inferSubgraph('body', [scalar(DataType.int64), scalar(DataType.bool), ...carriedTypes]);
  for (let i = 0; i < context.outputCount; i++) {
    const result = results?.[i + 1];
    if (i < carried) context.setType(i, { elemType: result?.elemType || context.elemType(i + 2), shape: undefined });
    else if (result !== undefined) {
      // Shapes that only one iteration vouches for are not taken over; fixed ones are.
      const dims = result.shape?.map((dim) => (typeof dim === 'number' ? dim : context.unknownDim()));
      context.set(i, result.elemType, dims === undefined ? undefined : [context.unknownDim(), ...dims]);
    }
  }
};

const scan: ShapeRule = (context) => {
  const scanInputs = context.node.int('num_scan_inputs', 0);
  const states = context.inputCount - scanInputs;
  const isOld = context.opset > 0 && context.opset < 9;
  const inputTypes = isOld
    ? undefined
    : context.node.inputs.map((_, i): InferredType | undefined => {
        const type = context.type(i);
        if (type === undefined) return undefined;
        if (i < states) return { elemType: type.elemType, shape: undefined };
        const axis = context.node.ints('scan_input_axes')?.[i - states] ?? 0;
        const at = type.shape === undefined ? 0 : axis < 0 ? axis + type.shape.length : axis;
        return { elemType: type.elemType, shape: type.shape?.filter((_dim, j) => j !== at) };
      });
  const results = context.inferSubgraph('body', inputTypes);
  for (let i = 0; i < context.outputCount && !isOld; i++) {
    const result = results?.[i];
    if (result !== undefined) context.setType(i, { elemType: result.elemType, shape: undefined });
  }
};

export const controlFlowRules: Readonly<Record<string, ShapeRule>> = { If: branches, Loop: loop, Scan: scan };
