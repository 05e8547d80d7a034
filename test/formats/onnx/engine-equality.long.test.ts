import { afterAll, describe, expect, test } from 'vitest';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import type { Attribute, ValueType } from '../../../src/ir/types.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { hasConformance } from './conformance-archive.ts';
import { conformanceCases, ModelRunner, sameOutputs } from './conformance-cases.ts';

/** Makes every attribute, tensor and type a new object, so that the writer cannot fall back on what was read. */
function forgetOrigins(model: Model): void {
  for (const graph of model.graph.allGraphs()) {
    const values = [...graph.inputs, ...graph.outputs, ...graph.initializers, ...graph.valueInfo];
    for (const value of values) {
      if (value.type !== undefined) value.type = freshType(value.type);
      if (value.tensor !== undefined) value.tensor = freshTensor(value.tensor);
    }
    for (const node of graph.nodes()) {
      for (const attribute of node.attributes.values()) node.setAttribute(freshAttribute(attribute));
    }
  }
}

function freshType(type: ValueType): ValueType {
  switch (type.kind) {
    case 'sequence':
    case 'optional':
      return { kind: type.kind, elementType: type.elementType && freshType(type.elementType) };
    case 'map':
      return { ...type, valueType: type.valueType && freshType(type.valueType) };
    case 'tensor':
    case 'sparse-tensor':
      return { ...type };
    default:
      return type;
  }
}

function freshTensor(tensor: Tensor): Tensor {
  return new Tensor(tensor.name, tensor.dataType, tensor.dims, tensor.data);
}

function freshAttribute(attribute: Attribute): Attribute {
  if (attribute.kind === 'opaque') return attribute;
  if (attribute.kind === 'tensor') return { ...attribute, value: freshTensor(attribute.value) };
  if (attribute.kind === 'tensors') return { ...attribute, value: attribute.value.map(freshTensor) };
  return { ...attribute };
}

describe.skipIf(!hasConformance)('conformance models', () => {
  const runner = new ModelRunner({ optimization: 'disabled' });
  afterAll(() => runner.close());

  test('give the same outputs from the copy, and from a copy made anew', async () => {
    const counts = { same: 0, notRun: 0 };
    const different: string[] = [];
    for (const { path, bytes, feeds: readFeeds } of conformanceCases()) {
      // Random numbers are not the same twice; sums may come out in another order, depending on memory addresses.
      if (/bernoulli|training_dropout|random/.test(path)) continue;
      const feeds = readFeeds();
      const expected = feeds && (await runner.outputsOf(bytes, feeds));
      if (feeds === undefined || expected === undefined) {
        counts.notRun++;
        continue;
      }
      const copy = decodeModel(bytes);
      const anew = decodeModel(bytes);
      forgetOrigins(anew);
      for (const model of [copy, anew]) {
        const actual = await runner.outputsOf(Buffer.concat(encodeModel(model).pieces), feeds);
        if (actual === undefined || !sameOutputs(expected, actual, 1e-5, 1e-6)) different.push(path);
      }
      counts.same++;
    }
    console.log(counts);
    expect(different).toEqual([]);
    expect(counts.same).toBeGreaterThan(1400);
  });
});
