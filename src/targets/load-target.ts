import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closestName } from '../diagnostics/closest-name.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { listProviders, listToolchains } from './load-provider.ts';
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
  if (/\.json$|[/\\]/i.test(nameOrPath)) {
    const target = readCheckedJson(nameOrPath, targetSchema, 'target', 'target');
    refuseUnknownNames(target, nameOrPath);
    return target;
  }
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

/** Providers and toolchains are files of edgepack's own: a profile can only name what is there. */
function refuseUnknownNames({ engine, processors }: Target, path: string): void {
  const check = (name: string, known: readonly string[], key: string) => {
    if (known.includes(name)) return;
    const near = closestName(name, known);
    throw new EdgepackError('target', `target ${printable(path)}: ${key}: '${printable(name)}' is unknown`, {
      hint: `${near === undefined ? '' : `Did you mean ${near}? `}Known are ${known.join(', ')}.`,
      location: { file: path, key },
    });
  };
  const providers = listProviders();
  check(engine.executionProvider, providers, 'engine.executionProvider');
  for (const [index, processor] of processors.entries()) {
    for (const name of processor.providers) check(name, providers, `processors.${index}.providers`);
    if (processor.toolchain !== null) check(processor.toolchain, listToolchains(), `processors.${index}.toolchain`);
  }
}
