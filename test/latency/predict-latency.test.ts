import { describe, expect, it } from 'vitest';
import { calibrateProfile } from '../../src/latency/calibrate-profile.ts';
import { chooseProfiles, type ProfileChoice } from '../../src/latency/choose-profiles.ts';
import type { NetworkDescription } from '../../src/latency/describe-network.ts';
import type { LatencyPrediction } from '../../src/latency/predict-latency.ts';
import { predictNetwork } from '../../src/latency/predict-network.ts';
import { type CostFeature, type CostFeatures, costFeatures } from '../../src/targets/cost-features.ts';
import type { LatencyProfile, TargetLatency } from '../../src/targets/latency-schema.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

const features = (change: Partial<Record<CostFeature, number>>): CostFeatures =>
  ({ ...Object.fromEntries(costFeatures.map((name) => [name, 0])), ...change }) as CostFeatures;

const network = (change: Partial<NetworkDescription> = {}): NetworkDescription => ({
  features: features({ conv1x1Gmac: 0.3, conv1x1Gb: 0.01 }),
  layers: 10,
  macs: 3e8,
  unfamiliar: { share: 0, names: [] },
  unknown: [],
  open: [],
  ...change,
});

const profile = (change: Partial<LatencyProfile> = {}): LatencyProfile => ({
  engine: 'ncnn',
  engineVersion: 'v1',
  precision: 'fp32',
  threads: 4,
  cores: 'all',
  osBits: 64,
  board: 'board',
  origin: 'published',
  coefficientsMs: features({ conv1x1Gmac: 100, conv1x1Gb: 500 }),
  range: {
    latencyMs: { min: 10, max: 1000 },
    features: Object.fromEntries(
      costFeatures.map((name) => [name, { min: 0, max: 5 }]),
    ) as LatencyProfile['range']['features'],
  },
  band: { lowRatio: 0.8, highRatio: 1.3, coverage: 0.9, rowsCovered: 18, rows: 20 },
  error: null,
  source: 'a page',
  ...change,
});

const latency = (profiles: LatencyProfile[], transfers: TargetLatency['transfers'] = []): TargetLatency => ({
  profiles,
  transfers,
});
const ask = (of: TargetLatency | undefined, change: object = {}, described = network()) =>
  predictNetwork(of, described, { engine: 'ncnn', precision: undefined, threads: 4, ...change });
const number = (answer: ReturnType<typeof ask>): LatencyPrediction => {
  if ('missing' in answer) throw new Error(answer.missing);
  return answer;
};
const missing = (answer: ReturnType<typeof ask>) => ('missing' in answer ? answer.missing : 'a number');

