import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/diagnostics/logger.ts';
import { cloneModel } from '../../src/formats/onnx/clone-model.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../src/formats/onnx/write-model.ts';
import { compress, inspect } from '../../src/index.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import type { Model } from '../../src/ir/model.ts';
import { optimizePasses } from '../../src/passes/optimize/optimize-passes.ts';
import { insertQdq } from '../../src/passes/quantize/insert-qdq.ts';
import { placementOptions } from '../../src/passes/quantize/insert-qdq-options.ts';
import { placeQuantization } from '../../src/passes/quantize/placement.ts';
import { runPasses } from '../../src/passes/run-passes.ts';
import {
  followProvider,
  formatNotice,
  insertionFor,
  providerNotices,
  runProvider,
} from '../../src/pipeline/follow-provider.ts';
import { loadRecipe } from '../../src/recipes/load-recipe.ts';
import { inspectionSchema } from '../../src/report/inspection-schema.ts';
import { renderHtml } from '../../src/report/render-html.ts';
import { renderMarkdown } from '../../src/report/render-markdown.ts';
import { renderTerminal } from '../../src/report/render-terminal.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { chooseProvider } from '../../src/targets/choose-provider.ts';
import { loadTarget } from '../../src/targets/load-target.ts';
import { dataTypeName } from '../../src/tensor/data-type.ts';
import { exampleReport } from '../report/example-report.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const conv = join(fixtures, 'digits-conv.onnx');
const dense = join(fixtures, 'digits-dense.onnx');
const data = join(fixtures, 'digits.npz');

let folder: string;
let original: Model;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-provider-'));
  original = readModel(conv);
  await runPasses(original, optimizePasses(), { logger: silentLogger });
  inferShapes(original);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The model in int8 as a provider of a device wants it, with made-up ranges. */
async function quantizedFor(name: string, provider: string): Promise<Model> {
  const target = loadTarget(name);
  const options = insertionFor(chooseProvider(target, provider), target);
  const model = cloneModel(original);
  inferShapes(model);
  const { quantizedValues } = placeQuantization(model, placementOptions(options));
  const activations = new Map(quantizedValues.map((value) => [value.name, { min: -1, max: 3 }]));
  const table = { sampleCount: 1, activations, channelMeans: new Map() };
  await runPasses(model, [insertQdq(table, { ...options, weightRange: 'max' })], { logger: silentLogger });
  return model;
}

/** A line for every node: pairs with type and zero point, others with where their inputs come from. */
function sketch(model: Model): string[] {
  return [...model.graph.nodes()].map((node) => {
    const zero = node.input(2)?.tensor;
    if (node.is('QuantizeLinear')) return `Q ${dataTypeName(zero!.dataType)} zero ${zero!.toFloat32()[0]}`;
    if (node.is('DequantizeLinear')) {
      const stored = node.input(0)!.tensor;
      const scales = node.input(1)!.tensor!;
      if (stored === undefined) return 'DQ';
      const middle = zero === undefined ? '' : ` zero ${zero.toFloat32()[0]}`;
      return `DQ ${dataTypeName(stored.dataType)}[${stored.dims}]${middle}, ${scales.dims.length === 0 ? 'one scale' : `${scales.elementCount} scales`}`;
    }
    const inputs = node.inputs.map((value) => (value?.tensor === undefined ? '' : dataTypeName(value.tensor.dataType)));
    return `${node.opType}(${inputs.join(', ')})`;
  });
}

