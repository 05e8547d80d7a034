import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { verify } from '../../src/ir/verify.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import { referenceNetwork, referenceNetworkNames } from '../../src/latency/reference-networks.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { DataType } from '../../src/tensor/data-type.ts';

describe('reference networks', () => {
  let engine: Engine | undefined;
  afterAll(() => engine?.close());

  it.each(referenceNetworkNames)('%s is a valid model, the same every time, and runs to numbers', async (name) => {
    const model = referenceNetwork(name);
    verify(model);
    const bytes = Buffer.concat(encodeModel(model).pieces);
    const again = Buffer.concat(encodeModel(referenceNetwork(name)).pieces);
    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    expect(sha256(again)).toBe(sha256(bytes));
    engine ??= await startEngine();
    const session = await engine.load(bytes, { threads: 1 });
    const shape = model.graph.inputs[0]!.shape as number[];
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    const outputs = await session.run({ x: { dataType: DataType.float32, dims: shape, data } });
    const y = outputs.y!.data as Float32Array;
    expect(y.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 4);
    expect(Math.max(...y)).toBeLessThan(0.9);
  });

  it('are each heavy in what they are named for', () => {
    const share = (name: (typeof referenceNetworkNames)[number]) => {
      const { features, unfamiliar, unknown } = describeNetwork(referenceNetwork(name));
      expect([unfamiliar.share, unknown]).toEqual([0, []]);
      const { conv1x1Gmac: one, conv3x3Gmac: three, depthwiseGmac: depthwise, convOtherGmac: other } = features;
      return { features, one, three, depthwise, macs: one + three + depthwise + other };
    };
    const of = Object.fromEntries(referenceNetworkNames.map((name) => [name, share(name)])) as Record<
      (typeof referenceNetworkNames)[number],
      ReturnType<typeof share>
    >;
    expect(of['products-1x1'].one / of['products-1x1'].macs).toBeGreaterThan(0.6);
    expect(of['products-3x3'].three / of['products-3x3'].macs).toBeGreaterThan(0.7);
    expect(of.depthwise.depthwise / of.depthwise.macs).toBeGreaterThan(0.5);
    expect(of['fully-connected'].features.weightGb).toBeGreaterThan(0.02);
    expect(of.mixed.features.exponentialGb).toBeGreaterThan(0);
    expect(of.mixed.depthwise).toBeGreaterThan(0);
  });
});
