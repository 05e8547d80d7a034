import type { Node } from '../../ir/node.ts';
import { attr } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { numberToFloat16 } from '../../tensor/float16.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { constantInput, crosses, drop, edit, integers, intTensor, RuleSet, type Verdict } from './upgrade-rule.ts';

/** Operators of which attributes became inputs. */
export const inputRules = new RuleSet();

inputRules.add('Slice', (node, context) => {
  if (!crosses(context, 10)) return undefined;
  const [starts, ends, axes] = ['starts', 'ends', 'axes'].map((name) => integers(node, name));
  if (starts === undefined || ends === undefined) return 'has no starts or ends';
  return edit('starts, ends and axes become inputs', () => {
    drop(node, 'starts', 'ends', 'axes');
    constantInput(node, 1, 'starts', intTensor(starts));
    constantInput(node, 2, 'ends', intTensor(ends));
    if (axes !== undefined) constantInput(node, 3, 'axes', intTensor(axes));
  });
});

inputRules.add('TopK', (node, context) => {
  if (!crosses(context, 10)) return undefined;
  const k = node.attribute('k', 'int')?.value;
  if (k === undefined) return 'has no k';
  return edit('k becomes an input', () => {
    drop(node, 'k');
    constantInput(node, 1, 'k', intTensor([k]));
  });
});

inputRules.add('Clip', (node, context) => {
  if (!crosses(context, 11)) return undefined;
  const limits = ['min', 'max'].map((name) => [name, node.float(name)] as const);
  const elemType = context.elemType(node.input(0));
  const isLimited = limits.some(([, limit]) => limit !== undefined);
  if (isLimited && floatScalar(elemType, 0) === undefined) return 'its element type is not known';
  if (!isLimited && !node.attributes.has('consumed_inputs')) return undefined;
  return edit('min and max become inputs', () => {
    drop(node, 'min', 'max', 'consumed_inputs');
    limits.forEach(([name, limit], i) => {
      if (limit !== undefined) constantInput(node, 1 + i, name, floatScalar(elemType, limit)!);
    });
  });
});

inputRules.add('Pad', (node, context) => {
  if (!crosses(context, 11)) return undefined;
  const pads = integers(node, 'pads') ?? integers(node, 'paddings');
  if (pads === undefined) return 'has no pads';
  const value = node.float('value', 0);
  const fill = floatScalar(context.elemType(node.input(0)), value);
  if (value !== 0 && fill === undefined) return 'its element type is not known';
  return edit('pads and value become inputs', () => {
    drop(node, 'pads', 'paddings', 'value');
    constantInput(node, 1, 'pads', intTensor(pads));
    if (value !== 0) constantInput(node, 2, 'value', fill!);
  });
});

inputRules.add('Squeeze Unsqueeze ReduceSum', (node, context) =>
  crosses(context, 13) ? toInput(node, 'axes', 1) : undefined,
);

inputRules.add(
  'ReduceMax ReduceMin ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare',
  (node, context) => (crosses(context, 18) ? toInput(node, 'axes', 1) : undefined),
);

inputRules.add('Split', (node, context) => {
  const moved = crosses(context, 13) ? toInput(node, 'split', 1) : undefined;
  if (moved !== undefined || !crosses(context, 18) || node.input(1) !== undefined) return moved;
  return edit('says its number of outputs', () => node.setAttribute(attr.int('num_outputs', node.outputs.length)));
});

/** A scalar of a float type; undefined for other types. */
function floatScalar(elemType: number, value: number): Tensor | undefined {
  if (elemType === DataType.float32) return Tensor.float32('', [], [value]);
  if (elemType === DataType.float64) return Tensor.fromArray('', elemType, [], Float64Array.of(value));
  if (elemType === DataType.float16) return Tensor.fromArray('', elemType, [], Uint16Array.of(numberToFloat16(value)));
  return undefined;
}

/** Integers that moved from an attribute to an input. */
function toInput(node: Node, attribute: string, index: number): Verdict {
  const values = integers(node, attribute);
  if (values === undefined) return undefined;
  return edit(`${attribute} becomes an input`, () => {
    drop(node, attribute);
    constantInput(node, index, attribute, intTensor(values));
  });
}
