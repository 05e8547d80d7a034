import { describe, expect, test } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { Graph } from '../../src/ir/graph.ts';
import { Model } from '../../src/ir/model.ts';
import { Node } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { Value } from '../../src/ir/value.ts';
import { verify } from '../../src/ir/verify.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const float = tensorType(1, [1]);

function chain() {
  const model = Model.create(13, 8);
  const { graph } = model;
  const x = graph.addInput('x', float);
  const a = graph.create('Relu', [x], { outputNames: ['a'], name: 'first' });
  const b = graph.create('Relu', [a.output], { outputNames: ['b'], name: 'second' });
  graph.outputs.push(b.output);
  return { model, graph, x, a, b };
}

function refusal(model: Model): { message: string; node: string | undefined } {
  try {
    verify(model);
  } catch (error) {
    expect(error).toBeInstanceOf(EdgepackError);
    const { code, message, location, hint } = error as EdgepackError;
    expect(code).toBe('model-invalid');
    expect(hint).toBeTruthy();
    expect(message).not.toContain('\n');
    return { message, node: location.node };
  }
  throw new Error('was accepted');
}

test('a sound model passes', () => {
  expect(() => verify(chain().model)).not.toThrow();
});

describe('broken structure is refused by name', () => {
  test('a cycle', () => {
    const { model, a, b } = chain();
    a.setInput(0, b.output);
    expect(refusal(model)).toEqual({
      message: "is part of a cycle: it reads 'b' of node 'second', which needs this node's output",
      node: 'first',
    });
  });

  test('a node that reads its own output', () => {
    const { model, b } = chain();
    b.setInput(0, b.output);
    expect(refusal(model)).toEqual({ message: "reads its own output 'b'", node: 'second' });
  });

  test('nodes out of order', () => {
    const { model, graph, a, b } = chain();
    graph.moveBefore(b, a);
    expect(refusal(model)).toEqual({
      message: "reads 'a' before the node 'first' makes it: the nodes are not in topological order",
      node: 'second',
    });
  });

  test('a value that nothing defines', () => {
    const { model, b } = chain();
    b.setInput(0, new Value('ghost'));
    expect(refusal(model)).toEqual({ message: "reads 'ghost', which nothing defines", node: 'second' });
  });

  test('a value of a removed node', () => {
    const { model, graph, a } = chain();
    graph.remove(a);
    expect(refusal(model)).toEqual({ message: "reads 'a', whose node has been removed", node: 'second' });
  });

  test('a name defined twice', () => {
    const { model, graph, x } = chain();
    graph.append(new Node('Relu', [x], ['a'], { name: 'third' }));
    expect(refusal(model)).toEqual({ message: "the name 'a' is defined twice", node: 'third' });
  });

  test('an undefined graph output', () => {
    const { model, graph } = chain();
    graph.outputs.push(new Value('nowhere'));
    expect(refusal(model).message).toBe("the graph output 'nowhere' is not defined");
  });

  test('a node without an operator or without outputs', () => {
    const { model, graph, x, b } = chain();
    b.opType = '';
    expect(refusal(model)).toEqual({ message: 'a node has no operator', node: 'second' });
    b.opType = 'Relu';
    graph.append(new Node('Relu', [x], [], { name: 'silent' }));
    expect(refusal(model)).toEqual({ message: 'the node has no output', node: 'silent' });
  });

  test('an initializer without content', () => {
    const { model, graph } = chain();
    graph.initializers.add(new Value('hollow'));
    expect(refusal(model).message).toBe("the initializer 'hollow' has no content");
  });

  test('an output that two nodes claim', () => {
    const { model, graph, a } = chain();
    graph.append(new Node('Relu', [], [a.output], { name: 'thief' }));
    expect(refusal(model).node).toBe('first');
  });
});

describe('subgraphs', () => {
  function withBranch() {
    const parts = chain();
    const branch = new Graph('branch');
    const inner = branch.create('Relu', [parts.a.output], { outputNames: ['inner'], name: 'inside' });
    branch.outputs.push(inner.output);
    const choose = parts.graph.create('If', [parts.b.output], {
      outputNames: ['c'],
      name: 'choose',
      attributes: [{ name: 'then_branch', kind: 'graph', value: branch }],
    });
    branch.owner = choose;
    return { ...parts, branch, inner, choose };
  }

  test('see the values of the graphs around them', () => {
    expect(() => verify(withBranch().model)).not.toThrow();
  });

  test('do not see what comes after their node', () => {
    const { model, graph, inner, x } = withBranch();
    const late = graph.create('Relu', [x], { outputNames: ['late'], name: 'afterwards' });
    inner.setInput(0, late.output);
    expect(refusal(model)).toMatchObject({ node: 'inside', message: expect.stringContaining("reads 'late' before") });
  });

  test('keep their values to themselves', () => {
    const { model, graph, inner } = withBranch();
    graph.create('Relu', [inner.output], { name: 'outside' });
    expect(refusal(model).node).toBe('outside');
  });

  test('many subgraphs in a long graph take linear time', () => {
    const { model, graph, b } = chain();
    let value = b.output;
    for (let i = 0; i < 20_000; i++) {
      const branch = new Graph('branch');
      branch.outputs.push(branch.create('Relu', [value], { outputNames: ['inner'] }).output);
      const node = new Node('If', [value], [`c${i}`], {
        attributes: [{ name: 'then_branch', kind: 'graph', value: branch }],
      });
      branch.owner = node;
      value = graph.append(node).output;
    }
    const started = performance.now();
    verify(model);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test('names are shortened and escaped in messages', () => {
  const { model, b } = chain();
  b.name = `\u202e${'n'.repeat(5_000_000)}\n`;
  b.setInput(0, new Value(`\u0007${'v'.repeat(5_000_000)}`));
  const { message, node } = refusal(model);
  expect(message.length).toBeLessThan(300);
  expect(node!.length).toBeLessThan(200);
  expect(message).toContain('\\u0007');
  expect(node).toContain('\\u202e');
});

test('an initializer that is listed as an input passes', () => {
  const { model, graph } = chain();
  const w = graph.addInitializer(Tensor.float32('w', [1], [1]));
  graph.inputs.push(w);
  expect(() => verify(model)).not.toThrow();
});
