import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSchema } from '../../src/budget/check-schema.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { builtProgram } from '../built-program.ts';
import { hasSshServer, SshServer } from './ssh-server.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

describe.skipIf(!hasSshServer)('compress with a device over ssh', () => {
  let server: SshServer;
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'compress-device-'));
    program = builtProgram(join(folder, 'program'));
    server = await SshServer.start();
  });
  afterAll(async () => {
    await server?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('ships what is not slower there, by what was measured there', async () => {
    const output = join(folder, 'out');
    const model = join(fixtures, 'digits-conv.onnx');
    const samples = [
      '--data',
      join(fixtures, 'digits.npz'),
      '--recipe',
      'accurate',
      '--target',
      'rpi4',
      '--threads',
      '1',
    ];
    const device = ['--device', server.device(), '--ssh-config', server.clientConfig];
    const places = ['-o', output, '--cache-folder', join(folder, 'cache')];
    const args = [program, 'compress', model, '-q', ...samples, ...device, ...places];
    await promisify(execFile)(process.execPath, args);
    const report = reportSchema.parse(JSON.parse(readFileSync(join(output, 'report.json'), 'utf8')));
    const { evidence, variants } = report.execution!;
    expect(evidence.kind).toBe('device');
    expect(evidence.label).toContain(`measured on the device ssh://127.0.0.1:${server.port}`);
    const shipped = variants.find((variant) => variant.shipped)!;
    expect(['faster', 'not-slower']).toContain(shipped.verdict);
    expect(report.latency.device!.ratio).toBe(shipped.ratio);
    expect(report.latency.device!.compressed.samples.length).toBeGreaterThan(10);
    expect(server.leftovers()).toEqual([]);
    expect(server.remoteProcesses()).toEqual([]);
    const config = join(folder, 'budgets.json');
    const limits = { latency: { device: { maxIncrease: '60%' }, host: { max: '1 s' } } };
    writeFileSync(config, JSON.stringify({ target: 'rpi4', budgets: limits }));
    const check = [program, 'check', output, '--json', '--config', config, '--baseline', output, '--max-seconds', '1'];
    const { stdout } = await promisify(execFile)(process.execPath, [...check, '--threads', '1', ...device]);
    const { items } = checkSchema.parse(JSON.parse(stdout));
    expect(items.map(({ metric, outcome }) => `${metric} ${outcome}`)).toEqual([
      'latency.host passed',
      'latency.device passed',
    ]);
    expect(items[1]!.message).toContain('time as a multiple of the baseline on the device');
    expect(server.leftovers()).toEqual([]);
    expect(server.remoteProcesses()).toEqual([]);
  });
});
