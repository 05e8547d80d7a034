import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closestName } from '../diagnostics/closest-name.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { type Target, targetSchema } from './target-schema.ts';

const folder = new URL('./', import.meta.url);

/** Names of the built-in device profiles, in alphabetical order. */
export function listTargets(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/**
 * The profile of a built-in device, or the user's own from a file (a name that ends in `.json` or holds a slash).
 * @throws EdgepackError `target` where the name is unknown or the file breaks the schema, `file-not-found` without one.
 */
export function loadTarget(nameOrPath: string): Target {
  if (/\.json$|[/\\]/i.test(nameOrPath)) return readCheckedJson(nameOrPath, targetSchema, 'target', 'target');
  const names = listTargets();
  if (!names.includes(nameOrPath)) {
    const begun = names.filter((name) => name.startsWith(nameOrPath)).join(', ');
    const near = begun === '' ? closestName(nameOrPath, names) : begun;
    throw new EdgepackError('target', `target '${printable(nameOrPath)}' is unknown`, {
      hint:
        near === undefined
          ? `Known targets: ${names.join(', ')}; a path to a JSON file names your own.`
          : `Did you mean ${near}? "edgepack targets" lists all.`,
    });
  }
  return readCheckedJson(fileURLToPath(new URL(`${nameOrPath}.json`, folder)), targetSchema, 'target', 'target');
}
