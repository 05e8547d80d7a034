import type { Model } from '../ir/model.ts';
import { graphView, type InterfaceLabels, type Interner, isCarrier, type ViewNode } from './graph-view.ts';
import { type NodeKeys, nodeKeys } from './node-keys.ts';
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
  #contents!: readonly [NodeKeys, NodeKeys];
  #shapes!: readonly [NodeKeys, NodeKeys];

  constructor(a: readonly ViewNode[], b: readonly ViewNode[], pairing: Pairing, interner: Interner) {
    this.#views = [a, b];
    this.#pairing = pairing;
    this.#interner = interner;
  }

  run(): void {
    const keysOf = (detail: 'content' | 'shape' | 'operator') =>
      this.#views.map((view) => nodeKeys(view, detail, this.#interner)) as unknown as readonly [NodeKeys, NodeKeys];
    const contents = keysOf('content');
    const shapes = keysOf('shape');
    const operators = keysOf('operator');
    this.#contents = contents;
    this.#shapes = shapes;
    this.#pairUnique(both(contents));
    this.#pairNamesakes(both(contents));
    this.#pairUnique(one(contents, 'forward'));
    this.#pairNamesakes(one(contents, 'forward'));
    this.#pairUnique(one(contents, 'backward'));
    this.#spread(['content']);
    this.#pairUnique([tellingConstants, tellingConstants]);
    this.#spread(['content']);
    this.#pairUnique(both(shapes));
    this.#spread(['content', 'shape']);
    this.#pairUnique([fullName, fullName]);
    this.#spread(['content', 'shape', 'operator']);
    this.#pairUnique([outputName, outputName]);
    this.#pairUnique([nodeName, nodeName]);
    this.#pairUnique(one(shapes, 'forward'));
    this.#pairUnique(one(shapes, 'backward'));
    this.#spread(['content', 'shape', 'operator']);
    this.#pairUnique(both(operators));
    this.#pairAlike(both(contents));
    this.#pairAlike(one(contents, 'forward'));
    this.#pairAlike(both(shapes));
    this.#spread(['content', 'shape', 'operator', 'between']);
  }

  /** Groups of unpaired nodes with the same key in both graphs. */
  #groups([keyA, keyB]: Keys): [ViewNode[], ViewNode[]][] {
    const groups = new Map<number | string, [ViewNode[], ViewNode[]]>();
    this.#views.forEach((view, side) => {
      for (const node of view) {
        if (this.#pairing.has(node.node)) continue;
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

  #pairUnique(keys: Keys): void {
    for (const [a, b] of this.#groups(keys)) if (a.length === 1 && b.length === 1) this.#pair(a[0]!, b[0]!);
  }

  /** Within groups that the key does not tell apart, nodes that bear the same name. */
  #pairNamesakes([keyA, keyB]: Keys): void {
    for (const name of [fullName, outputName, nodeName]) {
      const named =
        (key: Key): Key =>
        (node) => {
          const text = name(node);
          return text === undefined ? undefined : `${key(node)} ${text}`;
        };
      this.#pairUnique([named(keyA), named(keyB)]);
    }
  }

  /** Groups of equal size in order, each pair with all that follows from it before the next is made. */
  #pairAlike(keys: Keys): void {
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
    spread(this.#views, this.#pairing, { content: this.#contents, shape: this.#shapes }, links, from);
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