describe('a prediction', () => {
  it('is the sum of the costs with the band of the profile, its coverage and its source', () => {
    const told = number(ask(latency([profile()])));
    expect(told).toMatchObject({
      label: 'predicted, not measured',
      coverage: 0.9,
      tested: { rowsCovered: 18, rows: 20 },
      engineVersion: 'v1',
      source: 'a page',
      widened: [],
    });
    expect(told.latencyMs).toBeCloseTo(35, 10);
    expect(told.lowMs).toBeCloseTo(28, 10);
    expect(told.highMs).toBeCloseTo(45.5, 10);
  });

  it('widens outside the calibrated range and says so', () => {
    const large = number(ask(latency([profile()]), {}, network({ features: features({ conv1x1Gmac: 50 }) })));
    expect(large.widened.join()).toMatch(/conv1x1Gmac is 50, fitted networks had at most 5.*longer than 1000 ms/);
    expect(large.tested).toBeNull();
    expect(large.highMs / large.latencyMs).toBeCloseTo(1.3 ** (1 + Math.log(10)), 6);
  });

  it('raises the upper end for products without evidence, and gives no number where they are most of it', () => {
    const some = network({ unfamiliar: { share: 0.3, names: ['recurrences'] } });
    const told = number(ask(latency([profile()]), {}, some));
    expect(told.highMs / told.latencyMs).toBeCloseTo(1.3 * 6.9 ** 0.3, 6);
    expect(told.lowMs / told.latencyMs).toBeCloseTo(0.8, 6);
    expect(told.widened[0]).toContain('30 % of the multiply-accumulates are of recurrences');
    const most = network({ unfamiliar: { share: 0.8, names: ['recurrences'] } });
    expect(missing(ask(latency([profile()]), {}, most))).toContain('80 %');
  });

  it('lies between two numbers of threads, and stays away outside them', () => {
    const two = latency([
      profile({ threads: 1, coefficientsMs: features({ conv1x1Gmac: 400 }) }),
      profile({ coefficientsMs: features({ conv1x1Gmac: 100 }) }),
    ]);
    const told = number(ask(two, { threads: 2 }));
    expect(told.latencyMs).toBeCloseTo(60, 6);
    expect(told.highMs / told.latencyMs).toBeCloseTo(1.3 * 1.2, 6);
    expect(told.widened).toEqual(['2 threads were not measured: between 1 and 4']);
    expect(missing(ask(two, { threads: 8 }))).toContain('8 threads');
  });

  it('holds the intervals of every board with the chip', () => {
    const boards = latency([
      profile({ board: 'a' }),
      profile({ board: 'b', coefficientsMs: features({ conv1x1Gmac: 200 }) }),
    ]);
    const told = number(ask(boards));
    expect(told.lowMs).toBeCloseTo(0.8 * 35, 6);
    expect(told.highMs).toBeCloseTo(1.3 * 60, 6);
  });

  it('goes from one engine to another only along a transfer, whose spread it adds', () => {
    const transfers = [
      {
        engine: 'onnxruntime',
        precision: 'fp32' as const,
        from: { engine: 'ncnn', precision: 'fp32' as const },
        ratio: 1.5,
        lowRatio: 1,
        highRatio: 3,
        reason: 'told from ncnn',
        source: 'pairs',
      },
    ];
    const told = number(ask(latency([profile()], transfers), { engine: 'onnxruntime' }));
    expect(told.latencyMs).toBeCloseTo(35 * 1.5, 6);
    expect(told.lowMs).toBeCloseTo(28, 6);
    expect(told.highMs).toBeCloseTo(45.5 * 3, 6);
    expect(told).toMatchObject({
      engine: 'onnxruntime',
      engineVersion: null,
      tested: null,
      widened: ['told from ncnn'],
    });
    expect(told.source).toBe('a page; pairs');
    expect(missing(ask(latency([profile()]), { engine: 'tflite' }))).toContain('no rows of tflite');
    expect(missing(ask(latency([profile()], transfers), { engine: 'onnxruntime', precision: 'int8' }))).toContain(
      'int8',
    );
  });

  it('prefers the user’s own calibration', () => {
    const own = profile({ origin: 'calibrated', source: 'mine', coefficientsMs: features({ conv1x1Gmac: 10 }) });
    expect(number(ask(latency([profile(), own])))).toMatchObject({ origin: 'calibrated', source: 'mine' });
  });

  it('is refused without evidence, with open sizes and with unknown work', () => {
    expect(missing(ask(undefined))).toContain('nobody published');
    expect(missing(ask(latency([profile()]), {}, network({ unknown: ['com.x.Magic'] })))).toContain('com.x.Magic');
    expect(missing(ask(latency([profile()]), {}, network({ open: ['sequence'] })))).toContain('--dim');
  });

  it('of an int8 twin uses what the original took', () => {
    const int8 = profile({
      precision: 'int8',
      coefficientsMs: features({ conv1x1Gmac: 50, conv1x1Gb: 500 }),
      int8Twin: {
        ratios: { products1x1: 0.5, products3x3: 0.5, rest: 1 },
        carry: 0.5,
        band: { lowRatio: 0.9, highRatio: 1.1, coverage: 0.9, rowsCovered: 9, rows: 10 },
        error: null,
      },
    });
    const both = latency([profile(), int8]);
    const alone = number(ask(both, { precision: 'int8' }));
    expect(alone.latencyMs).toBeCloseTo(20, 6);
    const told = number(ask(both, { precision: 'int8', originalMs: 70 }));
    // The model in int8 times the root of the deviation, and the original times 30/35 · 0.5 + 5/35.
    expect(told.latencyMs).toBeCloseTo(Math.sqrt(20 * Math.SQRT2 * 70 * ((30 / 35) * 0.5 + 5 / 35)), 6);
    expect(told.highMs / told.latencyMs).toBeCloseTo(1.1, 6);
  });
});

