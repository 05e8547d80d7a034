import { z } from 'zod';
import { pruneMagnitudeSchema } from '../../src/passes/prune/prune-magnitude.ts';
import { insertQdqOptionsSchema } from '../../src/passes/quantize/insert-qdq-options.ts';
import { insertWeightDqOptionsSchema } from '../../src/passes/quantize/insert-weight-dq.ts';
import { listRecipes, loadRecipe } from '../../src/recipes/load-recipe.ts';
import { recipeStepSchema } from '../../src/recipes/recipe-schema.ts';
import { code, table } from './markdown.mjs';
import { schemaTable } from './schema-table.mjs';

/** A table of the built-in recipes with their steps. */
export function recipeTable() {
  const rows = listRecipes().map((name) => {
    const { description, steps } = loadRecipe(name);
    return [code(name), description, steps.map(({ pass }) => `[${code(pass)}](#${pass})`).join(', ')];
  });
  return table(['recipe', 'what', 'steps'], rows);
}

/** Where the pass behind a step keeps the defaults of what the step leaves out. */
const passSchemas = {
  'prune-magnitude': pruneMagnitudeSchema,
  'quantize-static': insertQdqOptionsSchema,
  'quantize-weights': insertWeightDqOptionsSchema,
};

/** A section for every pass that a recipe can name, with its options. */
export function stepSections() {
  return recipeStepSchema.options
    .map(({ shape: { pass, options } }) => {
      const [name] = pass.values;
      const { innerType } = options.def;
      const defaults = Object.fromEntries(
        Object.entries(passSchemas[name]?.shape ?? {}).map(([key, field]) => [key, z.toJSONSchema(field).default]),
      );
      return `### ${name}\n\n${innerType.description}\n\n${schemaTable(innerType, { heading: 'option', defaults })}`;
    })
    .join('\n\n');
}
