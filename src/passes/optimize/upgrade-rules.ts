import { attr, type Node } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { inputRules } from './upgrade-input-rules.ts';
import { isKnownOperator } from './upgrade-known-operators.ts';
import { resizeRules } from './upgrade-resize-rules.ts';
import { softmaxOfAxis, trailingOnes } from './upgrade-rewrites.ts';
import { constantInput, crosses, drop, edit, RuleSet, type UpgradeContext, type Verdict } from './upgrade-rule.ts';

/** What has to happen to a node of the default domain for the new version to mean what the old one did. */
export function upgradeRule(node: Node, context: UpgradeContext): Verdict {
  if (!isKnownOperator(node.opType)) return 'is not known to mean the same in the new version';
  const verdict = rules.get(node.opType)?.(node, context);
  if (verdict !== undefined || !node.attributes.has('consumed_inputs')) return verdict;
  return edit('consumed_inputs is gone', () => drop(node, 'consumed_inputs'));
}

const otherRules = new RuleSet();

// Version 7: both inputs are broadcast as in numpy; before, `broadcast` and `axis` said how the second one is.
otherRules.add('Add Sub Mul Div Pow And Or Xor Equal Greater Less', (node, context) => {
  if (!crosses(context, 7)) return undefined;
  const axis = node.int('broadcast', 0) === 0 ? undefined : node.int('axis');
  const clean = () => drop(node, 'broadcast', 'axis', 'consumed_inputs');
  if (axis === undefined) return node.attributes.size === 0 ? undefined : edit('broadcasts as numpy does', clean);
  const [a, b] = [context.shape(node.input(0)), context.shape(node.input(1))];
  if (a === undefined || b === undefined) return 'broadcasts from an axis on, and the ranks are not known';
  const count = a.length - (axis < 0 ? axis + a.length : axis) - b.length;
  if (count < 0) return 'broadcasts from an axis on that its inputs do not have';
  return edit('broadcasts as numpy does', () => {
    clean();
    if (count > 0) trailingOnes(node, 1, b.length, count, context.constant(node.input(1)));
  });
});

otherRules.add('PRelu', (node, context) => {
  if (!crosses(context, 7)) return undefined;
  const [data, slope] = [context.shape(node.input(0)), context.shape(node.input(1))];
  if (slope?.length === 1 && slope[0] === 1) return undefined;
  if (data === undefined || slope === undefined) return 'the shapes of data and slope are not known';
  const count = slope.length === 1 ? Math.max(0, data.length - 2) : 0;
  if (count === 0) return undefined;
  return edit('the slope is broadcast as in numpy', () => {
    trailingOnes(node, 1, 1, count, context.constant(node.input(1)));
  });
});

otherRules.add('Gemm', (node, context) => {
  if (!crosses(context, 7) || !node.attributes.has('broadcast')) return undefined;
  return edit('broadcasts as numpy does', () => drop(node, 'broadcast'));
});

otherRules.add('LSTM GRU RNN', (node, context) => {
  if (!crosses(context, 7) || !node.attributes.has('output_sequence')) return undefined;
  return edit('output_sequence is gone', () => drop(node, 'output_sequence'));
});

// Inference by default since version 7, `spatial` gone in 9, outputs of training another set in 14.
otherRules.add('BatchNormalization', (node, context) => {
  const used = node.outputs.filter((value, i) => i > 0 && context.isUsed(value));
  if (crosses(context, 7) && node.int('is_test', 0) === 0) return 'is in training mode';
  if (crosses(context, 9) && node.int('spatial', 1) === 0) return 'normalizes each position on its own';
  if (crosses(context, 14) && used.length > 0) return 'gives out the statistics of training';
  const gone = ['is_test', 'spatial', 'consumed_inputs'].filter((name) => node.attributes.has(name));
  const cut = crosses(context, 14) && node.outputs.length > 1;
  if (gone.length === 0 && !cut) return undefined;
  return edit([...gone, ...(cut ? ['outputs of training'] : [])].join(', '), () => {
    drop(node, ...gone);
    if (cut) node.truncateOutputs(1);
  });
});

