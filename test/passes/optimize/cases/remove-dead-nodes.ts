import { removeDeadNodes } from '../../../../src/passes/optimize/remove-dead-nodes.ts';
import { GraphBuilder } from '../graph-builder.ts';

export const pass = removeDeadNodes;

export const cases = {
  'what-nothing-reads': () => {
    const b = new GraphBuilder();
    const x = b.input('x', ['N', 4]);
    b.op('Exp', [b.op('Add', [x, b.weight('unread', [4])])]);
    return b.output(b.op('Tanh', [x]));
  },
  'one-of-two-outputs-is-enough': () => {
    const b = new GraphBuilder();
    const [values] = b.ops('TopK', [b.input('x', ['N', 4]), b.ints('k', [2])], { outputs: ['values', 'indices'] });
    return b.output(values!);
  },
};
