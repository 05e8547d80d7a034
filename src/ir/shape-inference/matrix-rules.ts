import { DataType } from '../../tensor/data-type.ts';
import { broadcastShapes } from './broadcast.ts';
import type { SymbolicDim, SymbolicShape } from './dim-expression.ts';
import type { InferenceContext, ShapeRule } from './inference-context.ts';

/** Shape of a (batched) matrix product as NumPy's matmul gives it; undefined where the operands do not fit. */
export function matMulShape(a: SymbolicShape | undefined, b: SymbolicShape | undefined): SymbolicShape | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const left = a.length === 1 ? [1, a[0]!] : a;
  const right = b.length === 1 ? [b[0]!, 1] : b;
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)]);
  if (batch === undefined) return undefined;
  return [...batch, ...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
}

function matMul(b: number, elemType: (context: InferenceContext) => number): ShapeRule {
  return (context) => context.set(0, elemType(context), matMulShape(context.shape(0), context.shape(b)));
}

const gemm: ShapeRule = (context) => {
  const a = context.shape(0);
  const b = context.shape(1);
  const rows = a === undefined ? undefined : a[context.node.int('transA', 0) === 0 ? 0 : 1];
  const columns = b === undefined ? undefined : b[context.node.int('transB', 0) === 0 ? 1 : 0];
  context.set(0, context.elemType(0), [context.orUnknown(rows), context.orUnknown(columns)]);
};

/** Einsum over plain subscripts and the ellipsis. */
const einsum: ShapeRule = (context) => {
  const elemType = context.elemType(0);
  const equation = context.node.string('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->');
  const terms = (left ?? '').split(',');
  const sizes = new Map<string, SymbolicDim>();
  const counts = new Map<string, number>();
  let ellipsis: SymbolicShape = [];
  for (const [i, term] of terms.entries()) {
    const shape = context.shape(i);
    if (shape === undefined) return context.set(0, elemType, undefined);
    const [before, after] = term.includes('...') ? term.split('...') : [term, undefined];
    const front = [...(before ?? '')];
    const back = [...(after ?? '')];
    if (after === undefined ? front.length !== shape.length : front.length + back.length > shape.length) return;
    if (after !== undefined) {
      const merged = broadcastShapes([ellipsis, shape.slice(front.length, shape.length - back.length)]);
      if (merged === undefined) return;
      ellipsis = merged;
    }
    for (const [axis, letter] of front.entries()) setSize(sizes, letter, shape[axis]!);
    for (const [axis, letter] of back.entries()) setSize(sizes, letter, shape[shape.length - back.length + axis]!);
    for (const letter of [...front, ...back]) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  const implicit = [...counts]
    .filter(([, count]) => count === 1)
    .map(([letter]) => letter)
    .sort()
    .join('');
  const output = right ?? (terms.some((term) => term.includes('...')) ? `...${implicit}` : implicit);
  const [before, after] = output.includes('...') ? output.split('...') : [output, undefined];
  const dims = (letters: string) => [...letters].map((letter) => context.orUnknown(sizes.get(letter)));
  context.set(
    0,
    elemType,
    after === undefined ? dims(before ?? '') : [...dims(before ?? ''), ...ellipsis, ...dims(after)],
  );
};

function setSize(sizes: Map<string, SymbolicDim>, letter: string, dim: SymbolicDim): void {
  const known = sizes.get(letter);
  if (known === undefined || known === 1) sizes.set(letter, dim);
}

const det: ShapeRule = (context) => context.set(0, context.elemType(0), context.shape(0)?.slice(0, -2));

/** Attention (operator set 23): 4-D operands, or 3-D ones with the heads side by side. */
const attention: ShapeRule = (context) => {
  const query = context.shape(0);
  const key = context.shape(1);
  const value = context.shape(2);
  const elemType = context.elemType(0);
  if (query === undefined || value === undefined || key === undefined) return context.set(0, elemType, undefined);
  const pastLength = context.shape(4)?.[2];
  if (query.length === 4) {
    context.set(0, elemType, [...query.slice(0, 3), value[3]!]);
  } else if (query.length === 3) {
    const heads = context.node.int('q_num_heads', 0);
    const kvHeads = context.node.int('kv_num_heads', 0);
    const width = value[2];
    const size = typeof width === 'number' && kvHeads > 0 ? (width / kvHeads) * heads : undefined;
    context.set(0, elemType, [query[0]!, query[1]!, context.orUnknown(size)]);
  }
  for (const [output, source] of [
    [1, key],
    [2, value],
  ] as const) {
    if (context.outputCount <= output) continue;
    const kvHeads = context.node.int('kv_num_heads', 0);
    const width = source[2];
    const heads =
      source.length === 4
        ? source
        : [
            source[0]!,
            kvHeads,
            source[1]!,
            typeof width === 'number' && kvHeads > 0 ? width / kvHeads : context.unknownDim(),
          ];
    const length = heads[2];
    const total =
      pastLength === undefined
        ? length
        : typeof length === 'number' && typeof pastLength === 'number'
          ? length + pastLength
          : undefined;
    context.set(output, context.elemType(output), [heads[0]!, heads[1]!, context.orUnknown(total), heads[3]!]);
  }
};

/** LSTM, GRU, RNN: all steps, the last state, and for LSTM the last cell. */
const recurrent: ShapeRule = (context) => {
  const input = context.shape(0);
  const elemType = context.elemType(0);
  const directions = context.node.string('direction', 'forward') === 'bidirectional' ? 2 : 1;
  const recurrence = context.shape(2)?.[2];
  const hidden = context.orUnknown(context.node.int('hidden_size') ?? recurrence);
  const batchFirst = context.node.int('layout', 0) !== 0;
  const sequence = context.orUnknown(input?.[batchFirst ? 1 : 0]);
  const batch = context.orUnknown(input?.[batchFirst ? 0 : 1]);
  const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const steps = batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden];
  context.set(0, elemType, steps);
  for (let i = 1; i < context.outputCount; i++) context.set(i, elemType, state);
};

const layerNormalization: ShapeRule = (context) => {
  const shape = context.shape(0);
  context.set(0, context.elemType(0), shape);
  const axis = context.node.int('axis', -1);
  const at = shape === undefined ? 0 : axis < 0 ? axis + shape.length : axis;
  const statistics = shape?.map((dim, i) => (i < at ? dim : 1));
  for (let i = 1; i < context.outputCount; i++)
    context.set(i, context.node.int('stash_type', DataType.float32), statistics);
};

export const matrixRules: Readonly<Record<string, ShapeRule>> = {
  MatMul: matMul(1, (context) => context.elemType(0) || context.elemType(1)),
  MatMulInteger: matMul(1, () => DataType.int32),
  QLinearMatMul: matMul(3, (context) => context.elemType(7)),
  Gemm: gemm,
  Einsum: einsum,
  Det: det,
  Attention: attention,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  LayerNormalization: layerNormalization,
};