otherRules.add('Dropout', (node, context) => {
  const mask = node.outputs[1];
  if (crosses(context, 7) && node.int('is_test', 0) === 0) return 'is in training mode';
  if (crosses(context, 10) && mask !== undefined && context.isUsed(mask))
    return 'its mask is used, which has another type';
  const cut = crosses(context, 10) && mask !== undefined;
  const gone = ['is_test', 'ratio', 'consumed_inputs'].filter(
    (name) => crosses(context, 12) && node.attributes.has(name),
  );
  if (gone.length === 0 && !cut) return undefined;
  return edit('inference form', () => {
    drop(node, ...gone);
    if (cut) node.truncateOutputs(1);
  });
});

otherRules.add('Scan', (_node, context) => (crosses(context, 9) ? 'had a batch axis' : undefined));

otherRules.add('MeanVarianceNormalization', (_node, context) => (crosses(context, 9) ? 'was experimental' : undefined));

otherRules.add('Tile', (_node, context) => (crosses(context, 6) ? 'tiled one axis' : undefined));

otherRules.add('Cast', (node, context) => {
  if (!crosses(context, 6)) return undefined;
  const name = node.string('to');
  if (name === undefined) return undefined;
  const type = Object.entries(castTypes).find(([key]) => key === name.toUpperCase())?.[1];
  return type === undefined
    ? `to '${name}' is no type`
    : edit('type by number', () => node.setAttribute(attr.int('to', type)));
});

const castTypes: Readonly<Record<string, number>> = {
  FLOAT: DataType.float32,
  UINT8: DataType.uint8,
  INT8: DataType.int8,
  UINT16: DataType.uint16,
  INT16: DataType.int16,
  INT32: DataType.int32,
  INT64: DataType.int64,
  BOOL: DataType.bool,
  FLOAT16: DataType.float16,
  DOUBLE: DataType.float64,
  UINT32: DataType.uint32,
  UINT64: DataType.uint64,
};

otherRules.add('Scatter', (node, context) => {
  if (!crosses(context, 11)) return undefined;
  return edit('becomes ScatterElements', () => {
    node.opType = 'ScatterElements';
  });
});

// Before version 13 all axes from `axis` on were taken as one.
otherRules.add('Softmax LogSoftmax Hardmax', (node, context) => {
  if (!crosses(context, 13)) return undefined;
  const axis = node.int('axis', 1);
  const shape = context.shape(node.input(0));
  const rank = shape?.length;
  if (rank !== undefined && (axis >= rank || axis < -rank)) return 'has an axis that its input does not have';
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) {
    return edit('along the last axis', () => node.setAttribute(attr.int('axis', -1)));
  }
  const from = axis < 0 && rank !== undefined ? axis + rank : axis;
  if (shape?.slice(from + 1).every((dim) => dim === 1)) {
    return edit('along one axis', () => node.setAttribute(attr.int('axis', from)));
  }
  return edit('over flattened axes', () => softmaxOfAxis(node, axis, shape));
});

// Defaults and names that changed later.
otherRules.add('RoiAlign', (node, context) => {
  if (!crosses(context, 16) || node.attributes.has('coordinate_transformation_mode')) return undefined;
  return edit('keeps its coordinate mode', () =>
    node.setAttribute(attr.string('coordinate_transformation_mode', 'output_half_pixel')),
  );
});

otherRules.add('GridSample', (node, context) => {
  const mode = node.string('mode', 'bilinear');
  if (!crosses(context, 20) || mode === 'nearest') return undefined;
  const renamed = mode === 'bicubic' ? 'cubic' : 'linear';
  return edit('mode renamed', () => node.setAttribute(attr.string('mode', renamed)));
});

otherRules.add('DFT', (node, context) => {
  if (!crosses(context, 20)) return undefined;
  const axis = node.int('axis', 1);
  return edit('axis becomes an input', () => {
    drop(node, 'axis');
    constantInput(node, 2, 'axis', Tensor.int64('', [], [axis]));
  });
});

otherRules.add('GroupNormalization', (_node, context) => (crosses(context, 21) ? 'had scales per group' : undefined));

otherRules.add('AveragePool', (node, context) => {
  const isDoubtful = node.int('ceil_mode', 0) !== 0 && node.int('count_include_pad', 0) !== 0;
  return crosses(context, 19) && isDoubtful ? 'counts padding in windows that reach out of it' : undefined;
});

const rules = new Map([...inputRules.byOpType, ...resizeRules.byOpType, ...otherRules.byOpType]);
