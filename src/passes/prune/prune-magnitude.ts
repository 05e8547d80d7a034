import { z } from 'zod';
import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import { allocateZeros } from '../../pruning/allocate-zeros.ts';
import { lampScores } from '../../pruning/lamp-scores.ts';
import { smallestMask } from '../../pruning/magnitude-order.ts';
import { nOfMMask } from '../../pruning/n-of-m-mask.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { nodeMatcher } from '../match-nodes.ts';
import type { Pass, PassChange } from '../pass.ts';
import { type PrunableWeight, prunableWeights } from './prunable-weights.ts';

export const pruneMagnitudeSchema = z.strictObject({
  sparsity: z
    .number()
    .min(0)
    .max(0.99)
    .optional()
    .describe('share of the weights to set to zero; 0.5 by default, 1 - n/m where n of every m stay'),
  scope: z
    .enum(['global', 'local'])
    .default('global')
    .describe('one threshold for the whole model, or the same share in every layer'),
  maskStructure: z
    .union([z.literal('unstructured'), z.string().regex(/^[1-9]\d?:[1-9]\d?$/, '"unstructured" or n:m as in "2:4"')])
    .default('unstructured')
    .describe('any weight may become zero, or n of every m along the summed axis stay'),
  nodesToExclude: z.array(z.string()).default([]).describe('nodes to leave alone: names, or patterns with *'),
  sparsityByNode: z
    .record(z.string(), z.number().min(0).max(0.99))
    .optional()
    .describe('share of the weights of each node, by its name; nodes that are not listed are left alone'),
});

export type PruneMagnitudeOptions = z.input<typeof pruneMagnitudeSchema>;

/**
 * Sets the smallest weights of Conv, ConvTranspose, Gemm and MatMul (float32 and float16) to zero: exactly the share asked
 * for of all of them, zeros that are there already counted. With the global scope weights of different layers are compared
 * by their layer-adaptive score ({@link lampScores}), so that thin layers keep what they need; no layer is emptied.
 * Weights that several nodes share are pruned once.
 * @throws EdgepackError `recipe` for wrong options.
 * @example pruneMagnitude({ sparsity: 0.5 })
 * @example pruneMagnitude({ maskStructure: '2:4' })
 */
export function pruneMagnitude(options: PruneMagnitudeOptions = {}): Pass {
  const { sparsity, scope, maskStructure, nodesToExclude, sparsityByNode } = checkValue(
    options,
    pruneMagnitudeSchema,
    'recipe',
    'prune-magnitude',
  );
  const pattern = maskStructure === 'unstructured' ? undefined : parsePattern(maskStructure, sparsity);
  const isExcluded = nodeMatcher(nodesToExclude);
  return {
    name: 'prune-magnitude',
    run(model, context) {
      const weights = prunableWeights(model, isExcluded);
      const changes: PassChange[] = [];
      const counts =
        pattern !== undefined
          ? []
          : sparsityByNode !== undefined
            ? weights.map((weight) => shareOf(weight, sparsityByNode[subjectOf(weight)] ?? 0))
            : zeroCounts(weights, sparsity ?? DEFAULT_SPARSITY, scope);
      let zeros = 0;
      let elements = 0;
      let modified = false;
      for (const [index, weight] of weights.entries()) {
        context.signal?.throwIfAborted();
        const values = weight.tensor.toFloat32();
        elements += values.length;
        if (pattern !== undefined && weight.axis.length < pattern.group) {
          zeros += countZeros(values);
          changes.push({
            kind: 'keep-dense',
            subject: subjectOf(weight),
            detail: `sums over ${weight.axis.length}, fewer than a group of ${pattern.group}`,
          });
          continue;
        }
        const mask =
          pattern === undefined
            ? smallestMask(values, counts[index]!)
            : nOfMMask(values, weight.axis, pattern.keep, pattern.group);
        const before = countZeros(values);
        const after = before + setToZero(weight, mask);
        zeros += after;
        if (after === before) continue;
        modified = true;
        changes.push({
          kind: 'prune-magnitude',
          subject: subjectOf(weight),
          detail: `sparsityRatio ${ratio(after, values.length)}, was ${ratio(before, values.length)}, of ${values.length} weights`,
        });
      }
      if (modified) {
        changes.push({
          kind: 'prune-magnitude',
          subject: 'all layers',
          detail: `sparsityRatio ${ratio(zeros, elements)} of ${elements} weights`,
        });
      }
      return { modified, changes };
    },
  };
}

const DEFAULT_SPARSITY = 0.5;

interface Pattern {
  readonly keep: number;
  readonly group: number;
}

function parsePattern(text: string, sparsity: number | undefined): Pattern {
  const [keep, group] = text.split(':').map(Number) as [number, number];
  const refuse = (reason: string, hint: string) =>
    new EdgepackError('recipe', `prune-magnitude: maskStructure: ${reason}`, {
      hint,
      location: { key: 'maskStructure' },
    });
  if (keep >= group) throw refuse(`"${text}" leaves every weight`, 'n must be smaller than m, as in "2:4"');
  const given = 1 - keep / group;
  if (sparsity !== undefined && Math.abs(sparsity - given) > 0.005) {
    throw refuse(`"${text}" is a sparsity of ${given.toFixed(2)}, not ${sparsity}`, 'leave the sparsity out');
  }
  return { keep, group };
}

/** How many weights of each layer are to be zero. */
function zeroCounts(weights: readonly PrunableWeight[], sparsity: number, scope: 'global' | 'local'): number[] {
  if (scope === 'local') return weights.map((weight) => shareOf(weight, sparsity));
  const elements = weights.reduce((sum, { tensor }) => sum + tensor.elementCount, 0);
  const scores = weights.map(({ tensor }) => lampScores(tensor.toFloat32()));
  return allocateZeros(scores, Math.round(sparsity * elements));
}

/** A share of a layer's weights, one of which stays. */
function shareOf({ tensor }: PrunableWeight, sparsity: number): number {
  return Math.min(tensor.elementCount - 1, Math.round(sparsity * tensor.elementCount));
}

function countZeros(values: Float32Array): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

/** Writes the masked weights as zeros; the number of those that were none before. */
function setToZero({ value, tensor }: PrunableWeight, mask: Uint8Array): number {
  const array = tensor.toArray() as Float32Array | Uint16Array;
  // The sign bit of a float16 zero.
  const negativeZero = array instanceof Float32Array ? 0 : 0x8000;
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0 || array[i] === 0 || array[i] === negativeZero) continue;
    array[i] = 0;
    count++;
  }
  if (count > 0) value.tensor = Tensor.fromArray(tensor.name, tensor.dataType, tensor.dims, array);
  return count;
}

function subjectOf({ node }: PrunableWeight): string {
  return node.name || node.output.name;
}

function ratio(part: number, whole: number): string {
  return (whole === 0 ? 0 : part / whole).toFixed(4);
}
