import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { type Provider, providerSchema, type Toolchain, toolchainSchema } from './provider-schema.ts';

const providers = new URL('./providers/', import.meta.url);
const toolchains = new URL('./toolchains/', import.meta.url);

/** Names of the execution providers that edgepack knows, in alphabetical order. */
export function listProviders(): readonly string[] {
  return namesIn(providers);
}

/** What an execution provider runs; undefined where edgepack does not know the name. */
export function loadProvider(name: string): Provider | undefined {
  const path = fileURLToPath(new URL(`${name}.json`, providers));
  return isKnown(name, path) ? readCheckedJson(path, providerSchema, 'target', 'provider') : undefined;
}

/** Names of the vendor toolchains that edgepack knows of, in alphabetical order. */
export function listToolchains(): readonly string[] {
  return namesIn(toolchains);
}

/** What a vendor toolchain takes and makes; undefined where edgepack does not know the name. */
export function loadToolchain(name: string): Toolchain | undefined {
  const path = fileURLToPath(new URL(`${name}.json`, toolchains));
  return isKnown(name, path) ? readCheckedJson(path, toolchainSchema, 'target', 'toolchain') : undefined;
}

function namesIn(folder: URL): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** A name that cannot lead out of the folder, of a file that is there. */
function isKnown(name: string, path: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(name) && existsSync(path);
}
