import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { describeNetwork } from '../../src/latency/describe-network.ts';
import { predictInt8Ratio } from '../../src/latency/predict-int8-ratio.ts';
import type { TargetLatency } from '../../src/targets/latency-schema.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

const conv = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));
const network = describeNetwork(readModel(conv));
const { latency } = loadTarget('rpi4');

describe('int8 against float on a device', () => {
  const ask = (engine: string, from: TargetLatency | undefined) =>
    predictInt8Ratio(from, { original: network, int8: network }, { engine, threads: 4 });

  it('has no number where the engine has no int8 rows', () => {
    expect(ask('onnxruntime', latency)).toMatchObject({ missing: expect.stringContaining('onnxruntime in int8') });
    expect(ask('ncnn', undefined)).toMatchObject({ missing: expect.stringContaining('nobody published') });
  });

  it('is narrower where int8 was fitted beside float, since common errors cancel', () => {
    const beside = ask('ncnn', latency);
    const without = latency!.profiles.map(({ int8Twin: _, ...profile }) => profile);
    const apart = ask('ncnn', { ...latency!, profiles: without });
    if ('missing' in beside || 'missing' in apart) throw new Error('no number');
    for (const { value, low, high } of [beside, apart]) {
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
    expect(beside.high / beside.low).toBeLessThan(apart.high / apart.low);
  });
});
