import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, type Preprocess, spread } from '../../src/data/dataset.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { writeModel } from '../../src/formats/onnx/write-model.ts';
import { compress } from '../../src/index.ts';
import type { Node } from '../../src/ir/node.ts';
import type { Value } from '../../src/ir/value.ts';
import { datasetOptions } from '../../src/pipeline/open-samples.ts';
import { cortexA72 } from '../reference/emulated-hosts.ts';
import { zooAvailable, zooEntry, zooPath, zooPreprocess } from '../zoo.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const script = fileURLToPath(new URL('./run-outputs.mjs', import.meta.url));
const SAMPLES = 3;

interface Difference {
  /** Outputs of QuantizeLinear nodes, and of all samples the elements in them. */
  readonly tensors: number;
  readonly integers: number;
  readonly different: number;
  /** By how many steps at most. */
  readonly maxSteps: number;
  /**
   * Of the tensors that differ although all rounded tensors they are computed from are the same: how many of their elements,
   * by the operators in between. This is where differences begin.
   */
  readonly begin: Readonly<Record<string, { readonly elements: number; readonly maxSteps: number }>>;
  /** Of the model's own output, over its largest value. */
  readonly outputDifference: number;
}

/** The rounded tensors that a rounded tensor is computed from, and the operators in between. */
function originOf(node: Node): { readonly from: ReadonlySet<string>; readonly operators: string } {
  const from = new Set<string>();
  const operators = new Set<string>();
  const visit = (value: Value | undefined) => {
    const producer = value?.producer;
    if (value === undefined || producer === undefined || producer === null) return;
    if (producer.is('QuantizeLinear')) {
      from.add(value.name);
      return;
    }
    if (!producer.is('DequantizeLinear')) operators.add(producer.opType);
    for (const input of producer.inputs) visit(input ?? undefined);
  };
  visit(node.input(0) ?? undefined);
  return { from, operators: [...operators].sort().join('+') };
}

