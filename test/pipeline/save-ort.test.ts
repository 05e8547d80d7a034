import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { canonicalizeOrt } from '../../src/formats/ort/canonicalize-ort.ts';
import { decodeOrt } from '../../src/formats/ort/decode-ort.ts';
import { FlatbufferWriter } from '../../src/formats/ort/flatbuffer-writer.ts';
import { check, compress, evaluate, inspect, unpack } from '../../src/index.ts';
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
    await expect(compress(ort.path, { output: join(folder, 'again') })).rejects.toMatchObject({
      code: 'model-unreadable',
      message: expect.stringContaining("ONNX Runtime's own format (.ort)"),
    });
  });

  it('is read as the graph that the engine runs: same inputs, constants and products', async () => {
    const output = join(folder, 'read');
    const data = fileURLToPath(new URL('../../fixtures/digits.npz', import.meta.url));
    const options = { output, data, format: 'both', target: 'rpi4', allowSlower: true, recipe: 'accurate' } as const;
    await compress(conv, options);
    const [onnx, ort] = [join(output, 'digits-conv.onnx'), join(output, 'digits-conv.ort')];
    const [written, read] = [await inspect(onnx), await inspect(ort)];
    expect(read.inputs).toEqual(written.inputs);
    expect(read.outputs).toEqual(written.outputs);
    expect(read.model.macs).toBe(written.model.macs);
    expect(read.quantization.state).toBe('int8');
    expect(read.memory.peakActivationBytes).toBe(written.memory.peakActivationBytes);
    const constants = (path: string) =>
      new Map(
        Array.from(readModel(path, { ort: true }).graph.initializers, ({ name, tensor }) => [name, tensor!] as const),
      );
    const before = constants(onnx);
    const kept = [...constants(ort)].filter(([name]) => before.has(name));
    expect(kept.length).toBeGreaterThan(10);
    for (const [name, tensor] of kept)
      expect(Buffer.from(tensor.bytes()), name).toEqual(Buffer.from(before.get(name)!.bytes()));
    const { exact, comparison } = await evaluate(ort, { data, against: onnx, threads: 1 });
    expect(comparison?.exact?.agreement?.value).toBe(1);
    expect(exact?.top1?.value).toBeGreaterThan(0.95);
    const { items } = await check(ort, { budgets: { size: { file: '1 kB', epk: 5 } } });
    expect(items.map(({ message }) => message.slice(0, 22))).toEqual([
      expect.stringMatching(/^\.ort file/),
      'there is no .epk file ',
    ]);
  });

  it('that is damaged ends in one error, and never reads more than there is', async () => {
    const bytes = readFileSync(join(folder, 'read', 'digits-conv.ort'));
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const path = join(folder, 'damaged.ort');
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const damaged = Buffer.from(i % 3 === 0 ? bytes.subarray(0, 8 + random(bytes.length - 8)) : bytes);
      for (let k = 0; i % 3 > 0 && k < 1 + random(8); k++) damaged[8 + random(damaged.length - 8)] = random(256);
      writeFileSync(path, damaged);
      try {
        readModel(path, { ort: true });
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(EdgepackError);
        expect((error as EdgepackError).location.file).toBe(path);
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('that points to the same parts again and again is refused, however small it is', () => {
    const writer = new FlatbufferWriter(Buffer.from('ORTM'));
    const session = writer.root([0, 4], 8);
    const model = writer.table(session + 4, writer.vtable([0, 0, 0, 0, 0, 0, 0, 4], 8), 8);
    const graph = writer.vtable([0, 0, 4], 8);
    const node = writer.vtable([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4], 8);
    const attribute = writer.vtable([0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8], 12);
    let slot = model + 4;
    let slots = [slot];
    for (let depth = 0; depth < 20; depth++) {
      // One graph of one node, with ten times the graph below in an attribute.
      slot = slots[0]!;
      const at = writer.table(slot, graph, 8);
      for (const other of slots.slice(1)) writer.point(other, at);
      const made = writer.table(writer.list(at + 4, 1), node, 8);
      const holder = writer.table(writer.list(made + 4, 1), attribute, 12);
      writer.u32(holder + 4, 10);
      const list = writer.list(holder + 8, 10);
      slots = Array.from({ length: 10 }, (_, i) => list + 4 * i);
    }
    const last = writer.table(slots[0]!, graph, 8);
    for (const other of slots.slice(1)) writer.point(other, last);
    writer.list(last + 4, 0);
    expect(writer.length).toBeLessThan(4000);
    expect(() => decodeOrt(writer.bytes())).toThrow(expect.objectContaining({ code: 'model-too-large' }));
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
