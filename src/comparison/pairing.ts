import type { Node } from '../ir/node.ts';

/** Nodes of two graphs that stand for each other, each in one pair at most. */
export class Pairing {
  readonly #partners = new Map<Node, Node>();
  readonly #pairs: (readonly [a: Node, b: Node])[] = [];

  get size(): number {
    return this.#pairs.length;
  }

  /** The partner of a node of either graph. */
  partner(node: Node): Node | undefined {
    return this.#partners.get(node);
  }

  has(node: Node): boolean {
    return this.#partners.has(node);
  }

  /** Pairs two nodes that have no partners. */
  add(a: Node, b: Node): void {
    if (this.has(a) || this.has(b)) throw new Error('a node cannot have two partners');
    this.#partners.set(a, b).set(b, a);
    this.#pairs.push([a, b]);
  }

  /** In the order in which they were found. */
  pairs(): readonly (readonly [a: Node, b: Node])[] {
    return this.#pairs;
  }
}
