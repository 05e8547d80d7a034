import { onnx } from 'onnx-proto';
import type { EpkFile } from '../../../src/formats/epk/encode-epk.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { bell, randomSource } from '../../codec/example-blocks.ts';

interface Tensor {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly dataType: number;
  readonly dims: readonly number[];
}

/** A quantized layer as an ONNX file stores it: weights, their scales, the bias, and the scales of the bias. */
export function exampleTensors(outputs = 16, inputs = 6): Tensor[] {
  const random = randomSource(11);
  const weights = Int8Array.from({ length: outputs * inputs * 9 }, (_, i) => {
    const spread = 10 + 8 * (Math.floor(i / (inputs * 9)) % 4);
    return Math.max(-127, Math.min(127, Math.round(bell(random) * spread)));
  });
  const scales = Float32Array.from({ length: outputs }, () => 0.002 + 0.01 * random());
  const bias = Int32Array.from({ length: outputs }, () => Math.round(bell(random) * 900));
  const biasScales = scales.map((scale) => scale * Math.fround(0.0235));
  const bytesOf = (array: Int8Array | Int32Array | Float32Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return [
    { name: 'conv.weight_quantized', bytes: bytesOf(weights), dataType: 3, dims: [outputs, inputs, 3, 3] },
    { name: 'conv.weight_scale', bytes: bytesOf(scales), dataType: 1, dims: [outputs] },
    { name: 'conv.bias_quantized', bytes: bytesOf(bias), dataType: 6, dims: [outputs] },
    { name: 'conv.bias_scale', bytes: bytesOf(biasScales), dataType: 1, dims: [outputs] },
  ];
}

/** Tensors between their names and some text, with the places of their payloads. */
export function fileOf(name: string, tensors: readonly Tensor[]): EpkFile {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [encoder.encode('graph: Conv QuantizeLinear DequantizeLinear;')];
  const sections: EpkFile['sections'][number][] = [];
  let at = pieces[0]!.length;
  for (const tensor of tensors) {
    const label = encoder.encode(`tensor ${tensor.name}`);
    sections.push({
      name: tensor.name,
      offset: at + label.length,
      byteLength: tensor.bytes.length,
      dataType: tensor.dataType,
      dims: tensor.dims,
    });
    pieces.push(label, tensor.bytes);
    at += label.length + tensor.bytes.length;
  }
  pieces.push(encoder.encode('the end'));
  return { name, bytes: Uint8Array.from(pieces.flatMap((piece) => [...piece])), sections };
}

/** A model of two files, one of them without any sections. */
export function exampleFiles(): EpkFile[] {
  return [
    fileOf('model.onnx', exampleTensors()),
    { name: 'data/notes.txt', bytes: new TextEncoder().encode('plain text, plain text, plain text'), sections: [] },
  ];
}

/** The same layer in a real graph, whose sections follow from its structure. */
export function exampleModel(): EpkFile {
  const initializer = exampleTensors().map(({ name, bytes, dataType, dims }) => {
    return { name, rawData: bytes, dataType, dims: [...dims] };
  });
  const quantized = ['conv.weight_quantized', 'conv.weight_scale'];
  const constant = { name: '', dataType: 7, dims: [3], rawData: new Uint8Array(24).fill(1) };
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    producerName: 'example',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'main',
      node: [
        { opType: 'DequantizeLinear', input: quantized, output: ['w0'], attribute: [{ name: 'axis', type: 2, i: 0 }] },
        { opType: 'Conv', input: ['x', 'w0'], output: ['y'] },
        { opType: 'Constant', output: ['shape'], attribute: [{ name: 'value', type: 4, t: constant }] },
      ],
      initializer: [{ name: 's0', dataType: 1, dims: [], rawData: Uint8Array.of(1, 2, 128, 60) }, ...initializer],
      input: [
        { name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimParam: 'n' }] } } } },
      ],
      output: [{ name: 'y' }],
    },
  }).finish();
  return { name: 'model.onnx', bytes: new Uint8Array(bytes), sections: locateInitializers(bytes) };
}
