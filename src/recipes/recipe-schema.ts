import { z } from 'zod';

const exclusions = z
  .array(z.string().min(1).max(4096))
  .max(10_000)
  .describe('Nodes to leave alone: names, or patterns where * stands for any characters.');

const optimizeOptions = z
  .strictObject({
    nodesToExclude: exclusions.optional(),
  })
  .describe('Folds constants and batch norms and removes what does nothing; the outputs stay the same.');

const pruneMagnitudeOptions = z
  .strictObject({
    sparsity: z
      .union([z.number().min(0).max(0.99), z.literal('auto')])
      .optional()
      .describe(
        'Share of the weights to set to zero, in [0, 0.99]; "auto" searches the share that the accuracy limit allows, if zeros pay.',
      ),
    scope: z
      .enum(['global', 'local'])
      .optional()
      .describe('One threshold for the whole model, or the same share in every layer.'),
    maskStructure: z
      .union([z.literal('unstructured'), z.string().regex(/^[1-9]\d?:[1-9]\d?$/, '"unstructured" or n:m as in "2:4"')])
      .optional()
      .describe('Any weight may become zero, or n out of every m stay.'),
    nodesToExclude: exclusions.optional(),
  })
  .describe('Sets the smallest weights to zero.');

const quantizeStaticOptions = z
  .strictObject({
    calibrationMethod: z
      .enum(['min-max', 'percentile', 'entropy', 'mse'])
      .optional()
      .describe('How activation ranges are chosen from the calibration data.'),
    weightRange: z
      .enum(['max', 'mse'])
      .optional()
      .describe('Weight steps from the largest weight of a channel, or from the smallest squared error.'),
    weightSteps: z
      .enum(['full', 'auto'])
      .optional()
      .describe(
        'Weight steps that use all of int8, or as wide as the accuracy limit allows: fewer levels code to fewer bytes.',
      ),
    quantizeAttention: z.boolean().optional().describe('Also multiply pairs of activations in integers.'),
    biasCorrection: z.boolean().optional().describe('Adds the mean output error of a quantized layer to its bias.'),
    keepHarmfulInFloat: z
      .boolean()
      .optional()
      .describe('Leaves layers in float that are measured to lose too much, by name and reason.'),
    nodesToExclude: exclusions.optional(),
  })
  .describe('int8 weights and activations, as QuantizeLinear and DequantizeLinear pairs; needs calibration data.');

const quantizeWeightsOptions = z
  .strictObject({
    weightRange: quantizeStaticOptions.shape.weightRange,
    nodesToExclude: exclusions.optional(),
  })
  .describe('int8 weights that become real when the model is loaded, float execution; needs no data.');

function step<Name extends string, Options extends z.ZodType>(pass: Name, options: Options) {
  return z.strictObject({ pass: z.literal(pass), options: options.prefault({} as never) });
}

/** One pass and its options; an option left out has the default of the pass. */
export const recipeStepSchema = z.discriminatedUnion('pass', [
  step('optimize', optimizeOptions),
  step('prune-magnitude', pruneMagnitudeOptions),
  step('quantize-static', quantizeStaticOptions),
  step('quantize-weights', quantizeWeightsOptions),
]);

/** What is done to a model, in order. Data only; a new recipe is a new JSON file and no code. */
export const recipeSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where the JSON Schema of this file is; not read.'),
    schemaVersion: z.literal(1).describe('Version of this format.'),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/, 'small letters, digits, ".", "+" and "-" only')
      .describe('What the user types after --recipe.'),
    description: z.string().min(1).max(300).describe('What it does, in one line.'),
    steps: z.array(recipeStepSchema).min(1).max(32).describe('The passes, in order.'),
  })
  .describe('An edgepack recipe.');

/** A checked recipe. */
export type Recipe = z.output<typeof recipeSchema>;
export type RecipeStep = z.output<typeof recipeStepSchema>;
/** Options of the pass of that name, as a recipe may give them. */
export type StepOptions<Pass extends RecipeStep['pass']> = Extract<RecipeStep, { pass: Pass }>['options'];
