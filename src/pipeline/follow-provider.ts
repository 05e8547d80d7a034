import { printable } from '../diagnostics/printable.ts';
import type { Model } from '../ir/model.ts';
import type { InsertQdqOptions } from '../passes/quantize/insert-qdq-options.ts';
import type { Recipe, RecipeStep } from '../recipes/recipe-schema.ts';
import type { RunProvider } from '../report/run-provider-schema.ts';
import { type ChosenProvider, unusedProcessors } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import { openDimensions } from './open-dimensions.ts';
import type { Warning } from './run-steps.ts';

/**
 * A recipe as a provider gains from it: where nothing runs in integers, int8 activations would only add work, so weights are
 * stored as int8 and the model computes in floats. The search for zeros goes with them; zeros that are asked for stay.
 */
export function followProvider(recipe: Recipe, { int8 }: ChosenProvider): Recipe {
  if (int8 !== null || !recipe.steps.some(({ pass }) => pass === 'quantize-static')) return recipe;
  return {
    ...recipe,
    steps: recipe.steps.flatMap((step): RecipeStep[] => {
      if (step.pass === 'prune-magnitude' && step.options.sparsity === 'auto') {
        const { sparsity: _, ...options } = step.options;
        return [{ ...step, options }];
      }
      if (step.pass !== 'quantize-static') return [step];
      const { weightRange, nodesToExclude } = step.options;
      const options = {
        ...(weightRange === undefined ? {} : { weightRange }),
        ...(nodesToExclude === undefined ? {} : { nodesToExclude }),
      };
      return [{ pass: 'quantize-weights', options }];
    }),
  };
}

/** How int8 has to look for a provider. Sums that saturate are an affair of the CPU provider's kernels. */
export function insertionFor({ int8, provider }: ChosenProvider, target: Target): Partial<InsertQdqOptions> {
  const saturating = provider.name === 'cpu' && target.arithmetic === 'saturating-u8s8';
  if (int8 === null) return { saturating };
  const { activationType, activationSymmetric, biasType, form, operators, weights } = int8;
  const withWeights = (matches: (form: (typeof weights)['Conv']) => boolean) =>
    Object.entries(weights).flatMap(([opType, form]) => (matches(form) ? [opType] : []));
  return {
    activationType,
    activationSymmetric,
    biasType,
    form,
    operators: [...operators],
    perTensor: withWeights(({ perChannel }) => !perChannel),
    unsignedWeights: withWeights(({ type }) => type === 'uint8'),
    saturating,
  };
}

/** What a user should know of a provider before using the result there. */
export function providerNotices(model: Model, chosen: ChosenProvider, asked: Recipe): Warning[] {
  const { withoutInt8 } = chosen;
  const warnings: Warning[] = [];
  const wantsInt8 = asked.steps.some(({ pass }) => pass === 'quantize-static');
  if (withoutInt8 !== null && wantsInt8) {
    warnings.push({
      code: 'provider-float',
      message: `${withoutInt8}: weights are stored as int8, the model computes in float`,
    });
  }
  return [...warnings, ...shapeNotice(model, chosen)];
}

/** Inputs of open sizes, where the provider takes none. */
export function shapeNotice(model: Model, { provider }: ChosenProvider): Warning[] {
  const open = provider.shapes === 'fixed' ? openDimensions(model) : [];
  if (open.length === 0) return [];
  const [first] = open;
  const names = open.slice(0, 8).map(({ input, dimension }) => `${printable(input, 40)}[${printable(dimension, 40)}]`);
  if (open.length > names.length) names.push(`${open.length - names.length} more`);
  const command =
    first!.name === null
      ? `--input_name ${printable(first!.input, 40)} --input_shape 1,...`
      : `--dim_param ${printable(first!.name, 40)} --dim_value 1`;
  return [
    {
      code: 'open-shapes',
      message: `${provider.displayName} runs models of fixed sizes only, these are open: ${names.join(', ')}; fix them first, as with "python -m onnxruntime.tools.make_dynamic_shape_fixed ${command} model.onnx fixed.onnx"`,
    },
  ];
}

/** An .ort that was asked for, where the provider is not known to load one. */
export function formatNotice({ provider }: ChosenProvider, isOrt: boolean): Warning[] {
  if (!isOrt || provider.formats.includes('ort')) return [];
  const message = `the ${provider.displayName} provider loads .onnx files, and is not known to load an .ort: that one is for the CPU provider; leave out --format, or give --format both`;
  return [{ code: 'provider-format', message }];
}

/** The provider as the report has it. */
export function runProvider(chosen: ChosenProvider, target: Target): RunProvider {
  const { provider, processor, int8, withoutInt8 } = chosen;
  const needs = [provider.needs, processor?.needs ?? null].filter((text) => text !== null);
  return {
    name: provider.name,
    displayName: provider.displayName,
    executionProvider: provider.executionProvider,
    processor: processor?.name ?? null,
    needs: needs.length === 0 ? null : needs.join('; '),
    int8: int8 !== null,
    withoutInt8,
    notRun:
      provider.name === 'cpu'
        ? null
        : `not run here: no ${provider.displayName} in this engine; accuracy is that of exact arithmetic by the CPU provider, and times are the CPU's`,
    unused: unusedProcessors(target, chosen).map((processor) => ({ ...processor })),
  };
}
