import { afterAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/diagnostics/logger.ts';
import { importTensor } from '../../../src/formats/onnx/import-tensor.ts';
import { decodeMessage, type TensorProto } from '../../../src/formats/onnx/proto.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import { verify } from '../../../src/ir/verify.ts';
import { upgradeOpset } from '../../../src/passes/optimize/upgrade-opset.ts';
import { elementArrayOf, type Feeds, type NdArray } from '../../../src/tensor/nd-array.ts';
import { conformanceFiles, hasConformance } from '../../formats/onnx/conformance-archive.ts';
import { conformanceCases, ModelRunner, sameOutputs } from '../../formats/onnx/conformance-cases.ts';

/** Inputs for models that are stored without: half of everything, in the shapes that the model states. */
function halves(model: Model): Feeds | undefined {
  const feeds: Record<string, NdArray> = {};
  for (const value of model.graph.inputs) {
    if (value.tensor !== undefined) continue;
    const { shape } = value;
    if (value.elemType !== 1 || shape === undefined || shape.some((dim) => typeof dim !== 'number')) return undefined;
    const dims = shape as readonly number[];
    const count = dims.reduce((product, dim) => product * dim, 1);
    feeds[value.name] = { dataType: 1, dims, data: new Float32Array(count).fill(0.5) };
  }
  return feeds;
}

describe.skipIf(!hasConformance)('conformance models of versions before 13', () => {
  const runner = new ModelRunner({ optimization: 'disabled' });
  afterAll(() => runner.close());
  const files = hasConformance ? conformanceFiles() : new Map<string, Buffer>();

  /** The stored outputs of a case, where they are plain tensors. */
  function storedOutputs(path: string, model: Model): Feeds | undefined {
    const outputs: Record<string, NdArray> = {};
    for (const [i, { name }] of model.graph.outputs.entries()) {
      const file = files.get(path.replace(/[^/]*$/, `test_data_set_0/output_${i}.pb`));
      if (file === undefined) return undefined;
      const tensor = importTensor(decodeMessage<TensorProto>('TensorProto', file), () => {
        throw new Error('conformance data is never external');
      });
      if (elementArrayOf(tensor.dataType) === undefined) return undefined;
      outputs[name] = tensor.toNdArray();
    }
    return outputs;
  }

  test.each([13, 17, 21])('give the same outputs after the upgrade to %i', async (minimum) => {
    const counts = { upgraded: 0, kept: 0, sameAsBefore: 0, sameAsStored: 0, notRunnable: 0 };
    const reasons = new Map<string, number>();
    const wrong: string[] = [];
    for (const { path, bytes, feeds: readFeeds } of conformanceCases()) {
      const model = decodeModel(bytes);
      if (model.opset >= 13 || model.opset === 0) continue;
      const { modified, changes } = await upgradeOpset({ minimum }).run(model, { logger: silentLogger });
      verify(model);
      if (!modified) {
        counts.kept++;
        const reason = changes[0]!.detail!;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        expect(Buffer.concat(encodeModel(model).pieces).equals(bytes), path).toBe(true);
        continue;
      }
      counts.upgraded++;
      const feeds = readFeeds() ?? halves(model);
      if (feeds === undefined) {
        counts.notRunnable++;
        continue;
      }
      const before = await runner.outputsOf(bytes, feeds);
      const after = await runner.outputsOf(Buffer.concat(encodeModel(model).pieces), feeds);
      const stored = storedOutputs(path, model);
      if (before !== undefined) {
        if (after !== undefined && sameOutputs(before, after, 1e-5, 1e-6)) counts.sameAsBefore++;
        else wrong.push(`${path}: ${after === undefined ? 'no longer runs' : 'other outputs'}`);
      } else if (after !== undefined && stored !== undefined) {
        if (sameOutputs(stored, after, 1e-3, 1e-5)) counts.sameAsStored++;
        else wrong.push(`${path}: not the stored outputs`);
      } else {
        counts.notRunnable++;
      }
    }
    console.log(counts, Object.fromEntries(reasons));
    expect(wrong).toEqual([]);
    expect(counts.sameAsBefore + counts.sameAsStored).toBeGreaterThan(150);
  });
});
