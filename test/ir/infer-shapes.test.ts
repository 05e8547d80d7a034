import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import type { TensorType } from '../../src/ir/types.ts';
import { conformanceModels, hasConformance } from '../formats/onnx/conformance-archive.ts';

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
    const unknown = new Map<string, number>();
    let outputs = 0;
    let ranked = 0;
    let full = 0;
    for (const [path, bytes] of conformanceModels()) {
      const model = decodeModel(bytes);
      if (model.opset < 7) continue;
      const opType = [...model.graph.nodes()].at(-1)?.opType ?? '';
      for (const { name, declared, inferred } of compareOutputs(model)) {
        outputs++;
        if (inferred === undefined) unknown.set(opType, (unknown.get(opType) ?? 0) + 1);
        else if (contradicts(declared, inferred))
          wrong.push(`${path} ${name}: ${JSON.stringify([declared, inferred])}`);
        if (inferred?.shape !== undefined) ranked++;
        if (inferred?.shape?.every((dim) => typeof dim === 'number')) full++;
      }
    }
    console.log(`outputs ${outputs}, rank known ${ranked}, all dimensions known ${full}`);
    if (process.env.VERBOSE) console.log([...unknown].sort((a, b) => b[1] - a[1]).join('\n'));
    expect(wrong).toEqual([]);
    expect(ranked / outputs).toBeGreaterThan(0.5);
  });
});
