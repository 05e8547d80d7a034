import { z } from 'zod';
import type { PlacementOptions } from './placement.ts';

export const insertQdqOptionsSchema = z.strictObject({
  calibrationMethod: z
    .enum(['min-max', 'percentile', 'entropy', 'mse'])
    .default('min-max')
    .describe('How the range of each activation is chosen.'),
  weightRange: z.enum(['max', 'mse']).default('mse').describe('How the step of each weight channel is chosen.'),
  biasCorrection: z.boolean().default(true).describe('Move the mean error of rounded weights into the bias.'),
  activationType: z.enum(['uint8', 'int8']).default('uint8').describe('Type of quantized activations.'),
  activationSymmetric: z.boolean().default(false).describe('Fix the zero point of activations at the centre.'),
  saturating: z
    .boolean()
    .default(false)
    .describe('Round weights so that kernels which add products in saturating 16 bits cannot overflow.'),
  biasType: z.enum(['int32', 'float32']).default('int32').describe('Biases in integers, or as they are.'),
  perTensor: z.array(z.string()).default([]).describe('Operators whose weights have one scale for the whole tensor.'),
  unsignedWeights: z
    .array(z.string())
    .default([])
    .describe('Operators whose weights are uint8 around 128: the same numbers, for engines that take no others.'),
  form: z.enum(['kernels', 'units', 'inputs']).default('kernels').describe('Around which operators the pairs stand.'),
  operators: z.array(z.string()).optional().describe('Operators to put into integers; by default all that can be.'),
  quantizeAttention: z.boolean().default(false).describe('Also multiply pairs of activations in integers.'),
  weightStepFactors: z
    .record(z.string(), z.number().min(1).max(127))
    .default({})
    .describe(
      'By node name: how many times wider than needed the weight steps of a node are, so that they code smaller.',
    ),
  nodesToExclude: z.array(z.string()).default([]).describe('Names or patterns of nodes to leave in float.'),
});
export type InsertQdqOptions = z.input<typeof insertQdqOptionsSchema>;
export type ResolvedInsertQdqOptions = z.output<typeof insertQdqOptionsSchema>;

/** Where the options of `insertQdq` put integers. */
export function placementOptions(options: InsertQdqOptions): PlacementOptions {
  const { nodesToExclude = [], quantizeAttention = false, activationSymmetric = false, form, operators } = options;
  return {
    nodesToExclude,
    quantizeAttention,
    absorbActivations: !activationSymmetric && form !== 'inputs',
    ...(form === undefined ? {} : { form }),
    ...(operators === undefined ? {} : { operators }),
  };
}
