import type { Interner, Source, ViewNode } from './graph-view.ts';

/** How much of a node counts: its constants by content, by shape, or only the operator. */
export type Detail = 'content' | 'shape' | 'operator';

export interface NodeKeys {
  /** The node alone. */
  readonly own: readonly number[];
  /** The node and all that it is computed from. */
  readonly forward: readonly number[];
  /** The node and all that is computed from it. */
  readonly backward: readonly number[];
}

/**
 * Keys of nodes that are equal where nodes are: of one alone, and with all that lies before or behind it. These are the colours that
 * refinement after Weisfeiler and Lehman ends with in a directed acyclic graph, computed in one sweep each way.
 */
export function nodeKeys(view: readonly ViewNode[], detail: Detail, interner: Interner): NodeKeys {
  const own = view.map((node) => interner.id(ownKey(node, detail)));
  const forward: number[] = [];
  for (const node of view) {
    const from = node.sources.map((source) => sourceKey(source, forward, detail));
    forward.push(interner.id(`forward ${detail} ${own[node.index]}(${from})`));
  }
  const backward: number[] = new Array(view.length).fill(0);
  for (let i = view.length - 1; i >= 0; i--) {
    const node = view[i]!;
    const to = node.uses.map(({ by, slot, output }) => `${output}>${backward[by.index]}.${slot}`);
    to.push(...node.graphOutputs.map(({ label, output }) => `${output}>${label}`));
    backward[i] = interner.id(`backward ${detail} ${own[i]}(${to.sort()})`);
  }
  return { own, forward, backward };
}

function ownKey(node: ViewNode, detail: Detail): string {
  if (detail === 'operator') return `operator ${node.operator}`;
  const constants = node.sources.map((source) => {
    if (source.kind !== 'constant') return source.kind === 'none' ? '-' : '';
    return detail === 'content' ? source.content : `[${source.dims}]`;
  });
  return `${detail} ${node.operator} ${node.attributes} ${constants}`;
}

function sourceKey(source: Source, forward: readonly number[], detail: Detail): string {
  if (source.kind === 'node') return `${forward[source.from.index]}.${source.output}`;
  if (source.kind === 'input') return source.label;
  return source.kind === 'constant' && detail !== 'operator' ? 'constant' : '';
}
