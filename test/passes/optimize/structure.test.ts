import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { Graph } from '../../../src/ir/graph.ts';
import { Model } from '../../../src/ir/model.ts';
import { Node } from '../../../src/ir/node.ts';
import { printModel } from '../../../src/ir/print.ts';
import { tensorType } from '../../../src/ir/types.ts';
import { verify } from '../../../src/ir/verify.ts';
import { optimizePasses } from '../../../src/passes/optimize/optimize-passes.ts';
import { removeDeadNodes } from '../../../src/passes/optimize/remove-dead-nodes.ts';
import { sortNodes } from '../../../src/passes/optimize/sort-nodes.ts';
import { runPasses } from '../../../src/passes/run-passes.ts';
import { DataType } from '../../../src/tensor/data-type.ts';
import { GraphBuilder } from './graph-builder.ts';
import { operatorCounts } from './optimize-model.ts';

const context = { logger: silentLogger };

/** An If whose branches read values of the graph around it. */
function modelWithBranches() {
  const b = new GraphBuilder();
  const x = b.input('x', ['N', 4]);
  const condition = b.input('condition', [], DataType.bool);
  const same = b.op('Identity', [x]);
  const scaled = b.op('Mul', [same, b.weight('w', [4])]);
  const branch = (name: string, opType: string) => {
    const graph = new Graph(name);
    graph.outputs.push(graph.create(opType, [scaled], { outputNames: [`${name}_out`] }).output);
    return graph;
  };
  const [thenGraph, elseGraph] = [branch('then', 'Relu'), branch('else', 'Tanh')];
  const node = b.model.graph.create('If', [condition], {
    name: 'If',
    attributes: [
      { name: 'then_branch', kind: 'graph', value: thenGraph },
      { name: 'else_branch', kind: 'graph', value: elseGraph },
    ],
    outputNames: ['y'],
  });
  thenGraph.owner = node;
  elseGraph.owner = node;
  return { b, scaled, node, thenGraph, elseGraph };
}

describe('graphs with branches', () => {
  it('keep what a branch reads, and let it read the simplified value', async () => {
    const { b, node, scaled } = modelWithBranches();
    b.output(node.output);
    await runPasses(b.model, optimizePasses(), context);
    expect(operatorCounts(b.model)).toEqual({ Mul: 1, If: 1 });
    expect(scaled.producer?.input(0)).toBe(b.model.graph.inputs[0]);
    verify(b.model);
  });

  it('keep a value that a branch passes on as its output', async () => {
    const { b, node, thenGraph, elseGraph, scaled } = modelWithBranches();
    const same = b.model.graph.create('Identity', [scaled], { anchor: node, outputNames: ['passed'] });
    for (const graph of [thenGraph, elseGraph]) {
      for (const inner of graph.nodes()) graph.remove(inner);
      graph.outputs.splice(0, 1, same.output);
    }
    b.output(node.output);
    await runPasses(b.model, optimizePasses(), context);
    expect(operatorCounts(b.model)).toEqual({ Mul: 1, Identity: 1, If: 1 });
    verify(b.model);
  });

  it('lose what only an unread branch reads', async () => {
    const { b } = modelWithBranches();
    b.output(b.op('Exp', [b.model.graph.inputs[0]]));
    await runPasses(b.model, [removeDeadNodes()], context);
    expect(operatorCounts(b.model)).toEqual({ Exp: 1 });
    expect([...b.model.graph.initializers]).toEqual([]);
  });
});

describe('sort-nodes', () => {
  it('moves as few nodes as the order needs, captured values included', async () => {
    const { b, node, scaled } = modelWithBranches();
    b.output(node.output);
    const { graph } = b.model;
    graph.moveBefore(node, [...graph.nodes()][0]!);
    expect(() => verify(b.model)).toThrow();
    const [run] = await runPasses(b.model, [sortNodes()], context);
    expect(run!.modified).toBe(true);
    verify(b.model);
    expect([...graph.nodes()].map((n) => n.opType)).toEqual(['Identity', 'Mul', 'If']);
    expect(scaled.producer?.graph).toBe(graph);
  });

  it('leaves sorted graphs, and cycles, as they are', async () => {
    const model = Model.create(17, 8);
    const { graph } = model;
    const x = graph.addInput('x', tensorType(DataType.float32, [1]));
    const a = graph.create('Add', [x, x]);
    const b = graph.create('Add', [a.output, x]);
    const before = printModel(model);
    expect((await sortNodes().run(model, context)).modified).toBe(false);
    expect(printModel(model)).toBe(before);
    a.setInput(1, b.output);
    graph.moveBefore(b, a);
    expect((await sortNodes().run(model, context)).modified).toBe(false);
  });
});

describe('what the passes do not know', () => {
  it('stays: custom domains, unknown operators, and everything they read', async () => {
    const b = new GraphBuilder();
    b.model.opsetImports.set('org.example', 1);
    const x = b.input('x', ['N', 4]);
    const custom = new Node('Relu', [b.op('Relu', [x])], ['c'], { domain: 'org.example', name: 'custom' });
    b.model.graph.append(custom);
    const again = new Node('Relu', [custom.output], ['d'], { domain: 'org.example', name: 'again' });
    b.model.graph.append(again);
    b.output(b.op('FutureOperator', [again.output]));
    const before = printModel(b.model);
    const runs = await runPasses(b.model, optimizePasses(), context);
    expect(runs.flatMap((run) => run.changes)).toEqual([]);
    expect(printModel(b.model)).toBe(before);
  });

  it('a quantized model keeps its QuantizeLinear and DequantizeLinear pairs', async () => {
    const b = new GraphBuilder();
    const scale = b.float('scale', [], [0.05]);
    const quantize = (x: Parameters<typeof b.op>[1][0]) =>
      b.op('DequantizeLinear', [b.op('QuantizeLinear', [x, scale]), scale]);
    const x = b.input('x', ['N', 3, 4, 4]);
    const w = quantize(b.weight('w', [4, 3, 1, 1]));
    const left = b.op('Conv', [quantize(x), w]);
    const right = b.op('Conv', [quantize(x), w]);
    b.output(quantize(b.op('Add', [left, right])));
    const before = operatorCounts(b.model);
    await runPasses(b.model, optimizePasses(), context);
    expect(operatorCounts(b.model)).toEqual(before);
  });
});
