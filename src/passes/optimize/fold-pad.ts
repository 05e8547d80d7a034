import { attr, type Node } from '../../ir/node.ts';
import { type Pass, passResult } from '../pass.ts';
import { isNonNegative } from './non-negative.ts';
import { Rewriter } from './rewriter.ts';

/**
 * Folds zero padding of spatial axes into the convolutions and pools that read it. A MaxPool pads with minus infinity,
 * so its data must be known not to be negative; an AveragePool then counts the padding, as it did before.
 */
export function foldPad(): Pass {
  return {
    name: 'fold-pad',
    run(model) {
      const rewriter = new Rewriter(model);
      for (const node of model.graph.nodes()) {
        const pads = node.is('Pad') ? spatialPads(rewriter, node) : undefined;
        const data = node.input(0);
        if (pads === undefined || data === undefined || rewriter.isOutput(node.output)) continue;
        const consumers = node.output.consumers;
        const merged = consumers.map((consumer) => mergedPads(rewriter, node, consumer, pads));
        if (consumers.length === 0 || merged.includes(undefined)) continue;
        consumers.forEach((consumer, i) => {
          consumer.setAttribute(attr.ints('pads', merged[i]!));
          consumer.attributes.delete('auto_pad');
          if (consumer.is('AveragePool')) consumer.setAttribute(attr.int('count_include_pad', 1));
        });
        const into = consumers.map((consumer) => consumer.name || consumer.output.name).join(', ');
        rewriter.bypass(node, data, 'fold-pad', `into ${into}`);
      }
      return passResult(rewriter.changes);
    },
  };
}

/** Begin and end pads of the spatial axes, where the node pads nothing else, and with zeros. */
function spatialPads(rewriter: Rewriter, node: Node): number[] | undefined {
  const rank = rewriter.rank(node.input(0));
  const given = node.ints('pads') ?? rewriter.numbers(node.input(1));
  if (rank === undefined || rank < 3 || given === undefined || node.string('mode', 'constant') !== 'constant')
    return undefined;
  const fill = node.input(2) === undefined ? [node.float('value', 0)] : rewriter.constant(node.input(2))?.toNumbers();
  if (fill?.[0] !== 0) return undefined;
  const axes =
    node.input(3) === undefined ? Array.from({ length: rank }, (_, i) => i) : rewriter.numbers(node.input(3));
  if (axes === undefined || given.length !== 2 * axes.length) return undefined;
  const pads = new Array<number>(2 * (rank - 2)).fill(0);
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + rank : axis;
    const before = given[i]!;
    const after = given[i + axes.length]!;
    if (before < 0 || after < 0 || (at < 2 && (before !== 0 || after !== 0))) return undefined;
    if (at < 2) continue;
    pads[at - 2] = before;
    pads[at - 2 + rank - 2] = after;
  }
  return pads;
}

function mergedPads(rewriter: Rewriter, pad: Node, consumer: Node, pads: readonly number[]): number[] | undefined {
  if (consumer.graph !== rewriter.graph || !consumer.is('Conv', 'MaxPool', 'AveragePool')) return undefined;
  if (consumer.inputs.filter((value) => value === pad.output).length !== 1 || consumer.input(0) !== pad.output)
    return undefined;
  const autoPad = consumer.string('auto_pad', 'NOTSET');
  const own = autoPad === 'VALID' ? [] : (consumer.ints('pads') ?? []);
  if (autoPad.startsWith('SAME') || (own.length !== 0 && own.length !== pads.length)) return undefined;
  const merged = pads.map((value, i) => value + (own[i] ?? 0));
  if (consumer.is('Conv')) return merged;
  // A window must hold data, and with ceil_mode the padding decides which windows there are.
  const kernel = consumer.ints('kernel_shape') ?? [];
  const dilated = (consumer.ints('dilations') ?? []).some((dilation) => dilation !== 1);
  if (consumer.int('ceil_mode', 0) !== 0 || dilated || merged.some((value, i) => value >= kernel[i % kernel.length]!))
    return undefined;
  const isPaddedOtherwise = own.some((value) => value !== 0);
  if (consumer.is('AveragePool') && rewriter.model.opset < 7) return undefined;
  if (consumer.is('AveragePool'))
    return isPaddedOtherwise && consumer.int('count_include_pad', 0) === 0 ? undefined : merged;
  const onlyData = consumer.outputs.length === 1;
  return onlyData && isNonNegative(rewriter, pad.input(0)) ? merged : undefined;
}
