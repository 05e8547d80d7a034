import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../src/formats/onnx/read-model.ts';
import { type Engine, startEngine } from '../../../src/runtime/engine.ts';
import { zooAvailable, zooPath } from '../../zoo.ts';
import { optimize } from './optimize-model.ts';

describe.skipIf(!zooAvailable)('optimising the zoo', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  /** Node counts of onnxslim 0.1.98. */
  const bars: readonly [path: string, nodes: number][] = [
    ['efficientnet_lite0/model.onnx', 94],
    ['efficientnet_lite0/model-unsimplified.onnx', 94],
    ['resnet8_cifar10/model.onnx', 25],
    ['resnet20_cifar10/model.onnx', 54],
    ['mnist_cntk/model.onnx', 8],
    ['minilm_banking77/model.onnx', 269],
  ];
  it.each(bars)('%s has at most %i nodes, and a second run changes nothing', async (path, nodes) => {
    const model = readModel(zooPath(path));
    const inputs = model.graph.inputs.filter((value) => value.tensor === undefined).map((value) => value.name);
    const outputs = model.graph.outputs.map((value) => value.name);
    await optimize(model, engine);
    expect(model.graph.nodeCount).toBeLessThanOrEqual(nodes);
    expect(model.graph.inputs.filter((value) => value.tensor === undefined).map((value) => value.name)).toEqual(inputs);
    expect(model.graph.outputs.map((value) => value.name)).toEqual(outputs);
    const again = await optimize(model, engine);
    expect(again.flatMap((run) => run.changes)).toEqual([]);
  });
});
