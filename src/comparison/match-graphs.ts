import type { Model } from '../ir/model.ts';
import { graphView, type InterfaceLabels, type Interner, isCarrier, type ViewNode } from './graph-view.ts';
import { type Detail, type NodeKeys, nodeKeys } from './node-keys.ts';
import { Pairing } from './pairing.ts';
import { type Link, spread } from './spread-pairs.ts';

/**
 * Finds which node of one model is which of the other. From what is sure to what is likely: the same function of the same inputs;
 * the same way to the same outputs; the same large constants; the same structure; the same names; and whatever neighbours of
 * pairs leave only one choice for. Names come late because exporters number them: one node more and all that follow are called
 * something else. Only what is unique on both sides is paired, and of nodes that nothing tells apart the first with the first.
 * Swapping the models gives the same pairs. Near-linear time in the number of nodes.
 * Source of the keys: B. Weisfeiler and A. Lehman, "The reduction of a graph to canonical form", 1968.
 */
export function matchGraphs(
  models: readonly [Model, Model],
  labels: readonly [InterfaceLabels, InterfaceLabels],
  interner: Interner,
): Pairing {
  const pairing = new Pairing();
  // First what computes, with all that only carries values looked through: int8 models differ from float ones in little else.
  for (const isThrough of [isCarrier, () => false]) {
    const views = models.map((model, i) => graphView(model, labels[i]!, interner, isThrough));
    new GraphMatcher(views[0]!, views[1]!, pairing, interner).run();
  }
  return pairing;
}

type Key = (node: ViewNode) => number | string | undefined;
type Keys = readonly [Key, Key];

/** Constants of this many elements are taken to be of one layer only. */
const TELLING_ELEMENTS = 16;

class GraphMatcher {
  readonly #views: readonly [readonly ViewNode[], readonly ViewNode[]];
  readonly #pairing: Pairing;
  readonly #interner: Interner;
  readonly #keys = new Map<Detail, readonly [NodeKeys, NodeKeys]>();
  /** Nodes without a partner. */
  #open: readonly [readonly ViewNode[], readonly ViewNode[]];

  constructor(a: readonly ViewNode[], b: readonly ViewNode[], pairing: Pairing, interner: Interner) {
    this.#views = [a, b];
    this.#open = this.#views;
    this.#pairing = pairing;
    this.#interner = interner;
  }

  run(): void {
    this.#pairUnique(() => both(this.#keysOf('content')));
    this.#pairNamesakes(() => both(this.#keysOf('content')));
    this.#pairUnique(() => one(this.#keysOf('content'), 'forward'));
    this.#pairNamesakes(() => one(this.#keysOf('content'), 'forward'));
    this.#pairUnique(() => one(this.#keysOf('content'), 'backward'));
    this.#spread(['content']);
    this.#pairUnique(() => [tellingConstants, tellingConstants]);
    this.#spread(['content']);
    this.#pairUnique(() => both(this.#keysOf('shape')));
    this.#spread(['content', 'shape']);
    this.#pairUnique(() => [fullName, fullName]);
    this.#spread(['content', 'shape', 'operator']);
    this.#pairUnique(() => [outputName, outputName]);
    this.#pairUnique(() => [nodeName, nodeName]);
    this.#pairUnique(() => one(this.#keysOf('shape'), 'forward'));
    this.#pairUnique(() => one(this.#keysOf('shape'), 'backward'));
    this.#spread(['content', 'shape', 'operator']);
    this.#pairUnique(() => both(this.#keysOf('operator')));
    this.#pairAlike(() => both(this.#keysOf('content')));
    this.#pairAlike(() => one(this.#keysOf('content'), 'forward'));
    this.#pairAlike(() => both(this.#keysOf('shape')));
    this.#spread(['content', 'shape', 'operator', 'between']);
  }

