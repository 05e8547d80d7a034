import { createHash } from 'node:crypto';
import { printable } from '../diagnostics/printable.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import { elementArrayOf } from '../tensor/nd-array.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import type { Attribute, ValueType } from './types.ts';
import type { Value } from './value.ts';

/** Tensors of at most this many elements are printed by value. */
const MAX_PRINTED_ELEMENTS = 8;
const utf8 = new TextDecoder();

/**
 * A model as text, the same for the same model on any host: a line per input, output, initializer and node.
 *
 *     model ir 8, ai.onnx 13
 *     graph main
 *       input x: float32[N, 3, 8, 8]
 *       initializer w: float32[4, 3, 1, 1] sha256:1f825aa2
 *       node y: float32[N, 4, 8, 8] = Conv(x, w) kernel_shape=[1, 1]
 *       output y: float32[N, 4, 8, 8]
 *
 * Large contents appear as the first 8 digits of the SHA-256 of their `raw_data` form; inputs left out as `-`.
 */
export function printModel(model: Model): string {
  const opsets = Array.from(model.opsetImports, ([domain, version]) => `${printable(domain) || 'ai.onnx'} ${version}`);
  const lines = [`model ${[`ir ${model.irVersion}`, ...opsets.sort()].join(', ')}`];
  for (const fn of model.functions) lines.push(`function ${printable(`${fn.domain}.${fn.name}`)}`);
  printGraph(model.graph, 'graph', '', lines);
  return `${lines.join('\n')}\n`;
}

function printGraph(graph: Graph, label: string, indent: string, lines: string[]): void {
  lines.push(`${indent}${label} ${printable(graph.name)}`.trimEnd());
  const inner = `${indent}  `;
  for (const value of graph.inputs) lines.push(`${inner}input ${printValue(value)}`);
  for (const value of graph.initializers) {
    lines.push(`${inner}initializer ${printable(value.name)}: ${printTensor(value.tensor!)}`);
  }
  for (const node of graph.nodes()) printNode(node, inner, lines);
  for (const value of graph.outputs) lines.push(`${inner}output ${printValue(value)}`);
}

function printNode(node: Node, indent: string, lines: string[]): void {
  const operator = `${node.domain === '' ? '' : `${printable(node.domain)}.`}${printable(node.opType)}`;
  const inputs = node.inputs.map((value) => (value === undefined ? '-' : printable(value.name))).join(', ');
  const outputs = node.outputs.map((value) => (value.name === '' ? '-' : printValue(value))).join(', ');
  const attributes = [...node.attributes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const plain = attributes.filter(({ kind }) => kind !== 'graph' && kind !== 'graphs');
  const texts = plain.map((attribute) => ` ${printable(attribute.name)}=${printAttribute(attribute)}`);
  lines.push(`${indent}node ${outputs} = ${operator}(${inputs})${texts.join('')}`);
  for (const attribute of attributes) {
    const graphs = attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
    for (const graph of graphs) printGraph(graph, `${printable(attribute.name)}=graph`, `${indent}  `, lines);
  }
}

function printValue(value: Value): string {
  return value.type === undefined ? printable(value.name) : `${printable(value.name)}: ${printType(value.type)}`;
}

function printType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
    case 'sparse-tensor': {
      const dims = type.shape?.map((dim) => (typeof dim === 'string' ? printable(dim) : (dim ?? '?'))).join(', ');
      return `${type.kind === 'tensor' ? '' : 'sparse '}${dataTypeName(type.elemType)}${dims === undefined ? '' : `[${dims}]`}`;
    }
    case 'sequence':
    case 'optional':
      return `${type.kind}(${type.elementType === undefined ? '?' : printType(type.elementType)})`;
    case 'map':
      return `map(${dataTypeName(type.keyType)}, ${type.valueType === undefined ? '?' : printType(type.valueType)})`;
    default:
      return type.kind;
  }
}

function printTensor(tensor: Tensor): string {
  const type = `${dataTypeName(tensor.dataType)}[${tensor.dims.join(', ')}]`;
  const strings = tensor.data.strings?.();
  if (strings !== undefined) {
    const isShort = strings.length <= MAX_PRINTED_ELEMENTS;
    return `${type} ${isShort ? `{${strings.map(quote).join(', ')}}` : hashOf(strings.flatMap((s) => [s, Uint8Array.of(0)]))}`;
  }
  if (tensor.elementCount <= MAX_PRINTED_ELEMENTS && elementArrayOf(tensor.dataType) !== undefined) {
    return `${type} {${Array.from(tensor.toArray() as ArrayLike<number | bigint>, printNumber).join(', ')}}`;
  }
  return `${type} ${hashOf([tensor.bytes()])}`;
}

function printAttribute(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'float':
    case 'int':
      return printNumber(attribute.value);
    case 'string':
      return quote(attribute.value);
    case 'tensor':
      return printTensor(attribute.value);
    case 'floats':
    case 'ints':
      return `[${attribute.value.map(printNumber).join(', ')}]`;
    case 'strings':
      return `[${attribute.value.map(quote).join(', ')}]`;
    case 'tensors':
      return `[${attribute.value.map(printTensor).join(', ')}]`;
    default:
      return '…';
  }
}

function printNumber(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function quote(bytes: Uint8Array): string {
  return `"${printable(utf8.decode(bytes))}"`;
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return `sha256:${hash.digest('hex').slice(0, 8)}`;
}
