import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/ir/graph.ts';
import { Model } from '../../src/ir/model.ts';
import { attr, Node } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { Value } from '../../src/ir/value.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const float = tensorType(1, [1]);

function names(graph: Graph): string[] {
  return Array.from(graph.nodes(), (node) => node.output.name);
}

/** Checks that consumers, slots, producers and list links tell the same story. */
function checkEdges(graph: Graph): void {
  const uses = new Map<Value, number>();
  const nodes = [...graph.nodes()];
  expect(graph.nodeCount).toBe(nodes.length);
  nodes.forEach((node, i) => {
    expect(node.graph).toBe(graph);
    expect(node.previous).toBe(nodes[i - 1]);
    expect(node.next).toBe(nodes[i + 1]);
    for (const output of node.outputs) expect(output.producer).toBe(node);
    for (const input of node.inputs) if (input !== undefined) uses.set(input, (uses.get(input) ?? 0) + 1);
  });
  const values = [...graph.inputs, ...graph.initializers, ...nodes.flatMap((node) => node.outputs)];
  for (const value of values) {
    expect(value.useCount).toBe(uses.get(value) ?? 0);
    expect(new Set(value.consumers)).toEqual(new Set(nodes.filter((node) => node.inputs.includes(value))));
  }
}

describe('node list', () => {
  test('append, insertBefore, insertAfter, moveBefore, reorder, remove', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => graph.create('Relu', [x], { outputNames: [name] }));
    graph.insertBefore(a!, new Node('Relu', [x], ['first']));
    graph.insertAfter(c!, new Node('Relu', [x], ['last']));
    graph.insertAfter(a!, new Node('Relu', [x], ['middle']));
    expect(names(graph)).toEqual(['first', 'a', 'middle', 'b', 'c', 'last']);
    graph.moveBefore(c!, a!);
    expect(names(graph)).toEqual(['first', 'c', 'a', 'middle', 'b', 'last']);
    graph.reorder([...graph.nodes()].reverse());
    expect(names(graph)).toEqual(['last', 'b', 'middle', 'a', 'c', 'first']);
    graph.remove(b!);
    expect(b!.graph).toBeUndefined();
    expect(b!.inputs).toEqual([]);
    expect(names(graph)).toEqual(['last', 'middle', 'a', 'c', 'first']);
    expect(() => graph.remove(b!)).toThrow(/is not in graph/);
    checkEdges(graph);
  });

  test('nodes may be removed and inserted while iterating', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    for (const name of ['a', 'b', 'c', 'd']) graph.create('Relu', [x], { outputNames: [name] });
    const seen: string[] = [];
    for (const node of graph.nodes()) {
      seen.push(node.output.name);
      if (node.output.name === 'b') graph.remove(node);
      if (node.output.name === 'c') graph.insertAfter(node, new Node('Relu', [x], ['e']));
    }
    expect(seen).toEqual(['a', 'b', 'c', 'e', 'd']);
    checkEdges(graph);
  });
});

describe('edges', () => {
  test('a value read in two slots of a node counts twice and is one consumer', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    const add = graph.create('Add', [x, x]);
    expect([x.useCount, x.consumers]).toEqual([2, [add]]);
    add.setInput(0, undefined);
    expect([x.useCount, x.consumers]).toEqual([1, [add]]);
    add.truncateInputs(1);
    expect([x.useCount, x.consumers]).toEqual([0, []]);
  });

  test('setInput past the end leaves the slots between empty', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    const clip = graph.create('Clip', [x]);
    clip.setInput(2, x);
    expect(clip.inputs).toEqual([x, undefined, x]);
    checkEdges(graph);
  });

  test('setOutput and truncateOutputs keep producers right', () => {
    const node = new Node('Split', [], ['a', 'b']);
    const [a, b] = node.outputs;
    const other = new Value('c');
    node.setOutput(0, other);
    expect([a!.producer, other.producer]).toEqual([undefined, node]);
    node.truncateOutputs(1);
    expect([b!.producer, node.outputs]).toEqual([undefined, [other]]);
  });

  test('consumers inside subgraphs are consumers', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    const y = graph.addInput('y', float);
    const branch = new Graph('branch');
    const inner = branch.create('Relu', [x]);
    const owner = graph.create('If', [y], { attributes: [{ name: 'then_branch', kind: 'graph', value: branch }] });
    branch.owner = owner;
    expect(x.consumers).toEqual([inner]);
    expect(branch.parent).toBe(graph);
    x.replaceAllUsesWith(y);
    expect(inner.input(0)).toBe(y);
    expect([...graph.allGraphs()]).toEqual([graph, branch]);
  });

  test('attributes are read by kind', () => {
    const node = new Node('Op', [], ['o'], {
      attributes: [
        attr.int('i', 3),
        attr.ints('is', [1, 2]),
        attr.float('f', 0.5),
        attr.floats('fs', [1.5]),
        attr.string('s', 'text'),
        attr.tensor('t', Tensor.float32('', [1], [7])),
        { name: 'big', kind: 'int', value: 2n ** 60n },
      ],
    });
    expect([node.int('i'), node.ints('is'), node.float('f'), node.string('s')]).toEqual([3, [1, 2], 0.5, 'text']);
    expect(node.attribute('fs', 'floats')?.value).toEqual([1.5]);
    expect(node.tensor('t')?.toNumbers()).toEqual([7]);
    expect([node.int('f'), node.int('none'), node.int('none', 9), node.string('i', 'x')]).toEqual([
      undefined,
      undefined,
      9,
      'x',
    ]);
    expect(node.int('big')).toBe(2 ** 60);
    expect([
      node.is('Op'),
      node.is('Other', 'Op'),
      new Node('Op', [], ['o'], { domain: 'ai.onnx.ml' }).is('Op'),
    ]).toEqual([true, true, false]);
  });
});

