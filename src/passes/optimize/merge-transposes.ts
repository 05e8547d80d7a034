import { attr, type Node } from '../../ir/node.ts';
import { DataType, isFloat } from '../../tensor/data-type.ts';
import { type Pass, passResult } from '../pass.ts';
import { Rewriter } from './rewriter.ts';

/** Makes one Transpose of two in a row, and one Cast of two where the first keeps every value. */
export function mergeTransposes(): Pass {
  return {
    name: 'merge-transposes',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        if (node.is('Transpose')) mergeTranspose(rewriter, node);
        else if (node.is('Cast')) mergeCast(rewriter, node);
      }
      return passResult(rewriter.changes);
    },
  };
}

function mergeTranspose(rewriter: Rewriter, node: Node): void {
  const first = node.input(0)?.producer;
  const source = first?.input(0);
  if (first === undefined || source === undefined || first.graph !== rewriter.graph || !first.is('Transpose')) return;
  const firstPerm = permutation(rewriter, first);
  const perm = permutation(rewriter, node)?.map((axis) => firstPerm?.[axis]);
  if (perm === undefined || perm.includes(undefined)) return;
  if (perm.every((axis, i) => axis === i)) {
    if (rewriter.bypass(node, source, 'merge-transposes')) return;
  }
  // With other readers the first one stays, and nothing is gained.
  if (rewriter.soleConsumer(first.output) === undefined) return;
  node.setInput(0, source);
  node.setAttribute(attr.ints('perm', perm as number[]));
  rewriter.report('merge-transposes', node);
}

function permutation(rewriter: Rewriter, node: Node): readonly number[] | undefined {
  const given = node.ints('perm');
  if (given !== undefined) return given;
  const rank = rewriter.rank(node.input(0));
  return rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

function mergeCast(rewriter: Rewriter, node: Node): void {
  const first = node.input(0)?.producer;
  const source = first?.input(0);
  if (first === undefined || source === undefined || first.graph !== rewriter.graph || !first.is('Cast')) return;
  if (!keepsValues(rewriter.elemType(source), first.int('to', 0))) return;
  node.setInput(0, source);
  rewriter.report('merge-casts', node);
}

const integerBits = new Map<number, [bits: number, signed: boolean]>([
  [DataType.bool, [1, false]],
  [DataType.uint8, [8, false]],
  [DataType.int8, [8, true]],
  [DataType.uint16, [16, false]],
  [DataType.int16, [16, true]],
  [DataType.uint32, [32, false]],
  [DataType.int32, [32, true]],
  [DataType.uint64, [64, false]],
  [DataType.int64, [64, true]],
]);
const floatBits = new Map<number, number>([
  [DataType.float16, 11],
  [DataType.float32, 24],
  [DataType.float64, 53],
]);

/** True if every value of the first type is one of the second. */
function keepsValues(from: number, to: number): boolean {
  const source = integerBits.get(from);
  const target = integerBits.get(to);
  if (source !== undefined && target !== undefined) {
    const [bits, signed] = source;
    return target[1] ? target[0] > bits || (signed && target[0] === bits) : !signed && target[0] >= bits;
  }
  if (source !== undefined) return isFloat(to) && (floatBits.get(to) ?? 0) > source[0] && to !== DataType.float16;
  return (floatBits.get(from) ?? Number.POSITIVE_INFINITY) <= (floatBits.get(to) ?? 0);
}
