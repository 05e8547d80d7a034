import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { targetSchema } from '../../src/targets/target-schema.ts';
import { code, table } from './markdown.mjs';
import { contentTable } from './schema-table.mjs';

/** A table of the built-in devices. */
export function targetTable() {
  const rows = listTargets().map((name) => {
    const { displayName, architecture, cpu, arithmetic, threads, unchecked } = loadTarget(name);
    const core = cpu.core === null ? 'any' : `${cpu.cores} x ${cpu.core}`;
    return [code(name), displayName, architecture, core, arithmetic, threads, unchecked.length];
  });
  return table(['name', 'device', 'architecture', 'cores', 'arithmetic', 'threads', 'values not yet confirmed'], rows);
}

/** A table of every key of a profile, the nested ones by their path. */
export function profileKeys() {
  return contentTable(targetSchema, { io: 'input', heading: 'key' });
}
