import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { Model } from '../../src/ir/model.ts';
import { attr } from '../../src/ir/node.ts';
import { tensorType } from '../../src/ir/types.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { quantizedWithMadeUpRanges } from './quantized-with-made-up-ranges.ts';

const here = dirname(fileURLToPath(import.meta.url));
const fixtures = resolve(here, '..', '..', 'fixtures');
const EMULATOR = 'qemu-x86_64-static';
/** AVX2 and no VNNI. */
const PROCESSOR = 'Haswell-noTSX';

const canEmulate = (() => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  try {
    execFileSync(EMULATOR, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

interface Case {
  readonly name: string;
  readonly model: Model;
  readonly dims: readonly number[];
  readonly values: readonly number[];
  /** First element of the output in exact arithmetic. */
  readonly expected: number;
}

type Byte = typeof DataType.uint8 | typeof DataType.int8;

interface Form {
  readonly activation?: Byte;
  readonly weight?: Byte;
  /** QLinearConv and MatMulInteger instead of float operators between DequantizeLinear nodes. */
  readonly operator?: boolean;
}

/** What the first nodes of every case are made of. */
function begin(dims: readonly number[], weights: { dims: readonly number[]; values: readonly number[] }, form: Form) {
  const { activation = DataType.uint8, weight = DataType.int8 } = form;
  const model = Model.create(17, 8);
  const { graph } = model;
  const zero = (name: string, type: Byte, lowest: boolean) =>
    type === DataType.uint8
      ? Tensor.fromArray(name, type, [], Uint8Array.of(0))
      : Tensor.fromArray(name, type, [], Int8Array.of(lowest ? -128 : 0));
  const array = weight === DataType.uint8 ? Uint8Array.from(weights.values) : Int8Array.from(weights.values);
  const one = graph.addInitializer(Tensor.float32('one', [], [1]));
  const z = graph.addInitializer(zero('z', activation, true));
  const wz = graph.addInitializer(zero('wz', weight, false));
  const w = graph.addInitializer(Tensor.fromArray('w', weight, weights.dims, array));
  const x = graph.create('QuantizeLinear', [graph.addInput('x', tensorType(DataType.float32, dims)), one, z]).output;
  const real = () => ({
    x: graph.create('DequantizeLinear', [x, one, z]).output,
    w: graph.create('DequantizeLinear', [w, one, wz]).output,
  });
  return { model, graph, one, z, wz, w, x, real };
}

/** A convolution over an image of 255s; the first output is that of the first channel. */
function conv(
  name: string,
  kernel: readonly number[],
  weightAt: (index: number) => number,
  group = 1,
  form: Form = {},
): Case {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = kernel;
  const values = Array.from({ length: outputs * inputs * height * width }, (_, i) => weightAt(i));
  const dims = [1, inputs * group, height, width];
  const { model, graph, one, z, wz, w, x, real } = begin(dims, { dims: kernel, values }, form);
  const step = graph.addInitializer(Tensor.float32('step', [], [4096]));
  const attributes = [attr.int('group', group)];
  if (form.operator === true) {
    const sum = graph.create('QLinearConv', [x, one, z, w, one, wz, step, z], { attributes });
    graph.outputs.push(graph.create('DequantizeLinear', [sum.output, step, z]).output);
  } else {
    const { x: a, w: b } = real();
    const sum = graph.create('QuantizeLinear', [graph.create('Conv', [a, b], { attributes }).output, step, z]);
    graph.outputs.push(graph.create('DequantizeLinear', [sum.output, step, z]).output);
  }
  const exact = values.slice(0, inputs * height * width).reduce((sum, weight) => sum + 255 * weight, 0);
  return { name, model, dims, values: [255], expected: Math.min(255, Math.round(exact / 4096)) * 4096 };
}

/** A product of rows of 255s with a 32 x 16 matrix whose columns are the same. */
function matrix(
  name: string,
  rows: number,
  weightAt: (k: number) => number,
  opType: 'MatMul' | 'Gemm',
  form: Form = {},
): Case {
  const values = Array.from({ length: 512 }, (_, i) => weightAt(Math.floor(i / 16)));
  const { model, graph, z, wz, w, x, real } = begin([rows, 32], { dims: [32, 16], values }, form);
  if (form.operator === true) {
    const sum = graph.create('MatMulInteger', [x, w, z, wz]).output;
    graph.outputs.push(graph.create('Cast', [sum], { attributes: [attr.int('to', DataType.float32)] }).output);
  } else {
    const { x: a, w: b } = real();
    graph.outputs.push(graph.create(opType, [a, b]).output);
  }
  const expected = Array.from({ length: 32 }, (_, k) => 255 * weightAt(k)).reduce((a, b) => a + b, 0);
  return { name: `${name}, ${rows} rows`, model, dims: [rows, 32], values: [255], expected };
}

const full = () => 127;
const signed = { activation: DataType.int8 } as const;
const unsigned = { weight: DataType.uint8 } as const;
/** The largest weight at the given places of each output channel, zeros elsewhere. */
const at =
  (perChannel: number, ...places: readonly number[]) =>
  (index: number) =>
    places.includes(index % perChannel) ? 127 : 0;

const cases: readonly Case[] = [
  conv('pointwise', [16, 16, 1, 1], full),
  conv('depthwise', [16, 1, 3, 3], full, 16),
  conv('depthwise of few channels', [3, 1, 3, 3], full, 3),
  conv('depthwise with two outputs per input', [16, 1, 3, 3], full, 8),
  conv('grouped', [16, 4, 3, 3], full, 4),
  conv('of three channels', [16, 3, 3, 3], full),
  conv('uint8 weights', [16, 16, 1, 1], full, 1, unsigned),
  conv('int8 activations', [16, 16, 1, 1], full, 1, signed),
  conv('QLinearConv', [16, 16, 1, 1], full, 1, { operator: true }),
  conv('depthwise QLinearConv', [16, 1, 3, 3], full, 16, { operator: true }),
  conv('QLinearConv of int8 activations', [16, 16, 1, 1], full, 1, { operator: true, ...signed }),
  conv('neighbouring channels', [16, 4, 2, 2], at(16, 0, 4)),
  conv('second and third channel', [16, 4, 2, 2], at(16, 4, 8)),
  conv('last channel and first of the next position', [16, 3, 2, 2], at(12, 8, 1)),
  ...[1, 5].flatMap((rows) => [
    matrix('MatMul', rows, full, 'MatMul'),
    matrix('MatMul of int8 activations', rows, full, 'MatMul', signed),
    matrix('MatMul with uint8 weights', rows, full, 'MatMul', unsigned),
    matrix('Gemm', rows, full, 'Gemm'),
    matrix('MatMulInteger', rows, full, 'MatMul', { operator: true }),
    matrix('MatMulInteger of int8 activations', rows, full, 'MatMul', { operator: true, ...signed }),
    matrix('rows 0 and 1', rows, (k) => (k < 2 ? 127 : 0), 'MatMul'),
    matrix('rows 1 and 2', rows, (k) => (k === 1 || k === 2 ? 127 : 0), 'MatMul'),
    matrix('rows 0 and 2', rows, (k) => (k === 0 || k === 2 ? 127 : 0), 'MatMul'),
  ]),
];

describe.skipIf(!canEmulate)('the engine on an emulated x86 without VNNI', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-emulated-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** First outputs of models: by default sessions of the emulated processor, or by exact ones of this one. */
  function run(models: readonly Pick<Case, 'model' | 'dims' | 'values'>[], emulated: boolean): number[][] {
    const list = models.map(({ model, dims, values }, i) => {
      const path = join(folder, `${i}.onnx`);
      writeFileSync(path, Buffer.concat(encodeModel(model).pieces));
      return { path, dims, values };
    });
    const file = join(folder, 'list.json');
    writeFileSync(file, JSON.stringify(list));
    const script = [join(here, 'run-models.mjs'), file];
    const options = { encoding: 'utf8', env: { PATH: process.env.PATH }, stdio: 'pipe' } as const;
    return JSON.parse(
      emulated
        ? execFileSync(EMULATOR, ['-cpu', PROCESSOR, process.execPath, '--jitless', ...script], options)
        : execFileSync(process.execPath, [...script, 'exact'], options),
    ) as number[][];
  }

  it('saturates nowhere but where the static check says that it can', () => {
    const outputs = run(cases, true);
    const surprises: string[] = [];
    const seen = new Set<string>();
    for (const [i, { name, model, expected }] of cases.entries()) {
      const isExact = outputs[i]![0] === expected;
      const can = findSaturation(model)?.possible === true;
      if (!isExact && !can) surprises.push(`${name}: ${outputs[i]![0]} for ${expected}`);
      seen.add(`${can ? 'can' : 'cannot'}, ${isExact ? 'exact' : 'saturated'}`);
      // Where all weights are the largest, it also does what it can.
      if (can && isExact) surprises.push(`${name}: exact`);
    }
    expect(surprises).toEqual([]);
    expect([...seen].sort()).toEqual(['can, saturated', 'cannot, exact']);
  });

  it.each(['digits-dense.onnx', 'digits-conv.onnx'])('computes %s exactly if its weights are limited', async (name) => {
    const path = join(fixtures, name);
    const values = Array.from({ length: 784 }, (_, i) => (Math.floor(i / 28) % 5 < 3 && i % 28 > 6 ? 1 : 0));
    const models = [];
    for (const saturating of [true, false]) {
      models.push({ model: await quantizedWithMadeUpRanges(path, saturating), dims: [1, 1, 28, 28], values });
    }
    const exact = run(models, false);
    const there = run(models, true);
    const difference = (i: number) => Math.max(...exact[i]!.map((value, k) => Math.abs(value - there[i]![k]!)));
    expect(findSaturation(models[0]!.model)?.possible).toBe(false);
    expect(difference(0)).toBeLessThan(1e-5);
    expect(difference(1)).toBeGreaterThan(difference(0));
  });
});
