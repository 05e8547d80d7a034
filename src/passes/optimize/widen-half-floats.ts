import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import { attr, Node } from '../../ir/node.ts';
import { tensorType, type ValueType } from '../../ir/types.ts';
import { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/** Attributes that name an element type. */
const TYPE_ATTRIBUTES = ['to', 'dtype', 'output_dtype', 'output_datatype', 'precision'];
/** Domains whose operators take float32 wherever they take float16. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

/**
 * Lets a float16 model compute in float32, between casts at its inputs and outputs, which keep their types: what is going to be
 * int8 starts from float32, and ONNX Runtime's CPU kernels compute float16 in float32 anyway. Left alone are models with
 * functions or operators of other domains, whose types are not known.
 * @example widenHalfFloats()
 */
export function widenHalfFloats(): Pass {
  return {
    name: 'widen-half-floats',
    run(model) {
      if (!isWidenable(model)) return passResult([]);
      const { graph } = model;
      const changes: PassChange[] = [];
      for (const inner of graph.allGraphs()) widenGraph(inner, inner === graph, changes);
      for (const input of graph.inputs) if (isHalf(input) && input.tensor === undefined) castInput(graph, input);
      for (const [index, output] of graph.outputs.entries()) {
        // Types of the main graph's outputs are still those that the file states.
        if (isHalf(output) && !output.producer!.is('Cast')) castOutput(graph, index, output);
      }
      return passResult(changes);
    },
  };
}

function isWidenable(model: Model): boolean {
  if (model.functions.length > 0) return false;
  const { graph } = model;
  for (const inner of graph.allGraphs()) {
    for (const node of inner.nodes()) if (!KNOWN_DOMAINS.has(node.domain)) return false;
    // A graph that hands an input or a constant straight on would need a node for it.
    if (inner !== graph && inner.outputs.some((output) => output.producer?.graph !== inner)) return false;
  }
  return graph.outputs.every((output) => !isHalf(output) || output.producer?.graph === graph);
}

function isHalf(value: Value): boolean {
  return value.elemType === DataType.float16;
}

function widenGraph(graph: Graph, isMain: boolean, changes: PassChange[]): void {
  for (const value of graph.initializers) {
    if (value.tensor?.dataType !== DataType.float16) continue;
    value.tensor = widened(value.tensor);
    value.type = tensorType(DataType.float32, value.tensor.dims);
    changes.push({ kind: 'widen-half-floats', subject: value.name });
  }
  if (!isMain) for (const input of graph.inputs) input.type = widenedType(input.type);
  for (const node of graph.nodes()) {
    const isStated = node.outputs.some((output) => isMain && graph.isOutput(output));
    if (!(isStated && node.is('Cast'))) widenAttributes(node, changes);
    for (const output of node.outputs) {
      if (!(isMain && graph.isOutput(output))) output.type = widenedType(output.type);
    }
  }
}

function widenAttributes(node: Node, changes: PassChange[]): void {
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'tensor' && attribute.value.dataType === DataType.float16) {
      node.setAttribute(attr.tensor(attribute.name, widened(attribute.value)));
    } else if (
      attribute.kind === 'int' &&
      TYPE_ATTRIBUTES.includes(attribute.name) &&
      Number(attribute.value) === DataType.float16
    ) {
      node.setAttribute(attr.int(attribute.name, DataType.float32));
    } else continue;
    changes.push({ kind: 'widen-half-floats', subject: node.name || node.output.name, detail: node.opType });
  }
}

function widened(tensor: Tensor): Tensor {
  return Tensor.float32(tensor.name, tensor.dims, tensor.toFloat32());
}

function widenedType(type: ValueType | undefined): ValueType | undefined {
  if (type === undefined) return undefined;
  if (type.kind === 'tensor') {
    return type.elemType === DataType.float16 ? tensorType(DataType.float32, type.shape) : type;
  }
  if (type.kind === 'sequence' || type.kind === 'optional')
    return { ...type, elementType: widenedType(type.elementType) };
  return type.kind === 'map' ? { ...type, valueType: widenedType(type.valueType) } : type;
}

/** Readers of a float16 input read it in float32. */
function castInput(graph: Graph, input: Value): void {
  const readers = input.consumers.filter((reader) => !reader.is('Cast'));
  if (readers.length === 0) return;
  const [first] = graph.nodes();
  const cast = graph.create('Cast', [input], {
    outputNames: [`${input.name}_float32`],
    attributes: [attr.int('to', DataType.float32)],
    anchor: first,
  });
  cast.output.type = tensorType(DataType.float32, input.shape);
  for (const reader of readers) reader.replaceInputValue(input, cast.output);
}

/** The output keeps its name and its type; what was it, is float32 now under another name. */
function castOutput(graph: Graph, index: number, output: Value): void {
  const name = output.name;
  const type = output.type;
  output.name = graph.uniqueName(`${name}_float32`);
  output.type = widenedType(type);
  const rounded = new Value(name, type);
  graph.append(
    new Node('Cast', [output], [rounded], {
      attributes: [attr.int('to', DataType.float16)],
    }),
  );
  graph.outputs[index] = rounded;
}
