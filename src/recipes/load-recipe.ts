import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closestName } from '../diagnostics/closest-name.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { type Recipe, recipeSchema } from './recipe-schema.ts';

const folder = new URL('./', import.meta.url);

/** Names of the built-in recipes, in alphabetical order. */
export function listRecipes(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/**
 * A built-in recipe, or the user's own from a file (a name that ends in `.json` or holds a slash).
 * @throws EdgepackError `recipe` where the name is unknown or the file breaks the schema, `file-not-found` without one.
 */
export function loadRecipe(nameOrPath: string): Recipe {
  if (/\.json$|[/\\]/i.test(nameOrPath)) return readCheckedJson(nameOrPath, recipeSchema, 'recipe', 'recipe');
  const names = listRecipes();
  if (!names.includes(nameOrPath)) {
    const near = closestName(nameOrPath, names);
    throw new EdgepackError('recipe', `recipe '${printable(nameOrPath)}' is unknown`, {
      hint:
        near === undefined
          ? `Known recipes: ${names.join(', ')}; a path to a JSON file names your own.`
          : `Did you mean ${near}? Known recipes: ${names.join(', ')}.`,
    });
  }
  return readCheckedJson(fileURLToPath(new URL(`${nameOrPath}.json`, folder)), recipeSchema, 'recipe', 'recipe');
}
