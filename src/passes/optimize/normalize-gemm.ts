import type { Graph } from '../../ir/graph.ts';
import type { Node } from '../../ir/node.ts';
import { tensorType } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/**
 * Gives every Gemm with constant weights the plain form that integer kernels take: `alpha` and `beta` go into the constants,
 * and a constant bias has one element per output, in one axis.
 * @example normalizeGemm()
 */
export function normalizeGemm(): Pass {
  return {
    name: 'normalize-gemm',
    run(model) {
      const changes: PassChange[] = [];
      const inputs = new Set(model.graph.inputs);
      for (const graph of model.graph.allGraphs()) {
        for (const node of graph.nodes()) {
          if (!node.is('Gemm')) continue;
          const details = [
            scaleInto(graph, node, 1, 'alpha', inputs),
            node.input(2) === undefined ? undefined : scaleInto(graph, node, 2, 'beta', inputs),
            flattenBias(graph, node, inputs),
          ].filter((detail) => detail !== undefined);
          for (const detail of details) {
            changes.push({ kind: 'normalize-gemm', subject: node.name || node.output.name, detail });
          }
        }
      }
      return passResult(changes);
    },
  };
}

function constantAt(node: Node, index: number, inputs: ReadonlySet<Value>): Tensor | undefined {
  const value = node.input(index);
  return value === undefined || inputs.has(value) ? undefined : value.tensor;
}

function scaleInto(graph: Graph, node: Node, index: number, attribute: 'alpha' | 'beta', inputs: ReadonlySet<Value>) {
  const factor = node.float(attribute, 1);
  const tensor = constantAt(node, index, inputs);
  if (factor === 1 || !Number.isFinite(factor) || tensor?.dataType !== DataType.float32) return undefined;
  // Weights of two layers would be there twice.
  if (index === 1 && node.input(1)!.useCount > 1) return undefined;
  const scaled = tensor.toFloat32().map((value) => value * factor);
  replaceConstant(graph, node, index, Tensor.float32(tensor.name, tensor.dims, scaled));
  node.attributes.delete(attribute);
  return `${attribute} ${factor}`;
}

/** Broadcasting makes no difference, and quantizers expect one axis. */
function flattenBias(graph: Graph, node: Node, inputs: ReadonlySet<Value>): string | undefined {
  const bias = node.input(2);
  const tensor = constantAt(node, 2, inputs);
  const outputs = constantAt(node, 1, inputs)?.dims[node.int('transB', 0) === 1 ? 0 : 1];
  if (bias === undefined || tensor === undefined) return undefined;
  const [rows, columns] = tensor.dims.length === 2 ? tensor.dims : [undefined, undefined];
  if (rows === 1 && columns !== undefined && (columns !== 1 || outputs === 1 || outputs === undefined)) {
    replaceConstant(graph, node, 2, tensor.withDims([columns]));
  } else if (tensor.elementCount === 1 && outputs !== undefined && tensor.dataType === DataType.float32) {
    if (tensor.dims.length === 1 && outputs === 1) return undefined;
    const values = new Float32Array(outputs).fill(tensor.toFloat32()[0]!);
    replaceConstant(graph, node, 2, Tensor.float32(tensor.name, [outputs], values));
  } else return undefined;
  return bias.name;
}

/** Under the name it had, where nobody else reads it. */
function replaceConstant(graph: Graph, node: Node, index: number, tensor: Tensor): void {
  const value = node.input(index)!;
  if (value.useCount === 1 && graph.initializers.has(value) && !graph.isOutput(value)) {
    value.tensor = tensor.withName(value.name);
    value.type = tensorType(tensor.dataType, tensor.dims);
  } else {
    node.setInput(index, graph.addInitializer(tensor));
  }
}
