import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeModel } from '../../src/formats/onnx/write-model.ts';
import { referenceNetwork } from '../../src/latency/reference-networks.ts';
import { predict } from '../../src/pipeline/predict.ts';
import { predictionSchema } from '../../src/report/prediction-schema.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgepack-predict-'));
const mixed = join(folder, 'mixed.onnx');
writeModel(referenceNetwork('mixed'), mixed);

describe('predict', () => {
  it('tells a latency with its interval, and checks against its schema', async () => {
    const result = await predict(mixed, { target: 'rpi4', engine: 'ncnn', threads: 1 });
    expect(predictionSchema.parse(result)).toEqual(result);
    const { latencyMs, lowMs, highMs } = result.prediction!;
    expect(lowMs).toBeLessThan(latencyMs);
    expect(highMs).toBeGreaterThan(latencyMs);
    expect(result.missing).toBeNull();
    const four = await predict(mixed, { target: 'rpi4', engine: 'ncnn', threads: 4 });
    expect(four.prediction!.latencyMs).toBeLessThan(latencyMs / 1.5);
  });

  it('orders boards as everyone knows them', async () => {
    const ms = async (target: string) =>
      (await predict(mixed, { target, engine: 'ncnn', threads: 4 })).prediction!.latencyMs;
    expect(await ms('rpi-zero2w')).toBeGreaterThan(await ms('rpi4'));
    expect(await ms('rpi4')).toBeGreaterThan(2 * (await ms('rpi5')));
  });

  it('gives no number where a size is open, and one where it is given', async () => {
    const build = new GraphBuilder();
    const x = build.input('x', ['batch', 3, 'height', 'width']);
    const conv = build.op('Conv', [x, build.weight('w', [16, 3, 3, 3])], { attributes: { pads: [1, 1, 1, 1] } });
    build.model.graph.outputs.push(conv);
    const path = join(folder, 'open.onnx');
    writeModel(build.model, path);
    const options = { target: 'rpi4', engine: 'ncnn' };
    const open = await predict(path, options);
    expect(open.prediction).toBeNull();
    expect(open.missing).toContain('height, width');
    const sized = await predict(path, { ...options, dim: ['height=224', 'width=224'] });
    expect(sized.prediction).not.toBeNull();
  });

  it('tells nothing of providers of which no rows were measured', async () => {
    const { prediction, missing, question } = await predict(mixed, {
      target: 'jetson-orin-nano',
      provider: 'tensorrt',
    });
    expect(prediction).toBeNull();
    expect(missing).toContain('none is of the TensorRT provider');
    expect(question.provider).toBe('tensorrt');
  });

  it('refuses options that mean nothing', async () => {
    await expect(predict(mixed, { threads: 0 })).rejects.toMatchObject({ code: 'usage' });
    await expect(predict(mixed, { target: 'toaster' })).rejects.toMatchObject({ code: 'target' });
    await expect(predict(mixed, { target: 'rpi4', provider: 'qnn' })).rejects.toMatchObject({ code: 'provider' });
  });
});
