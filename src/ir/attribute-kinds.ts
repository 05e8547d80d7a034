import { readFileSync } from 'node:fs';
import { printable } from '../diagnostics/printable.ts';
import type { Node } from './node.ts';

/**
 * Attributes of the operators of the default domain, over all versions, as `name:kind` with alternatives behind `|`.
 * Source: docs/Changelog.md of the ONNX project, operator set versions 1 to 28.
 */
const table = JSON.parse(readFileSync(new URL('./attribute-kinds.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const kinds = new Map(
  Object.entries(table).map(([opType, text]) => [
    opType,
    new Map(text.split(' ').map((entry) => entry.split(':') as [string, string])),
  ]),
);

/** Says which attribute of a standard operator has a type that no version of the operator takes; undefined if all are right. */
export function attributeMistake(node: Node): string | undefined {
  if (node.attributes.size === 0 || !node.is(node.opType)) return undefined;
  const expected = kinds.get(node.opType);
  if (expected === undefined) return undefined;
  for (const { name, kind } of node.attributes.values()) {
    const allowed = expected.get(name);
    if (allowed === undefined || kind === 'opaque' || allowed.split('|').includes(kind)) continue;
    return `its attribute '${printable(name)}' is of type ${kind} and must be ${allowed.replace('|', ' or ')}`;
  }
  return undefined;
}
