import type { Node } from '../ir/node.ts';

/** Nodes of two graphs that stand for each other, each in one pair at most. */
export class Pairing {
  readonly #ofA = new Map<Node, Node>();
  readonly #ofB = new Map<Node, Node>();

  get size(): number {
    return this.#ofA.size;
  }

  /** The partner of a node of either graph. */
  partner(node: Node): Node | undefined {
    return this.#ofA.get(node) ?? this.#ofB.get(node);
  }

  has(node: Node): boolean {
    return this.#ofA.has(node) || this.#ofB.has(node);
  }

  /** Pairs two nodes that have no partners. */
  add(a: Node, b: Node): void {
    if (this.has(a) || this.has(b)) throw new Error('a node cannot have two partners');
    this.#ofA.set(a, b);
    this.#ofB.set(b, a);
  }

  /** In the order in which they were found. */
  pairs(): IterableIterator<[a: Node, b: Node]> {
    return this.#ofA.entries();
  }
}