describe('int8 in the form of a provider', () => {
  it('TensorRT: symmetric int8 in front of products, biases in float, nothing else touched', async () => {
    expect(sketch(await quantizedFor('jetson-orin-nano', 'tensorrt')).slice(0, 12)).toEqual([
      'Q int8 zero 0',
      'DQ',
      'DQ int8[8,1,3,3] zero 0, 8 scales',
      'Conv(, , float32)',
      'Relu()',
      'MaxPool()',
      'Q int8 zero 0',
      'DQ',
      'DQ int8[16,8,3,3] zero 0, 16 scales',
      'Conv(, , float32)',
      'Relu()',
      'MaxPool()',
    ]);
  });

  it('QNN: asymmetric uint8 around every operator, matrices as uint8 with one scale', async () => {
    const lines = sketch(await quantizedFor('android-arm64', 'qnn'));
    expect(lines.slice(0, 11)).toEqual([
      'Q uint8 zero 64',
      'DQ',
      'DQ int8[8,1,3,3] zero 0, 8 scales',
      'DQ int32[8], 8 scales',
      'Conv(, , )',
      'Q uint8 zero 64',
      'DQ',
      'MaxPool()',
      'Q uint8 zero 64',
      'DQ',
      'DQ int8[16,8,3,3] zero 0, 16 scales',
    ]);
    expect(lines.slice(-7)).toEqual([
      'Q uint8 zero 64',
      'DQ',
      'DQ uint8[10,96] zero 128, one scale',
      'DQ int32[10], 10 scales',
      'Gemm(, , )',
      'Q uint8 zero 64',
      'DQ',
    ]);
  });

  it('NNAPI: as QNN, without pairs of its own around what it does not list', async () => {
    const [nnapi, qnn] = [await quantizedFor('android-arm64', 'nnapi'), await quantizedFor('android-arm64', 'qnn')];
    expect(sketch(nnapi).filter((line) => /DQ u?int8\[/.test(line))).toEqual(
      sketch(qnn).filter((line) => /DQ u?int8\[/.test(line)),
    );
    const flatten = [...nnapi.graph.nodes()].find((node) => node.is('Flatten'))!;
    expect(chooseProvider(loadTarget('android-arm64'), 'nnapi').int8!.operators).not.toContain('Flatten');
    expect(flatten.output.consumers.map(({ opType }) => opType)).toEqual(['QuantizeLinear']);
  });

  it('OpenVINO: uint8 around every operator, int8 weights per channel, biases in float', async () => {
    const lines = sketch(await quantizedFor('n100', 'openvino'));
    expect(lines.slice(0, 5)).toEqual([
      'Q uint8 zero 64',
      'DQ',
      'DQ int8[8,1,3,3] zero 0, 8 scales',
      'Conv(, , float32)',
      'Q uint8 zero 64',
    ]);
    expect(lines).toContain('DQ int8[10,96] zero 0, 10 scales');
  });

  it('CPU: movement runs on the integers, and products of matrices give floats', async () => {
    const lines = sketch(await quantizedFor('rpi4', 'cpu'));
    expect(lines.slice(0, 9)).toEqual([
      'Q uint8 zero 64',
      'DQ',
      'DQ int8[8,1,3,3] zero 0, 8 scales',
      'DQ int32[8], 8 scales',
      'Conv(, , )',
      'Q uint8 zero 64',
      'MaxPool()',
      'DQ',
      'DQ int8[16,8,3,3] zero 0, 16 scales',
    ]);
    expect(lines.at(-1)).toBe('Gemm(, , )');
  });

  it('sums that saturate concern the CPU provider alone', () => {
    const target = { ...loadTarget('n100'), arithmetic: 'saturating-u8s8' as const };
    expect(insertionFor(chooseProvider(target), target).saturating).toBe(true);
    expect(insertionFor(chooseProvider(target, 'openvino'), target).saturating).toBe(false);
  });
});

describe('followProvider', () => {
  const cuda = chooseProvider(loadTarget('jetson-orin-nano'), 'cuda');

  it('stores weights as int8 where nothing runs in integers, and does not search for zeros then', () => {
    const recipe = followProvider(loadRecipe('balanced'), cuda);
    expect(recipe.steps.map(({ pass }) => pass)).toEqual(['optimize', 'prune-magnitude', 'quantize-weights']);
    expect(recipe.steps[1]!.options).not.toHaveProperty('sparsity');
    expect(providerNotices(readModel(conv), cuda, loadRecipe('balanced')).map(({ code }) => code)).toEqual([
      'provider-float',
    ]);
  });

  it('leaves recipes alone that ask for no int8 activations, and those of providers that run them', () => {
    for (const name of ['weight-only', 'optimize']) {
      expect(followProvider(loadRecipe(name), cuda)).toEqual(loadRecipe(name));
    }
    expect(providerNotices(readModel(conv), cuda, loadRecipe('optimize'))).toEqual([]);
    const cpu = chooseProvider(loadTarget('rpi4'));
    expect(followProvider(loadRecipe('balanced'), cpu)).toEqual(loadRecipe('balanced'));
    expect(providerNotices(readModel(conv), cpu, loadRecipe('weight-only'))).toEqual([]);
  });

  it('an .ort for a provider that is not known to load one is warned of', () => {
    const tensorrt = chooseProvider(loadTarget('jetson-orin-nano'), 'tensorrt');
    const nnapi = chooseProvider(loadTarget('android-arm64'), 'nnapi');
    expect(formatNotice(tensorrt, true)[0]?.message).toContain('the TensorRT provider loads .onnx files');
    expect([...formatNotice(tensorrt, false), ...formatNotice(nnapi, true)]).toEqual([]);
  });
});

describe('compress for a provider', () => {
  const into = (name: string) => ({ threads: 1, cacheFolder: join(folder, 'cache'), output: join(folder, name) });

  it('says of a float-only one what it did instead, what was not run, and what stays idle', async () => {
    // int8 activations would need data: what is made instead does not.
    const options = { ...into('cuda'), recipe: 'balanced', target: 'jetson-orin-nano', provider: 'cuda' };
    const { report } = await compress(dense, options);
    expect(() => reportSchema.parse(report)).not.toThrow();
    expect(report!.recipe.steps.map(({ pass }) => pass)).toEqual(['optimize', 'quantize-weights']);
    expect(report!.provider).toMatchObject({ name: 'cuda', int8: false, executionProvider: 'CUDAExecutionProvider' });
    expect(report!.warnings.map(({ code }) => code)).toContain('provider-float');
    expect(report!.missing['latency.predicted.compressed']).toContain('none is of the CUDA provider');
    const model = readModel(join(folder, 'cuda', 'digits-dense.onnx'));
    expect([...model.graph.nodes()].some((node) => node.is('QuantizeLinear'))).toBe(false);
    for (const text of [renderTerminal(report!, { columns: 1000 }), renderMarkdown(report!)]) {
      expect(text).toContain('no CUDA in this engine');
      expect(text).toContain('not used: Cortex-A78AE cores');
      expect(text).not.toContain('Slower on this host');
    }
  });

  it('makes int8 for TensorRT, and keeps the accuracy', async () => {
    const { report } = await compress(conv, {
      ...into('trt'),
      data,
      target: 'jetson-orin-nano',
      provider: 'tensorrt',
      recipe: 'accurate',
      calibrationMethod: 'min-max',
    });
    expect(renderMarkdown(report!)).toContain('compressed, exact arithmetic on the CPU, not by TensorRT');
    expect(report!.provider).toMatchObject({ name: 'tensorrt', int8: true, withoutInt8: null });
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.98);
    expect(report!.layers.every(({ precision }) => precision === 'int8')).toBe(true);
    const model = readModel(join(folder, 'trt', 'digits-conv.onnx'));
    for (const node of model.graph.nodes()) {
      if (!node.is('QuantizeLinear', 'DequantizeLinear')) continue;
      expect(
        node
          .input(2)!
          .tensor!.toFloat32()
          .every((zero) => zero === 0),
      ).toBe(true);
    }
  });

  it('writes nothing where the provider is not there or cannot be produced for', async () => {
    for (const provider of ['rknn', 'qnn', 'x']) {
      const run = compress(dense, { ...into('none'), target: 'rk3588', provider });
      await expect(run).rejects.toMatchObject({ code: 'provider' });
    }
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('says in a dry run what it would do, and warns of open sizes', async () => {
    const options = { ...into('dry'), data, target: 'apple-arm64', provider: 'coreml', dryRun: true };
    const { plan } = await compress(conv, options);
    expect(plan).toMatchObject({ provider: 'coreml', target: 'apple-arm64' });
    expect(plan!.steps.map(({ pass }) => pass)).toEqual(['optimize', 'quantize-weights']);
    const coreml = chooseProvider(loadTarget('apple-arm64'), 'coreml');
    const shapes = providerNotices(readModel(conv), coreml, loadRecipe('balanced')).at(-1)!;
    expect(shapes.code).toBe('open-shapes');
    expect(shapes.message).toContain('image[N]');
    expect(shapes.message).toContain('--dim_param N --dim_value 1');
  });
});

describe('a report', () => {
  it('names the provider and what stays idle, in every form', async () => {
    const target = loadTarget('rk3588');
    const report = exampleReport({ provider: runProvider(chooseProvider(target), target) });
    expect(() => reportSchema.parse(report)).not.toThrow();
    const idle = 'Rockchip NPU (it runs .rknn files, made by RKNN-Toolkit2: edgepack cannot produce that)';
    const terminal = renderTerminal(report, { columns: 1000 });
    expect(terminal).toContain(`CPU provider of ONNX Runtime on Cortex-A76 and Cortex-A55 cores; not used: ${idle}`);
    expect(terminal).toContain('in the arithmetic of the target');
    expect(renderMarkdown(report)).toContain('RKNN-Toolkit2');
    const page = await renderHtml(report);
    expect(page).toContain('CPU (CPUExecutionProvider)');
    expect(page).toContain('edgepack cannot produce that');
    const elsewhere = { ...report, provider: runProvider(chooseProvider(loadTarget('n100'), 'openvino'), target) };
    expect(await renderHtml(elsewhere)).toContain('in exact arithmetic on the CPU, not by OpenVINO');
  });
});

describe('inspect for a provider', () => {
  it('says nothing of providers unless asked', async () => {
    expect(await inspect(conv)).not.toHaveProperty('provider');
  });

  it('lists what runs there, in what, and what falls back to the CPU', async () => {
    const found = inspectionSchema.parse(await inspect(conv, { target: 'android-arm64', provider: 'nnapi' }));
    const of = (opType: string) => found.provider!.nodes.filter((node) => node.opType === opType);
    expect(of('Conv').map(({ precision }) => precision)).toEqual(['int8', 'int8', 'int8', 'int8']);
    expect(of('MaxPool').map(({ runsOn, precision }) => [runsOn, precision])).toEqual([
      ['provider', 'float'],
      ['provider', 'float'],
    ]);
    expect(found.warnings.map(({ code }) => code)).toContain('open-shapes');
    const apple = await inspect(conv, { target: 'apple-arm64', provider: 'coreml' });
    const flatten = apple.provider!.nodes.find(({ opType }) => opType === 'Flatten')!;
    expect(flatten).toMatchObject({ runsOn: 'cpu', reason: 'not among the operators of Core ML' });
    expect(apple.provider!.nodes.every(({ precision }) => precision === 'float')).toBe(true);
  });

  it('leaves unknown what no list tells', async () => {
    const { provider } = await inspect(conv, { target: 'jetson-orin-nano', provider: 'cuda' });
    expect(new Set(provider!.nodes.map(({ runsOn }) => runsOn))).toEqual(new Set(['unknown']));
  });

  it('takes the target of an engine alone, and sees int8 in a file that another provider was meant for', async () => {
    const path = join(folder, 'for-cpu.onnx');
    writeFileSync(path, Buffer.concat(encodeModel(await quantizedFor('rpi4', 'cpu')).pieces));
    const cpu = await inspect(path, { target: 'rpi4' });
    expect(cpu.provider).toMatchObject({ name: 'cpu', target: 'rpi4' });
    const convs = (found: typeof cpu) => found.provider!.nodes.filter(({ opType }) => opType === 'Conv');
    expect(convs(cpu).every(({ precision }) => precision === 'int8')).toBe(true);
    for (const node of convs(await inspect(path, { target: 'jetson-orin-nano', provider: 'tensorrt' }))) {
      expect(node.precision).toBe('unknown');
      expect(node.reason).toContain('TensorRT takes int8 around a fixed zero point');
    }
  });

  it('refuses a provider that the target does not have', async () => {
    await expect(inspect(conv, { provider: 'qnn' })).rejects.toMatchObject({ code: 'provider' });
  });
});
