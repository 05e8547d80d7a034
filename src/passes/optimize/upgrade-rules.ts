import { attr, type Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { numberToFloat16 } from '../../tensor/float16.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { isKnownOperator } from './upgrade-known-operators.ts';
import { softmaxOfAxis, trailingOnes } from './upgrade-rewrites.ts';

/** What a rule may ask about the model, which is still in its old form. */
export interface UpgradeContext {
  readonly from: number;
  readonly to: number;
  /** Sizes, undefined where they are not fixed; undefined where not even the rank is known. */
  shape(value: Value | undefined): readonly (number | undefined)[] | undefined;
  /** Element type number; 0 where it is not known. */
  elemType(value: Value | undefined): number;
  /** The content of a value that no run can change. */
  constant(value: Value | undefined): Tensor | undefined;
  /** True if a node reads the value or a graph gives it out. */
  isUsed(value: Value): boolean;
}

/** An edit that turns one node into its equal of the new version. */
export interface Upgrade {
  readonly summary: string;
  apply(): void;
}

/** The edit, the reason why there is none, or nothing where the node is the same in both versions. */
type Verdict = Upgrade | string | undefined;
type Rule = (node: Node, context: UpgradeContext) => Verdict;

/** What has to happen to a node of the default domain for the new version to mean what the old one did. */
export function upgradeRule(node: Node, context: UpgradeContext): Verdict {
  if (!isKnownOperator(node.opType)) return 'is not known to mean the same in the new version';
  const verdict = rules.get(node.opType)?.(node, context);
  if (verdict !== undefined || !node.attributes.has('consumed_inputs')) return verdict;
  return edit('consumed_inputs is gone', () => drop(node, 'consumed_inputs'));
}

const rules = new Map<string, Rule>();

function rule(opTypes: string, apply: Rule): void {
  for (const opType of opTypes.split(' ')) rules.set(opType, apply);
}

function edit(summary: string, apply: () => void): Upgrade {
  return { summary, apply };
}

function drop(node: Node, ...names: readonly string[]): void {
  for (const name of names) node.attributes.delete(name);
}

/** True if the range of versions crosses the one in which something changed. */
function crosses({ from, to }: UpgradeContext, version: number): boolean {
  return from < version && to >= version;
}

function constantInput(node: Node, index: number, label: string, tensor: Tensor): void {
  const name = `${node.name || node.output.name}_${label}`;
  node.setInput(index, node.graph!.addInitializer(tensor.withName(name)));
}

/** Integers of an attribute as they are, beyond 2^53 too. */
function integers(node: Node, name: string): readonly (number | bigint)[] | undefined {
  return node.attribute(name, 'ints')?.value;
}

function intTensor(values: readonly (number | bigint)[]): Tensor {
  return Tensor.int64('', [values.length], values);
}

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

// Version 7: both inputs are broadcast as in numpy; before, `broadcast` and `axis` said how the second one is.
rule('Add Sub Mul Div Pow And Or Xor Equal Greater Less', (node, context) => {
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

rule('PRelu', (node, context) => {
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

rule('Gemm', (node, context) => {
  if (!crosses(context, 7) || !node.attributes.has('broadcast')) return undefined;
  return edit('broadcasts as numpy does', () => drop(node, 'broadcast'));
});

rule('LSTM GRU RNN', (node, context) => {
  if (!crosses(context, 7) || !node.attributes.has('output_sequence')) return undefined;
  return edit('output_sequence is gone', () => drop(node, 'output_sequence'));
});

// Inference by default since version 7, `spatial` gone in 9, outputs of training another set in 14.
rule('BatchNormalization', (node, context) => {
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

rule('Dropout', (node, context) => {
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

rule('Scan', (_node, context) => (crosses(context, 9) ? 'had a batch axis' : undefined));

rule('MeanVarianceNormalization', (_node, context) => (crosses(context, 9) ? 'was experimental' : undefined));

rule('Tile', (_node, context) => (crosses(context, 6) ? 'tiled one axis' : undefined));

rule('Cast', (node, context) => {
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

// Upsample became Resize in version 10; both scale by x / scale and round down.
rule('Upsample', (node, context) => {
  if (context.from >= 10) return 'does not exist in this version';
  const mode = node.string('mode', 'nearest');
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'bilinear') return `has the mode '${mode}'`;
  const attribute = node.attribute('scales', 'floats')?.value ?? scalesOfImage(node);
  if (attribute === undefined && node.input(1) === undefined) return 'has no scales';
  return edit('becomes Resize', () => {
    const scales = node.input(1);
    drop(node, 'scales', 'height_scale', 'width_scale');
    becomeResize(node, mode === 'nearest' ? 'nearest' : 'linear', 'floor', scales);
    if (attribute !== undefined) constantInput(node, 2, 'scales', Tensor.float32('', [attribute.length], attribute));
  });
});

/** Scales of the experimental form of version 1. */
function scalesOfImage(node: Node): readonly number[] | undefined {
  const [height, width] = [node.float('height_scale'), node.float('width_scale')];
  return height === undefined || width === undefined ? undefined : [1, 1, height, width];
}

function becomeResize(node: Node, mode: string, nearestMode: string, scales: Value | undefined): void {
  node.opType = 'Resize';
  node.setInput(1, undefined);
  node.setInput(2, scales);
  node.setAttribute(attr.string('mode', mode));
  node.setAttribute(attr.string('coordinate_transformation_mode', 'asymmetric'));
  if (mode === 'nearest') node.setAttribute(attr.string('nearest_mode', nearestMode));
}

// Version 10 rounded up where it made smaller and down elsewhere; since 11 an attribute says how to round.
rule('Resize', (node, context) => {
  if (crosses(context, 13) && node.string('coordinate_transformation_mode') === 'tf_half_pixel_for_nn') {
    return 'has a coordinate mode that is gone';
  }
  if (!crosses(context, 11)) return undefined;
  const mode = node.string('mode', 'nearest');
  const scales = context.constant(node.input(1))?.toNumbers();
  let nearestMode = 'floor';
  if (mode === 'nearest') {
    if (scales === undefined) return 'its scales are not constant';
    if (scales.some((scale) => scale < 1)) {
      if (scales.some((scale) => scale > 1)) return 'makes one axis larger and another smaller';
      nearestMode = 'ceil';
    }
  }
  return edit('says how it maps positions', () => becomeResize(node, mode, nearestMode, node.input(1)));
});

// Attributes that became inputs.
rule('Slice', (node, context) => {
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

rule('TopK', (node, context) => {
  if (!crosses(context, 10)) return undefined;
  const k = node.attribute('k', 'int')?.value;
  if (k === undefined) return 'has no k';
  return edit('k becomes an input', () => {
    drop(node, 'k');
    constantInput(node, 1, 'k', intTensor([k]));
  });
});

rule('Clip', (node, context) => {
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

rule('Pad', (node, context) => {
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

rule('Squeeze Unsqueeze ReduceSum', (node, context) => (crosses(context, 13) ? toInput(node, 'axes', 1) : undefined));

rule(
  'ReduceMax ReduceMin ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare',
  (node, context) => (crosses(context, 18) ? toInput(node, 'axes', 1) : undefined),
);

rule('Split', (node, context) => {
  const moved = crosses(context, 13) ? toInput(node, 'split', 1) : undefined;
  if (moved !== undefined || !crosses(context, 18) || node.input(1) !== undefined) return moved;
  return edit('says its number of outputs', () => node.setAttribute(attr.int('num_outputs', node.outputs.length)));
});

rule('Scatter', (node, context) => {
  if (!crosses(context, 11)) return undefined;
  return edit('becomes ScatterElements', () => {
    node.opType = 'ScatterElements';
  });
});

// Before version 13 all axes from `axis` on were taken as one.
rule('Softmax LogSoftmax Hardmax', (node, context) => {
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
rule('RoiAlign', (node, context) => {
  if (!crosses(context, 16) || node.attributes.has('coordinate_transformation_mode')) return undefined;
  return edit('keeps its coordinate mode', () =>
    node.setAttribute(attr.string('coordinate_transformation_mode', 'output_half_pixel')),
  );
});

rule('GridSample', (node, context) => {
  const mode = node.string('mode', 'bilinear');
  if (!crosses(context, 20) || mode === 'nearest') return undefined;
  const renamed = mode === 'bicubic' ? 'cubic' : 'linear';
  return edit('mode renamed', () => node.setAttribute(attr.string('mode', renamed)));
});

rule('DFT', (node, context) => {
  if (!crosses(context, 20)) return undefined;
  const axis = node.int('axis', 1);
  return edit('axis becomes an input', () => {
    drop(node, 'axis');
    constantInput(node, 2, 'axis', Tensor.int64('', [], [axis]));
  });
});

rule('GroupNormalization', (_node, context) => (crosses(context, 21) ? 'had scales per group' : undefined));

rule('AveragePool', (node, context) => {
  const isDoubtful = node.int('ceil_mode', 0) !== 0 && node.int('count_include_pad', 0) !== 0;
  return crosses(context, 19) && isDoubtful ? 'counts padding in windows that reach out of it' : undefined;
});
