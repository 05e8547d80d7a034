import { Model } from '../../src/ir/model.ts';
import { attr, type Node } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import type { Value } from '../../src/ir/value.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

/** A random acyclic graph of common operators with random weights; the same seed gives the same model. */
export function randomModel(seed: number, nodeCount: number): Model {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const model = Model.create(17, 8);
  const { graph } = model;
  const values: Value[] = ['x', 'y'].map((name) => graph.addInput(name, tensorType(1, [1, 4, 8, 8])));
  for (let i = 0; i < nodeCount; i++) {
    const recent = () => pick(values.slice(-6));
    const init = { name: `node_${i}`, outputNames: [`value_${i}`] };
    let node: Node;
    switch (pick(['Conv', 'Relu', 'Add', 'Clip', 'LeakyRelu', 'Mul'])) {
      case 'Conv': {
        const weight = graph.addInitializer(
          Tensor.float32(
            `weight_${i}`,
            [4, 4, 3, 3],
            Array.from({ length: 144 }, () => random() - 0.5),
          ),
        );
        node = graph.create('Conv', [recent(), weight], { ...init, attributes: [attr.ints('pads', [1, 1, 1, 1])] });
        break;
      }
      case 'Add':
        node = graph.create('Add', [recent(), recent()], init);
        break;
      case 'Mul':
        node = graph.create('Mul', [recent(), recent()], init);
        break;
      case 'LeakyRelu':
        node = graph.create('LeakyRelu', [recent()], {
          ...init,
          attributes: [attr.float('alpha', Math.fround(random()))],
        });
        break;
      default:
        node = graph.create('Relu', [recent()], init);
    }
    values.push(node.output);
  }
  // Everything leads to an output.
  for (const value of values) if (value.producer !== undefined && value.useCount === 0) graph.outputs.push(value);
  for (const output of graph.outputs) output.type = tensorType(1, undefined);
  return model;
}

/** Gives every node and every inner value another name. */
export function renameAll(model: Model): void {
  let count = 0;
  const { graph } = model;
  for (const node of graph.nodes()) {
    node.name = `renamed ${count++}`;
    for (const output of node.outputs) if (!graph.isOutput(output)) output.name = `other ${count++}`;
  }
  for (const value of graph.initializers) value.name = `constant ${count++}`;
}
