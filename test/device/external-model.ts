import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { graph, tensor } from '../runtime/tiny-models.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

/** A model whose only weight lies in a file beside it; gives the path of the model. */
export function externalModel(folder: string): string {
  const weight = tensor('w', 1, [4], new Uint8Array());
  delete weight.rawData;
  weight.dataLocation = TensorProto.DataLocation.EXTERNAL;
  weight.externalData = [
    { key: 'location', value: 'weights.bin' },
    { key: 'length', value: '16' },
  ];
  writeFileSync(join(folder, 'weights.bin'), Float32Array.of(1, 2, 3, 4));
  const built = ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: graph({
      nodes: [['Mul', ['x', 'w'], ['y']]],
      inputs: [['x', 1, [4]]],
      outputs: [['y', 1, [4]]],
      initializers: [weight],
    }),
  }).finish();
  const path = join(folder, "it's; a $(model).onnx");
  writeFileSync(path, built);
  return path;
}
