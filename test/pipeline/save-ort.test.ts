import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { canonicalizeOrt } from '../../src/formats/ort/canonicalize-ort.ts';
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
    const { report, outputs } = await compress(conv, { output, format: 'both', target: 'rpi4', allowSlower: true });
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
    await compress(conv, { output, format: 'ort', target: 'rpi4', allowSlower: true });
    expect(readdirSync(output).sort()).toEqual([
      'digits-conv.epk',
      'digits-conv.ort',
      'report.html',
      'report.json',
      'report.md',
    ]);
    // Another run, the same bytes.
    const again = readFileSync(join(output, 'digits-conv.ort'));
    expect(again.equals(readFileSync(join(folder, 'both', 'digits-conv.ort')))).toBe(true);
    await unpack(join(output, 'digits-conv.epk'), join(folder, 'unpacked.onnx'));
    expect(readModel(join(folder, 'unpacked.onnx')).graph.nodeCount).toBeGreaterThan(3);
  });

  it('is put into one order, where the engine writes one table in any', async () => {
    const raw: Buffer[] = [];
    for (let i = 0; i < 8; i++) {
      const path = join(folder, `raw${i}.ort`);
      const saving = { optimization: 'extended', optimizedModelPath: path, optimizedModelFormat: 'ort' } as const;
      await (await engine.load(conv, saving)).release();
      raw.push(readFileSync(path));
    }
    const ordered = raw.map((bytes) => Buffer.from(canonicalizeOrt(bytes)).toString('base64'));
    expect(new Set(raw.map((bytes) => bytes.toString('base64'))).size).toBeGreaterThan(1);
    expect(new Set(ordered).size).toBe(1);
    const path = join(folder, 'ordered.ort');
    writeFileSync(path, Buffer.from(ordered[0]!, 'base64'));
    expect(await outputsOf(path)).toEqual(await outputsOf(join(folder, 'raw0.ort')));
    // What is laid out otherwise stays as it is.
    for (const other of [Buffer.alloc(0), Buffer.alloc(64), raw[0]!.subarray(0, 40), raw[0]!.subarray(4)]) {
      expect(canonicalizeOrt(other)).toBe(other);
    }
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
