import { findNodeAtLocation, parseTree } from 'jsonc-parser';

/** The line, from 1, where a key of a JSON text stands, or the value of an array's entry; undefined where there is none. */
export function lineOfKey(text: string, path: readonly (string | number)[]): number | undefined {
  const root = parseTree(text.replace(/^\uFEFF/, ' '));
  const value = root === undefined ? undefined : findNodeAtLocation(root, [...path]);
  if (value === undefined) return undefined;
  const { offset } = value.parent?.type === 'property' ? value.parent : value;
  return text.slice(0, offset).split('\n').length;
}
