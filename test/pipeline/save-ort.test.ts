import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { compress, inspect, unpack } from '../../src/index.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import type { SessionOptions } from '../../src/runtime/session.ts';

const conv = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-ort-'));
  engine = await startEngine();
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

async function outputsOf(path: string, options: SessionOptions = {}): Promise<Float32Array> {
  const session = await engine.load(path, options);
  const outputs = await session.run(syntheticFeeds(session.inputs, 0));
  await session.release();
  return Object.values(outputs)[0]!.data as Float32Array;
}

describe('the format of the engine', () => {
  it('is written beside the .onnx, gives its outputs, and stands in the report', async () => {
    const output = join(folder, 'both');
    const { report, outputs } = await compress(conv, { output, format: 'both', target: 'rpi4' });
    expect(() => reportSchema.parse(report)).not.toThrow();
    const ort = outputs.find(({ path }) => path.endsWith('digits-conv.ort'))!;
    const bytes = readFileSync(ort.path);
    expect(bytes.subarray(4, 8).toString()).toBe('ORTM');
    expect(report!.sizes.ortBytes).toBe(bytes.length);
    expect(report!.outputs.map(({ path }) => path.split(/[/\\]/).at(-1))).toEqual([
      'digits-conv.onnx',
      'digits-conv.ort',
      'digits-conv.epk',
    ]);
    const onnx = join(output, 'digits-conv.onnx');
    expect(await outputsOf(ort.path)).toEqual(await outputsOf(onnx, { optimization: 'extended' }));
    await expect(inspect(ort.path)).rejects.toMatchObject({
      code: 'model-unreadable',
      message: expect.stringContaining("ONNX Runtime's own format (.ort)"),
    });
  });

  it('can stand in for the .onnx, which is in the .epk', async () => {
    const output = join(folder, 'ort');
    await compress(conv, { output, format: 'ort', target: 'rpi4' });
    expect(readdirSync(output).sort()).toEqual([
      'digits-conv.epk',
      'digits-conv.ort',
      'report.html',
      'report.json',
      'report.md',
    ]);
    await unpack(join(output, 'digits-conv.epk'), join(folder, 'unpacked.onnx'));
    expect(readModel(join(folder, 'unpacked.onnx')).graph.nodeCount).toBeGreaterThan(3);
  });

  it('holds no layouts of this processor, which the engine would add beyond the level it is saved at', async () => {
    const domainsAt = async (optimization: 'extended' | 'all'): Promise<Set<string>> => {
      const path = join(folder, `${optimization}.onnx`);
      await (await engine.load(conv, { optimization, optimizedModelPath: path })).release();
      return new Set(Array.from(readModel(path).graph.nodes(), ({ domain }) => domain));
    };
    expect(await domainsAt('extended')).not.toContain('com.microsoft.nchwc');
    if (process.arch === 'x64') expect(await domainsAt('all')).toContain('com.microsoft.nchwc');
  });
});
