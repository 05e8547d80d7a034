import { readdirSync } from 'node:fs';
import type { HostileCase } from './hostile-case.ts';

export interface NamedCase extends HostileCase {
  readonly name: string;
}

/** Every case that a file of `cases/` exports, by file and name. */
export async function findCases(): Promise<NamedCase[]> {
  const found: NamedCase[] = [];
  for (const file of readdirSync(new URL('./cases/', import.meta.url)).sort()) {
    const kind = file.slice(0, -'.ts'.length);
    const module = (await import(`./cases/${kind}.ts`)) as Record<string, HostileCase>;
    for (const [name, hostile] of Object.entries(module)) found.push({ ...hostile, name: `${kind}/${name}` });
  }
  return found;
}
