import { z } from 'zod';
import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import { Model } from '../../ir/model.ts';
import { Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import { bitsPerElement } from '../../tensor/data-type.ts';
import type { Feeds } from '../../tensor/nd-array.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { becomeInitializer } from './become-initializer.ts';
import { Rewriter } from './rewriter.ts';

/** Runs a model that has no inputs and gives its outputs by name. */
export type ConstantEvaluator = (model: Model) => Promise<Feeds>;

export const foldConstantsSchema = z.strictObject({
  /** No intermediate or result may be larger, so that folding cannot exhaust memory. */
  maxBytes: z
    .int()
    .min(0)
    .default(16 * 1024 * 1024)
    .describe('largest constant that folding may compute, in bytes'),
});

export type FoldConstantsOptions = z.input<typeof foldConstantsSchema> & {
  /** Computes the constants: the caller's inference engine. */
  readonly evaluate: ConstantEvaluator;
};

/** Results up to this size may replace smaller constants: they are shapes and scalars. */
const TINY_BYTES = 1024;
/** Nodes whose result size is not known ahead are only run on inputs up to this size. */
const SMALL_INPUT_BYTES = 64 * 1024;

/** Operators whose result differs from run to run. */
const RANDOM = [
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout',
];
/** Operators that hold a quantized model's meaning, not a computation to be done ahead. */
const QUANTIZATION = ['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'];
/** Operators whose result may be far larger than their inputs. */
const GROWING = ['ConstantOfShape', 'Expand', 'Tile', 'Range', 'Pad', 'Resize', 'Upsample', 'OneHot', 'CenterCropPad'];

/**
 * Computes what depends on constants alone. Random operators, quantization, nodes with subgraphs and custom operators are
 * left; a result must not be larger than the constants it makes superfluous, unless it is tiny.
 * @example foldConstants({ evaluate: (model) => runOnce(model) })
 */
export function foldConstants(options: FoldConstantsOptions): Pass {
  const { evaluate, ...rest } = options;
  const { maxBytes } = checkValue(rest, foldConstantsSchema, 'recipe', 'fold-constants');
  return {
    name: 'fold-constants',
    async run(model, context) {
      const rewriter = new Rewriter(model);
      const foldable = findFoldable(rewriter, maxBytes);
      const results = chooseResults(rewriter, foldable);
      if (results.length === 0) return passResult([]);
      let computed: Feeds;
      try {
        computed = await evaluate(constantModel(rewriter, foldable, results));
      } catch (error) {
        context.signal?.throwIfAborted();
        context.logger.warn(`constants are not folded: ${(error as Error).message}`);
        return passResult([]);
      }
      for (const value of results) {
        const array = computed[value.name];
        if (array === undefined || array.data.byteLength > maxBytes) continue;
        const node = value.producer!;
        rewriter.report('fold-constant', node, `${node.opType} ${value.name} [${array.dims.join(', ')}]`);
        const tensor = Tensor.fromArray(value.name, array.dataType, array.dims, array.data);
        becomeInitializer(model.graph, node, node.outputs.indexOf(value), tensor);
      }
      return passResult(rewriter.changes);
    },
  };
}

function findFoldable(rewriter: Rewriter, maxBytes: number): Set<Node> {
  const foldable = new Set<Node>();
  for (const node of rewriter.graph.nodes()) if (isFoldable(rewriter, node, foldable, maxBytes)) foldable.add(node);
  return foldable;
}

function isFoldable(rewriter: Rewriter, node: Node, foldable: ReadonlySet<Node>, maxBytes: number): boolean {
  if (!node.is(node.opType) || node.is('Constant', ...RANDOM, ...QUANTIZATION) || node.subgraphs().length > 0)
    return false;
  let inputBytes = 0;
  for (const value of node.inputs) {
    if (value === undefined) continue;
    const tensor = rewriter.constant(value);
    const isComputed = value.producer !== undefined && foldable.has(value.producer);
    if (tensor === undefined && !isComputed) return false;
    inputBytes += tensor?.byteLength ?? byteSize(rewriter, value) ?? 0;
  }
  for (const value of node.outputs) {
    const bytes = byteSize(rewriter, value);
    if (bytes === undefined ? inputBytes > SMALL_INPUT_BYTES || node.is(...GROWING) : bytes > maxBytes) return false;
  }
  return true;
}

function byteSize(rewriter: Rewriter, value: Value): number | undefined {
  const bits = bitsPerElement(rewriter.elemType(value));
  let count = 1;
  for (const dim of rewriter.shape(value) ?? [undefined]) {
    if (typeof dim !== 'number') return undefined;
    count *= dim;
  }
  return bits === 0 ? undefined : Math.ceil((count * bits) / 8);
}

/** The values to compute: read by nodes that stay. A value too large to keep makes its producer one that stays. */
function chooseResults(rewriter: Rewriter, foldable: Set<Node>): Value[] {
  for (;;) {
    const results: Value[] = [];
    const refused: Node[] = [];
    for (const node of foldable) {
      const read = node.outputs.filter((value) => value.consumers.some((consumer) => !foldable.has(consumer)));
      const keepsNode = node.outputs.some((value) => rewriter.isOutput(value));
      if (read.length === 0 && !keepsNode) continue;
      const bytes = read.reduce((sum, value) => sum + (byteSize(rewriter, value) ?? TINY_BYTES), 0);
      const grows = bytes > TINY_BYTES && bytes > freedBytes(rewriter, node, foldable);
      if (keepsNode || grows) refused.push(node);
      else results.push(...read);
    }
    if (refused.length === 0) return results;
    for (const node of refused) foldable.delete(node);
  }
}

/** Bytes of the constants that only this node and the foldable nodes before it read. */
function freedBytes(rewriter: Rewriter, last: Node, foldable: ReadonlySet<Node>): number {
  const ancestors = new Set<Node>([last]);
  for (const node of ancestors) {
    for (const value of node.inputs) if (value?.producer && foldable.has(value.producer)) ancestors.add(value.producer);
  }
  const constants = new Set<Value>();
  for (const node of ancestors) for (const value of node.inputs) if (value?.tensor !== undefined) constants.add(value);
  let bytes = 0;
  for (const value of constants) {
    if (value.consumers.every((consumer) => ancestors.has(consumer)) && !rewriter.isOutput(value)) {
      bytes += value.tensor!.byteLength;
    }
  }
  return bytes;
}

/** A model of the foldable nodes that the results need, with those as outputs. */
function constantModel(rewriter: Rewriter, foldable: ReadonlySet<Node>, results: readonly Value[]): Model {
  const needed = new Set<Node>(results.map((value) => value.producer!));
  for (const node of needed) {
    for (const value of node.inputs) if (value?.producer && foldable.has(value.producer)) needed.add(value.producer);
  }
  const source = rewriter.model;
  const model = Model.create(source.opset, Math.max(source.irVersion, 4), 'constants');
  const copies = new Map<Value, Value>();
  const copyOf = (value: Value | undefined): Value | undefined => {
    if (value === undefined) return undefined;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const tensor = rewriter.constant(value)!;
    const copy = new Value(value.name, tensorType(tensor.dataType, tensor.dims));
    copy.tensor = tensor.name === value.name ? tensor : tensor.withName(value.name);
    model.graph.initializers.add(copy);
    copies.set(value, copy);
    return copy;
  };
  for (const node of foldable) {
    if (!needed.has(node)) continue;
    const copy = new Node(
      node.opType,
      node.inputs.map(copyOf),
      node.outputs.map((value) => value.name),
      {
        name: node.name,
        domain: node.domain,
        attributes: [...node.attributes.values()],
      },
    );
    for (const [i, value] of node.outputs.entries()) copies.set(value, copy.outputs[i]!);
    model.graph.append(copy);
  }
  for (const value of results) {
    const output = copies.get(value)!;
    const elemType = rewriter.elemType(value);
    if (elemType !== 0) output.type = tensorType(elemType, undefined);
    model.graph.outputs.push(output);
  }
  return model;
}
