import { isCarrier, type ViewNode } from './graph-view.ts';
import type { NodeKeys } from './node-keys.ts';
import type { Pairing } from './pairing.ts';

/**
 * What neighbours of a pair must share to be paired themselves: operator, attributes and constants; the same but for what the
 * constants hold; the operator; or nothing but that both their inputs and their readers are pairs.
 */
export type Link = 'content' | 'shape' | 'operator' | 'between';

/** Keys of the nodes of both graphs. */
export type KeysByLink = (link: 'content' | 'shape') => readonly [NodeKeys, NodeKeys];

type ViewPair = readonly [ViewNode, ViewNode];
type Views = readonly [readonly ViewNode[], readonly ViewNode[]];

/**
 * Pairs neighbours of pairs where there is one choice only, round by round, the closest kind of link first. A round proposes for
 * all pairs at once, so that neither graph nor order of nodes is preferred.
 */
export function spread(
  views: Views,
  pairing: Pairing,
  keys: KeysByLink,
  links: readonly Link[],
  from: readonly ViewPair[] = pairsOf(views, pairing),
): void {
  // Pairs whose neighbours are all paired never have others again.
  let started = [...from];
  let level = 0;
  let frontier: readonly ViewPair[] = from;
  while (level < links.length) {
    const added = round(frontier, pairing, keys, links[level]!);
    started.push(...added);
    if (added.length > 0 && level > 0) {
      // What looser links have found may be followed by closer ones.
      frontier = added;
      level = 0;
    } else if (added.length > 0) frontier = added;
    else {
      level++;
      started = started.filter((pair) => hasOpenNeighbours(pair, pairing));
      frontier = started;
    }
  }
}

function pairsOf([a, b]: Views, pairing: Pairing): ViewPair[] {
  const byNode = new Map(b.map((node) => [node.node, node]));
  return a.flatMap((node) => {
    const partner = pairing.partner(node.node);
    const other = partner === undefined ? undefined : byNode.get(partner);
    return other === undefined ? [] : [[node, other] as const];
  });
}

function hasOpenNeighbours([a, b]: ViewPair, pairing: Pairing): boolean {
  return neighbours(a).some((node) => !pairing.has(node.node)) && neighbours(b).some((node) => !pairing.has(node.node));
}

function neighbours({ sources, uses }: ViewNode): ViewNode[] {
  return [...sources.flatMap((source) => (source.kind === 'node' ? [source.from] : [])), ...uses.map(({ by }) => by)];
}

function round(frontier: readonly ViewPair[], pairing: Pairing, keys: KeysByLink, link: Link): ViewPair[] {
  const proposals = new Map<ViewNode, Map<ViewNode, number>>();
  const sides = new Map<ViewNode, Map<ViewNode, Set<'up' | 'down'>>>();
  const propose = (a: ViewNode, b: ViewNode, side: 'up' | 'down') => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const votes = proposals.get(from) ?? new Map<ViewNode, number>();
      votes.set(to, (votes.get(to) ?? 0) + 1);
      proposals.set(from, votes);
    }
    const seen = sides.get(a) ?? new Map<ViewNode, Set<'up' | 'down'>>();
    seen.set(b, (seen.get(b) ?? new Set()).add(side));
    sides.set(a, seen);
  };
  const keyOf = (node: ViewNode, side: 0 | 1) =>
    link === 'between'
      ? String(isCarrier(node.node))
      : link === 'operator'
        ? node.operator
        : String(keys(link)[side].own[node.index]);
  for (const [a, b] of frontier) {
    for (let slot = 0; slot < Math.min(a.sources.length, b.sources.length); slot++) {
      const [from, to] = [a.sources[slot]!, b.sources[slot]!];
      if (from.kind !== 'node' || to.kind !== 'node' || from.output !== to.output) continue;
      if (pairing.has(from.from.node) || pairing.has(to.from.node)) continue;
      if (keyOf(from.from, 0) === keyOf(to.from, 1)) propose(from.from, to.from, 'up');
    }
    const readers = [a, b].map((node, side) => openReaders(node, side as 0 | 1, pairing, keyOf));
    for (const [key, [first, ...rest]] of readers[0]!) {
      const others = readers[1]!.get(key);
      if (rest.length === 0 && others?.length === 1) propose(first!, others[0]!, 'down');
    }
  }
  const added: ViewPair[] = [];
  for (const [a, seen] of sides) {
    const b = winner(proposals.get(a)!);
    if (b === undefined || winner(proposals.get(b)!) !== a || !seen.has(b)) continue;
    if (link === 'between' && !isBetween(a, b, seen.get(b)!)) continue;
    added.push([a, b]);
  }
  for (const [a, b] of added) pairing.add(a.node, b.node);
  return added;
}

/** Whether pairs, or inputs and outputs of the models, lie on both sides of two nodes. */
function isBetween(a: ViewNode, b: ViewNode, sides: ReadonlySet<'up' | 'down'>): boolean {
  const feeds = ({ sources }: ViewNode) =>
    sources.map((source) => (source.kind === 'input' ? source.label : source.kind)).join();
  const gives = ({ uses, graphOutputs }: ViewNode) => `${uses.length} ${graphOutputs.map(({ label }) => label)}`;
  const isFirst = feeds(a) === feeds(b) && !feeds(a).includes('node');
  const isLast = a.uses.length === 0 && a.graphOutputs.length > 0 && gives(a) === gives(b);
  return (sides.has('down') || isFirst) && (sides.has('up') || isLast);
}

/** Who read a node's outputs and have no partner, by output, slot and key. */
function openReaders(
  node: ViewNode,
  side: 0 | 1,
  pairing: Pairing,
  keyOf: (node: ViewNode, side: 0 | 1) => string,
): Map<string, ViewNode[]> {
  const readers = new Map<string, ViewNode[]>();
  for (const { by, slot, output } of node.uses) {
    if (pairing.has(by.node)) continue;
    const key = `${output} ${slot} ${keyOf(by, side)}`;
    const group = readers.get(key);
    if (group === undefined) readers.set(key, [by]);
    else group.push(by);
  }
  return readers;
}

/** The candidate with more votes than any other. */
function winner(votes: ReadonlyMap<ViewNode, number>): ViewNode | undefined {
  let best: ViewNode | undefined;
  let most = 0;
  let isShared = false;
  for (const [node, count] of votes) {
    if (count > most) [best, most, isShared] = [node, count, false];
    else if (count === most) isShared = true;
  }
  return isShared ? undefined : best;
}
