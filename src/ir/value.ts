import type { Tensor } from '../tensor/tensor.ts';
import type { Node } from './node.ts';
import type { Shape, ValueType } from './types.ts';

/** A named edge of the graph: a graph input, an initializer, or a node's output. */
export class Value {
  name: string;
  type: ValueType | undefined;
  /** The constant content of an initializer. */
  tensor: Tensor | undefined;
  /** The node whose output this is; undefined for graph inputs and initializers. */
  producer: Node | undefined;
  /** Consuming nodes (of this graph or of graphs inside it) with the number of input slots that take this value. */
  readonly #consumers = new Map<Node, number>();

  constructor(name: string, type?: ValueType) {
    this.name = name;
    this.type = type;
  }

  /** Element type number, or undefined where it is not known to be a tensor. */
  get elemType(): number | undefined {
    return this.type?.kind === 'tensor' ? this.type.elemType : this.tensor?.dataType;
  }

  get shape(): Shape | undefined {
    return this.type?.kind === 'tensor' ? (this.type.shape ?? this.tensor?.dims) : this.tensor?.dims;
  }

  /** The nodes that read this value, each once, in the order they were connected. */
  get consumers(): Node[] {
    return [...this.#consumers.keys()];
  }

  /** Number of input slots that read this value. */
  get useCount(): number {
    let count = 0;
    for (const slots of this.#consumers.values()) count += slots;
    return count;
  }

  /** Lets every consumer read `other` instead. Graph outputs are not touched. */
  replaceAllUsesWith(other: Value): void {
    for (const node of this.consumers) node.replaceInputValue(this, other);
  }

  /** @internal Called by Node when a slot is connected. */
  connect(node: Node): void {
    this.#consumers.set(node, (this.#consumers.get(node) ?? 0) + 1);
  }

  /** @internal Called by Node when a slot is disconnected. */
  disconnect(node: Node): void {
    const slots = (this.#consumers.get(node) ?? 0) - 1;
    if (slots > 0) this.#consumers.set(node, slots);
    else this.#consumers.delete(node);
  }
}
