import { readFileSync } from 'node:fs';
import { writeModel } from '../../dist/formats/onnx/write-model.js';
import { Model } from '../../dist/ir/model.js';
import { tensorType } from '../../dist/ir/types.js';
import { verify } from '../../dist/ir/verify.js';
import { DataType } from '../../dist/tensor/data-type.js';
import { Tensor } from '../../dist/tensor/tensor.js';

const OPSET = 17;
const IR_VERSION = 8;

/** An empty model with the input that both classifiers take: image [N, 1, 28, 28], grey levels 0..1 as float32. */
export function classifier(name) {
  const model = Model.create(OPSET, IR_VERSION, name);
  model.producerName = 'edgepack train-digits';
  model.producerVersion = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
  return { model, image: model.graph.addInput('image', tensorType(DataType.float32, ['N', 1, 28, 28])) };
}

/** A dropout as exporters leave it in: inactive in inference, for an optimiser to remove. */
export function dropout(graph, input, { ratio }) {
  const constant = graph.addInitializer(Tensor.float32('dropout.ratio', [], [ratio]));
  return graph.create('Dropout', [input, constant], { name: 'dropout' }).output;
}

/** Makes `output` [N, 10] the model's output, checks the model and writes it. Returns the size in bytes. */
export function finish(model, output, path) {
  output.type = tensorType(DataType.float32, ['N', 10]);
  model.graph.outputs.push(output);
  verify(model);
  return writeModel(model, path);
}
