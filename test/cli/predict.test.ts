import { describe, expect, it } from 'vitest';
import { examplePrediction, runCli } from './fake-api.ts';

describe('edgepack predict', () => {
  it('prints the interval, how it was tested and where it comes from', async () => {
    const { exitCode, stdout, calls } = await runCli([
      'predict',
      'model.onnx',
      '--target',
      'rpi4',
      '--engine',
      'ncnn',
      '--dim',
      'sequence=128',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('62.0 ms, 90 % interval 50.0 ms to 80.0 ms, predicted, not measured');
    expect(stdout).toContain('18 of 20 measured networks');
    expect(stdout).toContain('someone/something@1234:README.md');
    expect(calls[0]).toMatchObject({
      name: 'predict',
      args: [expect.stringMatching(/model\.onnx$/), { target: 'rpi4', engine: 'ncnn', dim: ['sequence=128'] }],
    });
  });

  it('says why there is no number and what would give one', async () => {
    const none = { ...examplePrediction, prediction: null, missing: 'nobody published latencies of this device' };
    const { exitCode, stdout } = await runCli(['predict', 'model.onnx'], { api: { predict: async () => none } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('no number: nobody published latencies');
    expect(stdout).toContain('measure it on the device');
  });

  it('says why an interval is wider, and that its coverage was not tested', async () => {
    const prediction = { ...examplePrediction.prediction!, tested: null, widened: ['told from ncnn'] };
    const { stdout } = await runCli(['predict', 'model.onnx'], {
      api: { predict: async () => ({ ...examplePrediction, prediction }) },
    });
    expect(stdout).toMatch(/wider\s+told from ncnn/);
    expect(stdout).toContain('could not be tested');
  });

  it('prints JSON, and refuses wrong values', async () => {
    const { stdout } = await runCli(['predict', 'model.onnx', '--json']);
    expect(JSON.parse(stdout)).toEqual(examplePrediction);
    const wrong = await runCli(['predict', 'model.onnx', '--precision', 'int3']);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('int3');
  });
});
