import { describe, expect, it } from 'vitest';

import { decodeMessage, type ModelProto, messageType, type TensorProto } from '../../src/formats/onnx/proto.ts';
import { decodeModel } from '../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import { numbersOf } from '../../src/ir/shape-inference/content.ts';
import { inferTypes } from '../../src/ir/shape-inference/infer-types.ts';
import type { TensorType } from '../../src/ir/types.ts';
import { conformanceFiles, conformanceModels, hasConformance } from '../formats/onnx/conformance-archive.ts';

/** Removes what the file says of the outputs, infers, and gives declared and inferred types side by side. */
function compareOutputs(model: Model): { name: string; declared: TensorType; inferred: TensorType | undefined }[] {
  const declared = model.graph.outputs.map((value) => value.type);
  for (const value of [...model.graph.outputs, ...model.graph.valueInfo]) if (value.producer) value.type = undefined;
  inferShapes(model);
  return model.graph.outputs.flatMap((value, i) => {
    const type = declared[i];
    if (type?.kind !== 'tensor' || value.producer === undefined) return [];
    return [{ name: value.name, declared: type, inferred: value.type?.kind === 'tensor' ? value.type : undefined }];
  });
}

function contradicts(declared: TensorType, inferred: TensorType): boolean {
  if (declared.elemType !== inferred.elemType) return true;
  if (declared.shape === undefined || inferred.shape === undefined) return false;
  if (declared.shape.length !== inferred.shape.length) return true;
  return declared.shape.some((dim, i) => {
    const other = inferred.shape?.[i];
    return typeof dim === 'number' && typeof other === 'number' && dim !== other;
  });
}

describe.skipIf(!hasConformance)('shape inference on the ONNX conformance models', () => {
  it('never contradicts a declared output and knows most of them', () => {
    const wrong: string[] = [];
    let outputs = 0;
    let ranked = 0;
    let full = 0;
    for (const [path, bytes] of conformanceModels()) {
      const model = decodeModel(bytes);
      if (model.opset < 7) continue;
      for (const { name, declared, inferred } of compareOutputs(model)) {
        outputs++;
        if (inferred !== undefined && contradicts(declared, inferred))
          wrong.push(`${path} ${name}: ${JSON.stringify([declared, inferred])}`);
        if (inferred?.shape !== undefined) ranked++;
        if (inferred?.shape?.every((dim) => typeof dim === 'number')) full++;
      }
    }
    console.log(`outputs ${outputs}, rank known ${ranked}, all dimensions known ${full}`);
    expect(wrong).toEqual([]);
    expect(ranked / outputs).toBeGreaterThan(0.9);
  });
});

/** A conformance case as a model whose inputs are constants, with the tensors it should put out. */
function constantCase(bytes: Buffer, folder: string, files: Map<string, Buffer>) {
  const proto = decodeMessage<ModelProto>('ModelProto', bytes);
  const graph = proto.graph!;
  const read = (name: string) => {
    const data = files.get(`${folder}/test_data_set_0/${name}`);
    return data === undefined ? undefined : decodeMessage<TensorProto>('TensorProto', data);
  };
  const named = graph.input ?? [];
  if (named.some((info) => info.type?.tensorType === undefined)) return undefined;
  if ((graph.output ?? []).some((info) => info.type?.tensorType === undefined)) return undefined;
  graph.initializer = named.map((info, i) => ({ ...read(`input_${i}.pb`)!, name: info.name! }));
  graph.input = [];
  const expected = (graph.output ?? []).map((info, i) => {
    delete info.type;
    return { ...read(`output_${i}.pb`)!, name: info.name! };
  });
  const decode = (message: ModelProto) => decodeModel(messageType('ModelProto').encode(message).finish());
  const model = decode(proto);
  const tensors = decode({ graph: { initializer: expected } });
  return { model, expected: [...tensors.graph.initializers].map((value) => value.tensor!) };
}

describe.skipIf(!hasConformance)('propagation of elements on the ONNX conformance cases', () => {
  it('gives the sizes and elements that the reference outputs have', () => {
    const files = conformanceFiles();
    const wrong: string[] = [];
    let outputs = 0;
    let sized = 0;
    let valued = 0;
    for (const [path, bytes] of files) {
      if (!path.startsWith('node/') || !path.endsWith('.onnx') || decodeModel(bytes).opset < 7) continue;
      const constants = constantCase(bytes, path.slice(0, path.lastIndexOf('/')), files);
      if (constants === undefined) continue;
      const types = inferTypes(constants.model);
      constants.model.graph.outputs.forEach((value, i) => {
        const tensor = constants.expected[i]!;
        const type = types.get(value);
        outputs++;
        if (type?.shape?.every((dim) => typeof dim === 'number')) {
          sized++;
          if (type.shape.join() !== tensor.dims.join())
            wrong.push(`${path}: [${type.shape}], reference [${tensor.dims}]`);
        }
        if (type?.elemType && type.elemType !== tensor.dataType) wrong.push(`${path}: type ${type.elemType}`);
        const elements = numbersOf(type?.content);
        if (elements === undefined) return;
        valued++;
        const reference = tensor.toNumbers();
        const differs = elements.some((element, j) => Math.abs(element - reference[j]!) > 1e-6 * Math.abs(element));
        if (elements.length !== reference.length || differs) wrong.push(`${path}: elements ${elements} | ${reference}`);
      });
    }
    console.log(`outputs ${outputs}, all sizes inferred ${sized}, all elements inferred ${valued}`);
    expect(wrong).toEqual([]);
    expect(sized / outputs).toBeGreaterThan(0.85);
    expect(valued).toBeGreaterThan(100);
  });
});
