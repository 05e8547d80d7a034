import { describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { exampleCalibration } from './example-calibration.ts';
import { examplePrediction, runCli } from './fake-api.ts';

const used = { path: '~/.config/edgepack/targets/rpi4.json', measuredAt: '2026-05-01T12:00:00.000Z', ageDays: 40.2 };

describe('edgepack targets calibrate', () => {
  it('passes on what was asked for and shows what was measured and where it lies', async () => {
    const words = ['targets', 'calibrate', 'rpi4', '--device', 'ssh://pi@board', '--threads', '1,4', '-o', 'c.json'];
    const { exitCode, stdout, calls } = await runCli([...words, '--force']);
    expect(exitCode).toBe(0);
    expect(calls).toEqual([
      {
        name: 'calibrate',
        args: [
          'rpi4',
          { device: 'ssh://pi@board', threads: '1,4', output: expect.stringMatching(/c\.json$/), force: true },
          expect.objectContaining({ logger: expect.anything() }),
        ],
      },
    ]);
    expect(stdout).toMatch(/products-1x1 +12\.0 ms +10\.0 ms +1\.20 × faster/);
    expect(stdout).toMatch(/depthwise +9\.00 ms +18\.0 ms +2\.00 × slower/);
    expect(stdout).toContain('the frequency governor is ondemand');
    expect(stdout).toContain('Wrote /home/me/.config/edgepack/targets/rpi4.json, with 1 profile from before.');
    expect(stdout).toContain('edgepack predict model.onnx --target rpi4 --threads 4');
  });

  it('prints JSON, also where an option of "targets" has the same name, and a plan for a dry run', async () => {
    const { stdout } = await runCli(['targets', 'calibrate', 'rpi4', '--host', '--json']);
    expect(JSON.parse(stdout)).toEqual(exampleCalibration());
    const result = exampleCalibration();
    const plan = {
      ...result,
      source: null,
      rows: [],
      fits: [],
      warnings: [],
      file: { ...result.file, isWritten: false },
    };
    const dry = await runCli(['targets', 'calibrate', 'rpi4', '--host', '--dry-run'], {
      api: { calibrate: async () => plan },
    });
    expect(dry.stdout).toMatch(/Would calibrate Raspberry Pi 4.*\n.*products-1x1, depthwise\n.*at most 1 min 40 s/);
    expect(dry.stdout).not.toContain('Wrote');
  });

  it('says in spite of what it was measured', async () => {
    const result = { ...exampleCalibration(), inSpiteOf: ['while depthwise ran: it was hot'] };
    const { stdout } = await runCli(['targets', 'calibrate', 'rpi4', '--host'], {
      api: { calibrate: async () => result },
    });
    expect(stdout).toContain('! in spite of: while depthwise ran: it was hot');
  });

  it.each([
    [['--precision', 'fp16'], /--precision fp16: must be fp32, int8 or fp32,int8/],
    [['--threads', '0'], /--threads 0: must be counts such as 4 or 1,4/],
    [['--max-seconds', '0'], /--max-seconds 0/],
    [['--nonsense'], /unknown option '--nonsense'/],
  ])('refuses %j', async (words, message) => {
    const { exitCode, stderr, calls } = await runCli(['targets', 'calibrate', 'rpi4', '--host', ...words]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(calls).toEqual([]);
  });

  it('has help with examples, and needs a target', async () => {
    const { stdout, exitCode } = await runCli(['targets', 'calibrate', '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('edgepack targets calibrate rpi4 --device ssh://pi@raspberrypi.local');
    expect((await runCli(['targets', 'calibrate'])).exitCode).toBe(2);
  });
});

describe("a user's calibration", () => {
  const settings = ['onnxruntime 1.30.0 fp32 4 threads'];
  const api = {
    describeCalibration: ({ name }: { name: string }) => (name === 'rpi4' ? { ...used, settings } : undefined),
  };

  it('is told by "targets", in the list and with its file and age for one device', async () => {
    const list = (await runCli(['targets'], { api })).stdout;
    expect(list).toMatch(/rpi4 .*calibrated, 40 days old/);
    expect(list.match(/calibrated/g)).toHaveLength(1);
    const one = (await runCli(['targets', 'rpi4'], { api })).stdout;
    expect(one).toContain(`your own calibration, 40 days old (${used.path}): ${settings[0]}`);
  });

  it('that cannot be read is told as well, and the devices are shown all the same', async () => {
    const damaged = {
      describeCalibration: () => {
        throw new EdgepackError('target', 'calibration x.json: unknown key');
      },
    };
    const list = await runCli(['targets'], { api: damaged });
    expect(list.exitCode).toBe(0);
    expect(list.stdout).toMatch(/rpi4 .*calibration unreadable/);
    expect((await runCli(['targets', 'rpi4'], { api: damaged })).stdout).toContain(
      'cannot be used: calibration x.json',
    );
  });

  it('is told by "predict"', async () => {
    const prediction = { ...examplePrediction.prediction!, origin: 'calibrated' as const, calibration: used };
    const { stdout } = await runCli(['predict', 'model.onnx'], {
      api: { predict: async () => ({ ...examplePrediction, prediction }) },
    });
    expect(stdout.replace(/\s+/g, ' ')).toContain(`profile your own calibration, 40 days old (${used.path})`);
  });
});
