import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { BudgetSource } from '../budget/judge.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { type Config, configSchema } from '../pipeline/compress-options.ts';

export const configFileName = 'edgepack.config.json';

/** Keys that always hold a path; the others do where their value looks like one. */
const pathKeys = ['model', 'output', 'data', 'calibration', 'evaluation', 'labels', 'cacheFolder'] as const;
const nameOrPathKeys = ['recipe', 'target', 'preprocess'] as const;

/**
 * The configuration a command starts from: the named file, else `edgepack.config.json` in the working folder, else
 * nothing. Paths in it are relative to the file. Only what the file says is returned; defaults are not filled in.
 * @throws EdgepackError `config` for a broken file or an unknown key, `file-not-found` for a named file that is not there.
 */
export async function loadConfig(cwd: string, named: string | undefined): Promise<Partial<Config>> {
  const path = named === undefined ? join(cwd, configFileName) : resolve(cwd, named);
  if (named === undefined && !existsSync(path)) return {};
  let given: object = {};
  const remembering = z.preprocess((raw) => {
    if (typeof raw === 'object' && raw !== null) given = raw;
    return raw;
  }, configSchema);
  const checked = await withLine(path, () => readCheckedJson(path, remembering, 'config', 'configuration'));
  const config = Object.fromEntries(
    Object.entries(checked).filter(([key]) => key !== '$schema' && Object.hasOwn(given, key)),
  ) as Partial<Config>;
  const folder = dirname(path);
  if (folder === resolve(cwd)) return config;
  for (const key of pathKeys) {
    if (config[key] !== undefined) config[key] = relocate(config[key], folder);
  }
  for (const key of nameOrPathKeys) {
    const value = config[key];
    if (typeof value === 'string' && /\.json$|[/\\]/i.test(value)) config[key] = relocate(value, folder);
  }
  return config;
}

/**
 * The text of the configuration that {@link loadConfig} reads, so that a message can name a line of it.
 * @returns undefined where there is none; `file` is as a person in the working folder names it.
 */
export function configSource(cwd: string, named: string | undefined): BudgetSource | undefined {
  const file = named ?? configFileName;
  const path = resolve(cwd, file);
  return existsSync(path) ? { file, text: readFileSync(path, 'utf8') } : undefined;
}

/** A mistake in a file is told with its line. */
async function withLine<T>(path: string, action: () => T): Promise<T> {
  try {
    return action();
  } catch (error) {
    const key = error instanceof EdgepackError && error.code === 'config' ? error.location.key : undefined;
    if (key === undefined) throw error;
    const { code, message, hint, location, cause } = error as EdgepackError;
    const parts = key.split(/[.[\]]+/).filter((part) => part !== '');
    // Only now: parsers of JSON with lines take time to load.
    const { lineOfKey } = await import('../budget/locate-key.ts');
    const line = lineOfKey(
      readFileSync(path, 'utf8'),
      parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
    );
    if (line === undefined) throw error;
    const told = message.replace(`${printable(path)}: `, () => `${printable(path)}:${line}: `);
    throw new EdgepackError(code, told, { location, cause, ...(hint === undefined ? {} : { hint }) });
  }
}

function relocate(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
