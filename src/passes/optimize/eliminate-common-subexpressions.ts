import { createHash } from 'node:crypto';
import type { Node } from '../../ir/node.ts';
import type { Attribute } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Pass, passResult } from '../pass.ts';
import { Rewriter } from './rewriter.ts';

/** Equal calls of these are not equal results, or (quantization) are there once per reader on purpose. */
const KEPT = [
  'Bernoulli',
  'DequantizeLinear',
  'Dropout',
  'Multinomial',
  'QuantizeLinear',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
];

/** Lets one node stand for all nodes of the main graph with the same standard operator, attributes and inputs. */
export function eliminateCommonSubexpressions(): Pass {
  return {
    name: 'eliminate-common-subexpressions',
    run(model) {
      const rewriter = new Rewriter(model);
      const numbers = new Map<Value, number>();
      const first = new Map<string, Node>();
      for (const node of model.graph.nodes()) {
        const key = expressionOf(node, numbers);
        if (key === undefined) continue;
        const kept = first.get(key);
        if (kept === undefined) first.set(key, node);
        else merge(rewriter, node, kept);
      }
      return passResult(rewriter.changes);
    },
  };
}

function merge(rewriter: Rewriter, node: Node, kept: Node): void {
  const used = node.outputs.filter((value) => value.useCount > 0 || rewriter.isOutput(value));
  // A public name has a value of its own.
  if (used.some((value) => rewriter.isOutput(value))) return;
  const subject = `same as ${kept.name || kept.output.name}`;
  for (const value of used) value.replaceAllUsesWith(kept.outputs[node.outputs.indexOf(value)]!);
  rewriter.report('merge-common-subexpression', node, subject);
  rewriter.graph.remove(node);
}

function expressionOf(node: Node, numbers: Map<Value, number>): string | undefined {
  if (!node.is(node.opType) || node.is(...KEPT) || node.subgraphs().length > 0 || node.inputs.length === 0)
    return undefined;
  const attributes: string[] = [];
  for (const attribute of node.attributes.values()) {
    const text = attributeText(attribute);
    if (text === undefined) return undefined;
    attributes.push(`${attribute.name}:${attribute.kind}=${text}`);
  }
  const inputs = node.inputs.map((value) => {
    if (value === undefined) return '-';
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    return known;
  });
  const outputs = node.outputs.map((value) => (value.name === '' ? '-' : '+')).join('');
  return JSON.stringify([node.opType, inputs, outputs, attributes.sort()]);
}

function attributeText(attribute: Attribute): string | undefined {
  switch (attribute.kind) {
    case 'float':
      return Object.is(attribute.value, -0) ? '-0' : String(attribute.value);
    case 'int':
      return String(attribute.value);
    case 'string':
      return Buffer.from(attribute.value).toString('base64');
    case 'floats':
    case 'ints':
      return attribute.value.join();
    case 'strings':
      return attribute.value.map((text) => Buffer.from(text).toString('base64')).join();
    case 'tensor':
      return tensorText(attribute.value);
    default:
      return undefined;
  }
}

function tensorText(tensor: Tensor): string | undefined {
  if (tensor.data.strings !== undefined) return undefined;
  return `${tensor.dataType}[${tensor.dims}]${createHash('sha256').update(tensor.bytes()).digest('base64')}`;
}