  #keysOf(detail: Detail): readonly [NodeKeys, NodeKeys] {
    let keys = this.#keys.get(detail);
    if (keys === undefined) {
      const [a, b] = this.#views;
      keys = [nodeKeys(a, detail, this.#interner), nodeKeys(b, detail, this.#interner)];
      this.#keys.set(detail, keys);
    }
    return keys;
  }

  /** Whether both graphs have nodes without a partner: else there is nothing more to find. */
  #hasOpen(): boolean {
    const open = (nodes: readonly ViewNode[]) => nodes.filter(({ node }) => !this.#pairing.has(node));
    this.#open = [open(this.#open[0]), open(this.#open[1])];
    return this.#open[0].length > 0 && this.#open[1].length > 0;
  }

  /** Groups of unpaired nodes with the same key in both graphs. */
  #groups(keys: () => Keys): [ViewNode[], ViewNode[]][] {
    if (!this.#hasOpen()) return [];
    const [keyA, keyB] = keys();
    const groups = new Map<number | string, [ViewNode[], ViewNode[]]>();
    this.#open.forEach((view, side) => {
      for (const node of view) {
        const key = side === 0 ? keyA(node) : keyB(node);
        if (key === undefined) continue;
        let group = groups.get(key);
        if (group === undefined) {
          group = [[], []];
          groups.set(key, group);
        }
        group[side]!.push(node);
      }
    });
    return [...groups.values()].filter(([a, b]) => a.length > 0 && b.length > 0);
  }

  #pairUnique(keys: () => Keys): void {
    for (const [a, b] of this.#groups(keys)) if (a.length === 1 && b.length === 1) this.#pair(a[0]!, b[0]!);
  }

  /** Within groups that the key does not tell apart, nodes that bear the same name. */
  #pairNamesakes(keys: () => Keys): void {
    for (const name of [fullName, outputName, nodeName]) {
      const named =
        (key: Key): Key =>
        (node) => {
          const text = name(node);
          return text === undefined ? undefined : `${key(node)} ${text}`;
        };
      this.#pairUnique(() => {
        const [keyA, keyB] = keys();
        return [named(keyA), named(keyB)];
      });
    }
  }

  /** Groups of equal size in order, each pair with all that follows from it before the next is made. */
  #pairAlike(keys: () => Keys): void {
    const groups = this.#groups(keys).filter(([a, b]) => a.length === b.length);
    const place = ([a, b]: [ViewNode[], ViewNode[]]) => [a[0]!.index + b[0]!.index, Math.min(a[0]!.index, b[0]!.index)];
    groups.sort((left, right) => place(left)[0]! - place(right)[0]! || place(left)[1]! - place(right)[1]!);
    for (const [a, b] of groups) {
      const isFree = ({ node }: ViewNode) => !this.#pairing.has(node);
      for (let i = 0, j = 0; ; ) {
        while (i < a.length && !isFree(a[i]!)) i++;
        while (j < b.length && !isFree(b[j]!)) j++;
        if (i === a.length || j === b.length) break;
        this.#pair(a[i]!, b[j]!);
        this.#spread(['content', 'shape'], [[a[i]!, b[j]!]]);
      }
    }
  }

  #pair(a: ViewNode, b: ViewNode): void {
    this.#pairing.add(a.node, b.node);
  }

  #spread(links: readonly Link[], from?: readonly (readonly [ViewNode, ViewNode])[]): void {
    if (from === undefined && !this.#hasOpen()) return;
    spread(this.#views, this.#pairing, (link) => this.#keysOf(link), links, from);
  }
}

function both(keys: readonly [NodeKeys, NodeKeys]): Keys {
  const key =
    (side: 0 | 1): Key =>
    ({ index }) =>
      `${keys[side].forward[index]} ${keys[side].backward[index]}`;
  return [key(0), key(1)];
}

function one(keys: readonly [NodeKeys, NodeKeys], direction: 'forward' | 'backward'): Keys {
  const key =
    (side: 0 | 1): Key =>
    ({ index }) =>
      keys[side][direction][index];
  return [key(0), key(1)];
}

function tellingConstants({ operator, sources }: ViewNode): string | undefined {
  const large = sources.flatMap((source) =>
    source.kind === 'constant' && source.elementCount >= TELLING_ELEMENTS ? [source.content] : [],
  );
  return large.length === 0 ? undefined : `${operator} ${large}`;
}

function nodeName({ node, operator }: ViewNode): string | undefined {
  return node.name === '' ? undefined : `${operator} ${node.name}`;
}

function outputName({ node, operator }: ViewNode): string | undefined {
  const name = node.outputs[0]?.name ?? '';
  return name === '' ? undefined : `${operator} ${name}`;
}

function fullName({ node, operator }: ViewNode): string | undefined {
  return node.name === '' ? undefined : `${operator} ${node.name}\n${node.outputs[0]?.name}`;
}
