import type { Node } from '../ir/node.ts';

/**
 * A test for nodes named by any of the patterns. A pattern is a node's name, the name of its first output, or either
 * with `*` for any run of characters.
 */
export function nodeMatcher(patterns: readonly string[]): (node: Node) => boolean {
  if (patterns.length === 0) return () => false;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns.filter((pattern) => pattern.includes('*')).map((pattern) => pattern.split('*'));
  const matches = (name: string) => exact.has(name) || wild.some((parts) => matchesParts(name, parts));
  return (node) => matches(node.name) || matches(node.outputs[0]?.name ?? '');
}

/** True where the parts appear in order, the first at the start and the last at the end: linear, no backtracking. */
function matchesParts(name: string, parts: readonly string[]): boolean {
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  if (!name.startsWith(first)) return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return name.length - last.length >= position && name.endsWith(last);
}
