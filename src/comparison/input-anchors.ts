import type { Node } from '../ir/node.ts';
import type { Value } from '../ir/value.ts';
import type { InterfaceLabels } from './graph-view.ts';
import type { Pairing } from './pairing.ts';

/** Unpaired nodes that are looked through on the way to what both models have. */
const MAX_STEPS = 256;

/** Whether a value of one model stands where a value of the other does, nodes in between that only one of them has not counted. */
export class InputAnchors {
  readonly #pairing: Pairing;
  readonly #labels: readonly [InterfaceLabels, InterfaceLabels];

  constructor(pairing: Pairing, labels: readonly [InterfaceLabels, InterfaceLabels]) {
    this.#pairing = pairing;
    this.#labels = labels;
  }

  correspond(a: Value | undefined, b: Value | undefined): boolean {
    if (a === undefined || b === undefined) return a === b;
    const [first, second] = [this.#anchors(a, 0), this.#anchors(b, 1)];
    if (first.size === 0 || second.size === 0)
      return first.size === second.size || !this.#isDirect(a) || !this.#isDirect(b);
    for (const anchor of first) if (second.has(anchor)) return true;
    return false;
  }

  #isDirect(value: Value): boolean {
    return value.producer === undefined || this.#pairing.has(value.producer);
  }

  /** What both models have and the value is computed from: outputs of paired nodes as those of model a, and inputs. */
  #anchors(start: Value, side: 0 | 1): Set<string | Node> {
    const anchors = new Set<string | Node>();
    const seen = new Set<Value>([start]);
    const pending = [start];
    for (let value = pending.pop(); value !== undefined && seen.size < MAX_STEPS; value = pending.pop()) {
      const { producer } = value;
      if (producer === undefined) {
        if (value.tensor !== undefined) anchors.add('constant');
        else anchors.add(this.#labels[side].inputs.get(value) ?? value.name);
      } else if (producer.is('Constant')) anchors.add('constant');
      else if (this.#pairing.has(producer)) {
        const output = producer.outputs.indexOf(value);
        const node = side === 0 ? producer : this.#pairing.partner(producer)!;
        anchors.add(output === 0 ? node : `${output} of ${node.outputs[0]?.name}`);
      } else {
        for (const input of producer.inputs) {
          if (input === undefined || seen.has(input)) continue;
          seen.add(input);
          pending.push(input);
        }
      }
    }
    // Constants tell values apart only where there is nothing else.
    if (anchors.size > 1) anchors.delete('constant');
    return anchors;
  }
}