describe('built-in profiles', () => {
  it.each(['rpi3b+', 'rpi4', 'rpi5', 'rpi-zero2w', 'jetson-nano', 'jetson-orin-nano', 'rk3588'])(
    '%s answers for ncnn and, wider, for ONNX Runtime',
    (name) => {
      const of = loadTarget(name).latency;
      const described = network({
        features: features({
          conv1x1Gmac: 0.5,
          conv1x1Gb: 0.02,
          depthwiseGmac: 0.02,
          depthwiseGb: 0.02,
          kiloLayers: 0.05,
        }),
      });
      const ncnn = number(ask(of, {}, described));
      const ort = number(ask(of, { engine: 'onnxruntime' }, described));
      expect(ncnn.tested === null).toBe(name === 'rk3588' || name === 'jetson-orin-nano');
      expect(ort.highMs / ort.lowMs).toBeGreaterThan((ncnn.highMs / ncnn.lowMs) * 1.5);
      expect(ort.widened.length).toBeGreaterThan(0);
      expect(missing(ask(of, { engine: 'onnxruntime', precision: 'int8' }, described))).toContain(
        'onnxruntime in int8',
      );
    },
  );

  it('has none where nobody measured', () => {
    for (const name of ['generic-arm64', 'generic-x64', 'n100']) expect(loadTarget(name).latency).toBeUndefined();
  });

  it('says that ncnn computes in fp16 where it does', () => {
    const choice = chooseProfiles(loadTarget('rpi5').latency, {
      engine: 'ncnn',
      precision: undefined,
      threads: 4,
    }) as ProfileChoice;
    expect(choice.profiles.map(({ profile: { precision } }) => precision)).toEqual(['fp16']);
    expect(
      chooseProfiles(loadTarget('rpi5').latency, { engine: 'ncnn', precision: 'fp32', threads: 4 }),
    ).toHaveProperty('missing');
  });
});

describe('calibrateProfile', () => {
  const setting = {
    engine: 'onnxruntime',
    engineVersion: '1.30',
    precision: 'fp32' as const,
    threads: 4,
    cores: 'all' as const,
    osBits: 64 as const,
    board: 'mine',
    source: 'measured here',
  };
  const shape = profile({
    coefficientsMs: Object.fromEntries(costFeatures.map((name) => [name, 1])) as LatencyProfile['coefficientsMs'],
  });

  it('takes the speed of the board and the shape of the prior', () => {
    const own = calibrateProfile(
      shape,
      [{ features: features({ conv1x1Gmac: 1, conv1x1Gb: 0.5 }), latencyMs: 30 }],
      setting,
    );
    expect(own).toMatchObject({ ...setting, origin: 'calibrated' });
    for (const name of costFeatures) expect(own.coefficientsMs[name]).toBeCloseTo(20, 1);
    expect(own.range.latencyMs).toEqual({ min: 30, max: expect.closeTo(20_000, -2) });
  });

  it('learns the shape from more networks and narrows the band', () => {
    const truth = { conv1x1Gmac: 100, conv3x3Gmac: 20, depthwiseGmac: 300, weightGb: 400, pointwiseGb: 90 } as const;
    const rows = Object.entries(truth).map(([name, value]) => ({
      features: features({ [name]: 1 }),
      latencyMs: value,
    }));
    const one = calibrateProfile(shape, rows.slice(0, 1), setting);
    const five = calibrateProfile(shape, rows, setting);
    expect(five.band.highRatio).toBeLessThan(one.band.highRatio);
    const distance = ({ coefficientsMs }: LatencyProfile) =>
      Object.entries(truth).reduce(
        (sum, [name, ms]) => sum + Math.abs(Math.log(coefficientsMs[name as CostFeature]! / ms)),
        0,
      );
    expect(distance(five)).toBeLessThan(0.6 * distance(one));
  });

  it('has a band that holds what was measured, however little it fits', () => {
    const same = features({ conv1x1Gmac: 1 });
    const rows = [10, 30, 200].map((latencyMs) => ({ features: same, latencyMs }));
    const { band, coefficientsMs } = calibrateProfile(shape, rows, setting);
    expect(coefficientsMs.conv1x1Gmac! * band.lowRatio).toBeLessThan(10.01);
    expect(coefficientsMs.conv1x1Gmac! * band.highRatio).toBeGreaterThan(199.9);
  });

  it('refuses nothing at all', () => {
    expect(() => calibrateProfile(shape, [], setting)).toThrow(RangeError);
  });
});
