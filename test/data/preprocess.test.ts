import { createHash } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { planImages } from '../../src/data/image-plan.ts';
import { loadPreprocess, preprocessJsonSchema, preprocessPresets } from '../../src/data/preprocess.ts';
import { type KernelName, resample } from '../../src/data/resample.ts';
import { spread } from '../../src/data/spread.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { temporaryFolder } from './numpy-files.ts';

describe('presets', () => {
  it.each(Object.keys(preprocessPresets()))('%s fits the models it is for', (name) => {
    const channels = preprocessPresets()[name]!.color === 'gray' ? 1 : 3;
    const plan = planImages(
      { name: 'x', dataType: DataType.float32, shape: ['N', channels, 32, 32] },
      loadPreprocess(name),
    );
    const { divide, mean, std } = plan.settings;
    expect(plan.tables).toHaveLength(channels);
    for (let c = 0; c < channels; c++) {
      for (const v of [0, 1, 127, 255]) {
        expect(plan.tables[c]![v]).toBeCloseTo((v / divide - mean[c]!) / std[c]!, 4);
      }
    }
  });

  it('compute in float32 step by step', () => {
    const plan = planImages(
      { name: 'x', dataType: DataType.float32, shape: ['N', 3, 32, 32] },
      loadPreprocess('imagenet-torch'),
    );
    // (np.float32(200) / np.float32(255) - np.float32(.485)) / np.float32(.229), by NumPy.
    const f = Math.fround;
    expect(plan.tables[0]![200]).toBe(f(f(f(200 / 255) - f(0.485)) / f(0.229)));
    expect(plan.tables[0]![200]).not.toBe(f((200 / 255 - 0.485) / 0.229 + 1e-6));
  });
});

describe('preprocess settings', () => {
  it('are taken from an object, a text, a file or a preset with changes', () => {
    const folder = temporaryFolder();
    const file = folder.write('p.json', '{ "preset": "efficientnet-lite", "crop": 240 }');
    expect(loadPreprocess(file)).toEqual({
      name: `preset efficientnet-lite, changed by ${file}`,
      settings: { ...preprocessPresets()['efficientnet-lite'], crop: 240 },
    });
    expect(loadPreprocess('{"divide": 255}').settings).toEqual({ divide: 255 });
    expect(loadPreprocess({ resize: { shortSide: 256 } }).settings).toEqual({ resize: { shortSide: 256 } });
    expect(loadPreprocess({ preset: 'cifar10' })).toEqual(loadPreprocess('cifar10'));
  });

  it('have a JSON Schema that says the same', () => {
    const validate = new Ajv2020({ strict: false }).compile(preprocessJsonSchema());
    const good = [
      {},
      { preset: 'cifar10' },
      { resize: null, crop: { width: 3, height: 4 } },
      { resize: { shortSide: 9 } },
    ];
    const bad = [{ divid: 1 }, { crop: 0 }, { std: [0] }, { resize: { shortSide: 9, width: 3 } }, { color: 'cmyk' }];
    for (const value of good) {
      expect(validate(value), JSON.stringify(value)).toBe(true);
      loadPreprocess(value);
    }
    for (const value of bad) {
      expect(validate(value), JSON.stringify(value)).toBe(false);
      expect(() => loadPreprocess(value), JSON.stringify(value)).toThrow();
    }
  });
});

describe('resample', () => {
  const pixels = {
    width: 7,
    height: 5,
    channels: 3,
    data: Uint8Array.from({ length: 105 }, (_, i) => {
      const x = Math.floor(i / 3) % 7;
      return (x * 37 + Math.floor(i / 21) * 91 + (i % 3) * 53) % 256;
    }),
  };
  // First 16 digits of the SHA-256 of what Pillow 13's Image.resize gives for these pixels.
  const byPillow: readonly [KernelName, number, number, string][] = [
    ['nearest', 3, 2, '6eaa2353ba444f09'],
    ['nearest', 10, 9, 'e43dbb7566b0dfe1'],
    ['box', 3, 2, '18cda38a0794c54a'],
    ['box', 10, 9, 'e43dbb7566b0dfe1'],
    ['linear', 3, 2, 'a92fe1f6e2c36005'],
    ['linear', 10, 9, 'b39fe16c4011b1e2'],
    ['cubic', 3, 2, 'b610d023390d710d'],
    ['cubic', 10, 9, '88391477eb46a0b6'],
    ['lanczos', 3, 2, '20d3272a7131e5df'],
    ['lanczos', 10, 9, 'b5f95263adc4cfed'],
  ];
  it.each(byPillow)('%s to %ix%i gives the bytes that Pillow gives', (kernel, width, height, digest) => {
    const { data, ...size } = resample(pixels, { width, height }, kernel);
    expect(size).toEqual({ width, height, channels: 3 });
    expect(createHash('sha256').update(data).digest('hex').slice(0, 16)).toBe(digest);
  });
});

describe('spread', () => {
  it('takes evenly spaced indices', () => {
    expect(spread(0, 10, 4)).toEqual([0, 2, 5, 7]);
    expect(spread(1000, 10000, 3)).toEqual([1000, 4000, 7000]);
    expect(spread(5, 8, 100)).toEqual([5, 6, 7]);
    expect(spread(5, 5, 2)).toEqual([]);
  });
});
