import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareModels } from '../../src/comparison/compare-models.ts';
import type { Model } from '../../src/ir/model.ts';
import { Model as ModelClass } from '../../src/ir/model.ts';
import { attr, type Node } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { randomModel, renameAll } from './random-model.ts';

const runs = { numRuns: 60 };
const cases = [fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 3, max: 60 })] as const;

function kinds(a: Model, b: Model) {
  const { nodes, weights } = compareModels(a, b);
  return {
    nodes: nodes.changes.map(({ kind, a: x, b: y }) => `${kind} ${(x ?? y)!.opType}`),
    weights: weights.changes.map(({ kind }) => kind),
  };
}

function nodeAt(model: Model, share: number, matches: (node: Node) => boolean): Node | undefined {
  const found = [...model.graph.nodes()].filter(matches);
  return found[Math.floor(share * found.length)];
}

describe('comparing models', () => {
  it('finds nothing between a model and itself', () => {
    fc.assert(
      fc.property(...cases, (seed, size) => {
        expect(kinds(randomModel(seed, size), randomModel(seed, size))).toEqual({ nodes: [], weights: [] });
      }),
      runs,
    );
  });

  it('finds only new names where everything inside is renamed', () => {
    fc.assert(
      fc.property(...cases, (seed, size) => {
        const other = randomModel(seed, size);
        renameAll(other);
        const found = kinds(randomModel(seed, size), other);
        expect(found.nodes.filter((text) => !text.startsWith('renamed'))).toEqual([]);
        expect(found.nodes).toHaveLength(size);
        expect(found.weights.filter((kind) => kind !== 'renamed')).toEqual([]);
      }),
      runs,
    );
  });

  it('finds one node that was inserted, also where all names are others; and the same removed the other way round', () => {
    fc.assert(
      fc.property(
        ...cases,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.boolean(),
        (seed, size, at, isRenamed) => {
          const [a, b] = [randomModel(seed, size), randomModel(seed, size)];
          const node = nodeAt(b, at, ({ output }) => output.useCount > 0);
          if (node === undefined) return;
          const readers = node.output.consumers;
          const inserted = b.graph.create('Sigmoid', [node.output], {
            name: 'inserted',
            anchor: readers[0]!,
            outputNames: ['new'],
          });
          b.graph.moveBefore(inserted, node);
          b.graph.moveBefore(node, inserted);
          for (const reader of readers) reader.replaceInputValue(node.output, inserted.output);
          if (isRenamed) renameAll(b);
          const without = (list: string[]) => list.filter((text) => !text.startsWith('renamed'));
          expect(without(kinds(a, b).nodes)).toEqual(['added Sigmoid']);
          expect(without(kinds(b, a).nodes)).toEqual(['removed Sigmoid']);
        },
      ),
      runs,
    );
  });

  it('finds one attribute, or one weight, that was changed', () => {
    fc.assert(
      fc.property(...cases, fc.double({ min: 0, max: 0.999, noNaN: true }), (seed, size, at) => {
        const a = randomModel(seed, size);
        const b = randomModel(seed, size);
        const leaky = nodeAt(b, at, (node) => node.is('LeakyRelu'));
        if (leaky !== undefined) {
          leaky.setAttribute(attr.float('alpha', 7));
          expect(kinds(a, b)).toEqual({ nodes: ['changed LeakyRelu'], weights: [] });
          leaky.setAttribute(attr.float('alpha', leakyAlpha(a, leaky.name)));
        }
        const conv = nodeAt(b, at, (node) => node.is('Conv'));
        if (conv === undefined) return;
        const weight = conv.input(1)!;
        const numbers = weight.tensor!.toFloat32();
        numbers[5] = 3;
        weight.tensor = Tensor.float32(weight.name, weight.tensor!.dims, numbers);
        expect(kinds(a, b)).toEqual({ nodes: ['changed Conv'], weights: ['changed'] });
        const [change] = compareModels(a, b).weights.changes;
        expect(change!.distance!.changedRatio).toBeCloseTo(1 / 144, 10);
      }),
      runs,
    );
  });

  it('mirrors when the models are swapped', () => {
    fc.assert(
      fc.property(...cases, fc.integer({ min: 0, max: 1e6 }), (seed, size, other) => {
        const [a, b] = [randomModel(seed, size), randomModel(other, size)];
        const pairs = (x: Model, y: Model) => [...compareModels(x, y).pairing.pairs()];
        const forward = pairs(a, b).map(([x, y]) => `${x.name} ${y.name}`);
        const backward = pairs(b, a).map(([x, y]) => `${y.name} ${x.name}`);
        expect(backward.sort()).toEqual(forward.sort());
      }),
      runs,
    );
  });

  it('sees that inputs were swapped', () => {
    const sub = (isSwapped: boolean) => {
      const model = ModelClass.create(17, 8);
      const inputs = ['x', 'y'].map((name) => model.graph.addInput(name, tensorType(1, [4])));
      const node = model.graph.create('Sub', isSwapped ? [...inputs].reverse() : inputs, {
        name: 'sub',
        outputNames: ['z'],
      });
      node.output.type = tensorType(1, [4]);
      model.graph.outputs.push(node.output);
      return model;
    };
    expect(kinds(sub(false), sub(true)).nodes).toEqual(['changed Sub']);
  });

  it('calls a node replaced that stands between the same neighbours with another operator', () => {
    const b = randomModel(3, 20);
    const relu = nodeAt(b, 0.5, (node) => node.is('Relu') && node.output.useCount > 0)!;
    relu.opType = 'Tanh';
    renameAll(b);
    const found = kinds(randomModel(3, 20), b).nodes.filter((text) => !text.startsWith('renamed'));
    expect(found).toEqual(['replaced Relu']);
  });

  it('compares chains of 60,000 nodes in seconds, renamed, with a change in the middle', () => {
    const chain = (length: number, skip: number) => {
      const model = ModelClass.create(17, 8);
      let value = model.graph.addInput('x', tensorType(1, [4]));
      for (let i = 0; i < length; i++) {
        if (i === skip) continue;
        const node = ['Relu', 'Tanh', 'Sigmoid'][i % 3]!;
        value = model.graph.create(node, [value], { outputNames: [skip < 0 ? `v${i}` : `w${i}`] }).output;
      }
      model.graph.outputs.push(value);
      return model;
    };
    const started = performance.now();
    const { nodes } = compareModels(chain(60_000, -1), chain(60_000, 30_000));
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(nodes.changes.filter(({ kind }) => kind !== 'renamed').map(({ kind }) => kind)).toEqual(['removed']);
  });
});

function leakyAlpha(model: Model, name: string): number {
  return [...model.graph.nodes()].find((node) => node.name === name)!.float('alpha')!;
}