describe.skipIf(!cortexA72.canRun)(`compressed models on ${cortexA72.name}, beside exact sessions of this host`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-arm64-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function compare(
    name: string,
    path: string,
    data: string,
    options: { preprocess?: Preprocess | string },
  ): Promise<Difference> {
    const output = join(folder, name);
    const { outputs } = await compress(path, {
      ...options,
      data,
      output,
      target: 'rpi4',
      threads: 1,
      allowSlower: true,
      cacheFolder: join(folder, 'cache'),
    });
    const compressed = outputs.find((file) => file.path.endsWith('.onnx'))!.path;
    const dataset = await openDataset(data, datasetOptions(readModel(compressed), options));
    const samples: number[][] = [];
    let dims: readonly number[] = [];
    for (const index of spread(0, dataset.count, SAMPLES)) {
      const [feed] = Object.values(await dataset.feed(index));
      dims = feed!.dims;
      samples.push(Array.from(feed!.data as Float32Array));
    }
    // Every rounded activation becomes an output, so that layers are compared and not only what is left at the end.
    const model = readModel(compressed);
    const { graph } = model;
    const own = graph.outputs.length;
    for (const node of [...graph.nodes()]) {
      if (node.is('QuantizeLinear') && !graph.outputs.includes(node.output)) graph.outputs.push(node.output);
    }
    const origins = new Map(
      [...graph.nodes()].filter((node) => node.is('QuantizeLinear')).map((node) => [node.output.name, originOf(node)]),
    );
    const names = graph.outputs.map((output) => output.name);
    const begin: Record<string, { elements: number; maxSteps: number }> = {};
    const opened = join(folder, `${name}.onnx`);
    writeModel(model, opened);
    const list = join(folder, `${name}.json`);
    const run = (exact: boolean, [program, ...before]: readonly string[]): number[][][] => {
      writeFileSync(list, JSON.stringify({ path: opened, dims, samples, exact }));
      const printed = execFileSync(program!, [...before, script, list], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 2 ** 28,
      });
      return JSON.parse(printed) as number[][][];
    };
    const here = run(true, [process.execPath]);
    const there = run(false, cortexA72.command(folder));
    let [integers, different, maxSteps, outputDifference] = [0, 0, 0, 0];
    here.forEach((tensors, sample) => {
      const differing = new Map<string, { elements: number; maxSteps: number }>();
      tensors.forEach((values, k) => {
        const others = there[sample]![k]!;
        expect(others).toHaveLength(values.length);
        const off = values.map((value, i) => Math.abs(value - others[i]!));
        const largest = off.reduce((max, value) => Math.max(max, value), 0);
        if (k < own) {
          outputDifference = Math.max(outputDifference, largest / Math.max(...values.map(Math.abs)));
          return;
        }
        integers += off.length;
        const count = off.filter((value) => value > 0).length;
        if (count > 0) differing.set(names[k]!, { elements: count, maxSteps: largest });
        different += count;
        maxSteps = Math.max(maxSteps, largest);
      });
      for (const [tensor, { elements, maxSteps: steps }] of differing) {
        const { from, operators } = origins.get(tensor)!;
        if ([...from].some((origin) => differing.has(origin))) continue;
        const so = begin[operators] ?? { elements: 0, maxSteps: 0 };
        begin[operators] = { elements: so.elements + elements, maxSteps: Math.max(so.maxSteps, steps) };
      }
    });
    return { tensors: here[0]!.length - own, integers, different, maxSteps, begin, outputDifference };
  }

  it.each(['digits-dense', 'digits-conv'])('gives the same integers: %s', async (name) => {
    const found = await compare(name, join(fixtures, `${name}.onnx`), join(fixtures, 'digits.npz'), {});
    console.log(name, JSON.stringify(found));
    expect(found.integers).toBeGreaterThan(0);
    expect(found).toMatchObject({ different: 0, maxSteps: 0 });
  });

  it('loads an .ort that was saved on this host, with the same integers inside', async () => {
    const output = join(folder, 'ort');
    await compress(join(fixtures, 'digits-conv.onnx'), {
      output,
      data: join(fixtures, 'digits.npz'),
      format: 'ort',
      target: 'rpi4',
      threads: 1,
      allowSlower: true,
      cacheFolder: join(folder, 'cache'),
    });
    const values = Array.from({ length: 784 }, (_, i) => (i % 29) / 29);
    const list = join(folder, 'ort.json');
    const run = (path: string, [program, ...before]: readonly string[]): number[] => {
      writeFileSync(list, JSON.stringify({ path, dims: [1, 1, 28, 28], samples: [values], exact: false }));
      const printed = execFileSync(program!, [...before, script, list], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return (JSON.parse(printed) as number[][][])[0]![0]!;
    };
    const ort = join(output, 'digits-conv.ort');
    // The last layer gives integers too, times their scale.
    expect(run(ort, cortexA72.command(folder))).toEqual(run(ort, [process.execPath]));
  });

  // The engine adds two quantized tensors in floats, and its kernels of both processors do so in different order: a sum that
  // lies half way between two integers is rounded to one or the other. Later layers see other inputs then.
  it.skipIf(!zooAvailable)('gives the same integers, but where Add rounds otherwise: resnet8_cifar10', async () => {
    const entry = zooEntry('resnet8_cifar10');
    const found = await compare(entry.name, zooPath(entry.model), zooPath(entry.calibration.x), {
      preprocess: zooPreprocess(entry)!,
    });
    console.log(entry.name, JSON.stringify(found));
    expect(found.integers).toBeGreaterThan(100_000);
    expect(Object.keys(found.begin)).toEqual(['Add']);
    expect(found.begin.Add!.maxSteps).toBe(1);
    expect(found.begin.Add!.elements / found.integers).toBeLessThan(0.0005);
    // How far these few spread depends on the scales of the layers after.
    expect(found.different / found.integers).toBeLessThan(0.05);
    expect(found.outputDifference).toBeLessThan(0.05);
  });
});