describe('replaceValue', () => {
  function chain() {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    const a = graph.create('Relu', [x], { outputNames: ['a'] });
    const b = graph.create('Identity', [a.output], { outputNames: ['b'] });
    graph.outputs.push(b.output);
    b.output.type = float;
    return { graph, x, a, b };
  }

  test('a graph output keeps its name', () => {
    const { graph, a, b } = chain();
    const type = b.output.type;
    expect(graph.replaceValue(b.output, a.output)).toBe(true);
    graph.remove(b);
    expect(graph.outputs).toEqual([a.output]);
    expect([a.output.name, a.output.type]).toEqual(['b', type]);
    checkEdges(graph);
  });

  test('refuses what would merge two public names, and changes nothing', () => {
    const { graph, x, a, b } = chain();
    expect(graph.replaceValue(b.output, x)).toBe(false);
    graph.outputs.push(a.output);
    expect(graph.replaceValue(b.output, a.output)).toBe(false);
    expect(graph.outputs.map((value) => value.name)).toEqual(['b', 'a']);
    expect(b.input(0)).toBe(a.output);
  });

  test('inner values just move their consumers', () => {
    const { graph, x, a, b } = chain();
    expect(graph.replaceValue(a.output, x)).toBe(true);
    expect(b.input(0)).toBe(x);
    expect(a.output.useCount).toBe(0);
  });
});

describe('uniqueName', () => {
  test('avoids inputs, initializers, outputs and names inside subgraphs', () => {
    const graph = new Graph();
    const x = graph.addInput('x', float);
    graph.addInitializer(Tensor.float32('w', [1], [1]));
    const branch = new Graph('branch');
    branch.create('Relu', [x], { outputNames: ['inner'] });
    const node = new Node('If', [x], ['y'], { attributes: [{ name: 'then_branch', kind: 'graph', value: branch }] });
    graph.append(node);
    branch.owner = node;
    expect(['x', 'w', 'y', 'inner', 'fresh'].map((base) => graph.uniqueName(base))).toEqual([
      'x_1',
      'w_1',
      'y_1',
      'inner_1',
      'fresh',
    ]);
    expect([graph.uniqueName('fresh'), branch.uniqueName('fresh')]).toEqual(['fresh_1', 'fresh_2']);
  });

  test('addInitializer renames the tensor where its name is taken', () => {
    const graph = new Graph();
    graph.addInput('x', float);
    const value = graph.addInitializer(Tensor.float32('x', [1], [1]));
    expect([value.name, value.tensor?.name, value.shape]).toEqual(['x_1', 'x_1', [1]]);
    expect(graph.addInitializer(Tensor.float32('', [], [1])).name).toBe('constant');
  });
});

test('a model knows its default operator set under either name', () => {
  expect(Model.create(13, 8).opset).toBe(13);
  expect(new Model(new Graph(), new Map([['ai.onnx', 9]]), 8).opset).toBe(9);
  expect(new Model(new Graph(), new Map(), 3).opset).toBe(0);
});

test('any sequence of edits keeps list and edges consistent', () => {
  const edit = fc.tuple(fc.nat(6), fc.nat(30), fc.nat(30), fc.nat(4));
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      const graph = new Graph();
      const x = graph.addInput('x', float);
      graph.create('Relu', [x]);
      for (const [kind, i, j, slot] of edits) {
        const nodes = [...graph.nodes()];
        const values = [x, ...nodes.flatMap((node) => node.outputs)];
        const node = nodes[i % nodes.length];
        const other = nodes[j % nodes.length];
        const value = values[j % values.length]!;
        if (node === undefined || other === undefined || kind === 0) graph.create('Add', [value, value]);
        else if (kind === 1) graph.create('Relu', [value], { anchor: node });
        else if (kind === 2) node.setInput(slot, slot === 3 ? undefined : value);
        else if (kind === 3) node.output.replaceAllUsesWith(value);
        else if (kind === 4 && node !== other) graph.moveBefore(node, other);
        else if (kind === 5) {
          node.output.replaceAllUsesWith(x);
          graph.remove(node);
        } else node.truncateInputs(slot);
      }
      checkEdges(graph);
    }),
    { numRuns: 300 },
  );
});
