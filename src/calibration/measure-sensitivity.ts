import type { Dataset } from '../data/dataset.ts';
import { feedsOf } from '../data/feeds-of.ts';
import type { Logger } from '../diagnostics/logger.ts';
import { cloneModel } from '../formats/onnx/clone-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Graph } from '../ir/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { tensorType } from '../ir/types.ts';
import type { Value } from '../ir/value.ts';
import type { StoredWeight } from '../passes/quantize/stored-weights.ts';
import { dequantizeWeights, quantizeWeights } from '../quantization/quantize-weights.ts';
import type { Engine } from '../runtime/engine.ts';
import { loadPieces } from '../runtime/load-pieces.ts';
import { DataType, isFloat } from '../tensor/data-type.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { Tensor } from '../tensor/tensor.ts';

export interface SensitivityOptions {
  readonly engine: Engine;
  readonly threads: number;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
  /** Noise at the outputs of one run, given those without and with the error. */
  readonly noise: (reference: Feeds, changed: Feeds, outputNames: readonly string[]) => number;
}

/** The error whose effect is measured: that of rounding to steps eight times as wide as int8 needs, about 5 bits. */
const PROBE_FACTOR = 8;

/**
 * What an error in the weights of each layer does at the outputs: noise at the output per unit of squared error of the
 * weights, one number for each. Each layer's rounding error is added to its weights by a switch, an input of the model, so that
 * the model is loaded once and the samples are passed once, with one run per sample and layer.
 */
export async function measureSensitivity(
  model: Model,
  weights: readonly StoredWeight[],
  samples: Dataset,
  { engine, threads, logger, signal, noise }: SensitivityOptions,
): Promise<Float64Array> {
  const probe = new SwitchedModel(model, weights);
  const session = await loadPieces(engine, encodeModel(probe.model).pieces, {
    threads,
    spin: true,
    label: 'the model with switched errors',
  });
  const outputs = session.outputs.filter((output) => isFloat(output.dataType)).map((output) => output.name);
  const sums = new Float64Array(weights.length);
  const progress = logger.progress('Measuring the sensitivity of layers', samples.count * weights.length);
  try {
    let runs = 0;
    for await (const feeds of feedsOf(samples, signal)) {
      const reference = await session.run({ ...feeds, ...probe.switches(undefined) }, outputs);
      for (const layer of weights.keys()) {
        signal?.throwIfAborted();
        const changed = await session.run({ ...feeds, ...probe.switches(layer) }, outputs);
        sums[layer]! += noise(reference, changed, outputs);
        progress.update(++runs);
      }
    }
  } finally {
    progress.done();
    await session.release();
  }
  return sums.map((sum, layer) => {
    const energy = probe.squaredErrors[layer]!;
    return energy === 0 ? 0 : sum / samples.count / energy;
  });
}

/**
 * A copy of a model with a switch per layer: an input that is 0 or 1. What the layer computes with the error of its weights is
 * multiplied by the switch and added to what it computes, so that all weights stay constants, which engines pack.
 */
class SwitchedModel {
  readonly model: Model;
  readonly squaredErrors: readonly number[];
  readonly #switchNames: readonly string[];

  constructor(model: Model, weights: readonly StoredWeight[]) {
    this.model = cloneModel(model);
    const { graph } = this.model;
    const indices = new Map([...model.graph.nodes()].map((node, i) => [node, i]));
    const copies = [...graph.nodes()];
    const names: string[] = [];
    this.squaredErrors = weights.map(({ tensor, nodes, layout, role }, layer) => {
      const { error, energy } = roundingError(tensor.toFloat32(), layout);
      const errors = graph.addInitializer(Tensor.float32(`error_${layer}`, tensor.dims, error));
      const input = graph.addInput(graph.uniqueName(`switch_${layer}`), tensorType(DataType.float32, []));
      names.push(input.name);
      for (const node of nodes) addError(graph, copies[indices.get(node)!]!, role, errors, input);
      return energy;
    });
    this.#switchNames = names;
  }

  /** Feeds of all switches, with that of one layer on. */
  switches(on: number | undefined): Feeds {
    return Object.fromEntries(
      this.#switchNames.map((name, layer) => [
        name,
        { dataType: DataType.float32, dims: [], data: Float32Array.of(layer === on ? 1 : 0) },
      ]),
    );
  }
}

function roundingError(exact: Float32Array, layout: StoredWeight['layout']): { error: Float32Array; energy: number } {
  const rounded = dequantizeWeights(quantizeWeights(exact, layout, { range: 'max', stepFactor: PROBE_FACTOR }), layout);
  let energy = 0;
  const error = exact.map((weight, i) => {
    const difference = rounded[i]! - weight;
    energy += difference * difference;
    return difference;
  });
  return { error, energy };
}

function addError(graph: Graph, node: Node, role: StoredWeight['role'], errors: Value, amount: Value): void {
  const exact = node.output;
  const inputs = role === 'lookup' ? [errors, node.input(1)] : [node.input(0), errors];
  const anchor = node.next;
  const wrong = graph.create(node.opType, inputs, { attributes: [...node.attributes.values()], anchor });
  const scaled = graph.create('Mul', [wrong.output, amount], { anchor });
  const readers = exact.consumers;
  const sum = graph.create('Add', [exact, scaled.output], { anchor }).output;
  for (const reader of readers) reader.replaceInputValue(exact, sum);
  if (!graph.isOutput(exact)) return;
  // The public output keeps its name.
  sum.name = exact.name;
  sum.type = exact.type;
  exact.name = graph.uniqueName(`${exact.name}_exact`);
  for (const [i, output] of graph.outputs.entries()) if (output === exact) graph.outputs[i] = sum;
}
