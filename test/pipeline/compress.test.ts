import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findSaturation } from '../../src/evaluation/find-saturation.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { writeModel } from '../../src/formats/onnx/write-model.ts';
import { compress, evaluate, unpack } from '../../src/index.ts';
import { tensorType } from '../../src/ir/types.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { npy } from '../data/numpy-files.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const conv = join(fixtures, 'digits-conv.onnx');
const dense = join(fixtures, 'digits-dense.onnx');
const data = join(fixtures, 'digits.npz');

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-compress-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Options with an output folder of their own; int8 itself is looked at, whatever its speed on this host. */
function into(options: Parameters<typeof compress>[1] = {}) {
  return {
    allowSlower: true,
    cacheFolder: join(folder, 'cache'),
    threads: 1,
    ...options,
    output: join(folder, `out-${count++}`),
  };
}

const accurateRuns = new Map<string, ReturnType<typeof compress>>();
/** What the recipe without a search makes of a model; once for all tests. */
function accurateOf(model: string) {
  const run = accurateRuns.get(model) ?? compress(model, into({ data, recipe: 'accurate' }));
  accurateRuns.set(model, run);
  return run;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('compress with data', () => {
  test.each([
    ['digits-conv', conv, 0.98],
    ['digits-dense', dense, 0.96],
  ])('%s: a quarter of the bytes, the accuracy kept, everything in integers', async (name, model, top1) => {
    const options = into({ target: 'rpi4', data, recipe: 'accurate' });
    const { report, outputs } = await compress(model, options);
    expect(() => reportSchema.parse(report)).not.toThrow();
    expect(readdirSync(options.output).sort()).toEqual([
      `${name}.epk`,
      `${name}.onnx`,
      'report.html',
      'report.json',
      'report.md',
    ]);
    expect(outputs.map(({ path, sha256: stated }) => sha256(path) === stated)).toEqual([true, true, true, true, true]);
    expect(JSON.parse(readFileSync(join(options.output, 'report.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
    expect(report!.sizes.onnxBytes).toBeLessThan(report!.sizes.originalBytes * 0.3);
    expect(report!.sizes.epkBytes).toBeLessThan(report!.sizes.onnxBytes);
    expect(report!.accuracy!.exact!.top1!.value).toBeGreaterThan(top1);
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.99);
    expect(report!.accuracy!.exact!.sqnrDb).toBeGreaterThan(25);
    expect(report!.accuracy!.limit!.met).toBe(true);
    expect(report!.integerShare!.total).toBe(1);
    expect(report!.layers.every((layer) => layer.precision === 'int8')).toBe(true);
    for (const { name: layer, sqnrDb } of report!.layers) expect(sqnrDb, layer).toBeGreaterThan(25);
    expect(report!.steps.at(-1)!.onnxBytes).toBe(report!.sizes.onnxBytes);
    const layers = new Set(report!.sizes.initializers.map((row) => row.layer));
    for (const { name: layer } of report!.layers) expect(layers).toContain(layer);
    const back = join(options.output, 'back.onnx');
    await unpack(join(options.output, `${name}.epk`), back);
    expect(sha256(back)).toBe(sha256(join(options.output, `${name}.onnx`)));
  });

  test('the same input and seed give the same bytes, with and without kept statistics and evaluation', async () => {
    const first = into({ data, seed: 7 });
    const second = into({ data, seed: 7, cacheFolder: join(folder, 'another-cache') });
    await compress(conv, first);
    await compress(conv, second);
    const third = into({ data, seed: 7 });
    await compress(conv, third);
    for (const file of ['digits-conv.onnx', 'digits-conv.epk']) {
      expect(sha256(join(second.output, file))).toBe(sha256(join(first.output, file)));
      expect(sha256(join(third.output, file))).toBe(sha256(join(first.output, file)));
    }
  });

  test('a target whose kernels saturate gets a model that cannot', async () => {
    const exact = into({ target: 'rpi4', data, recipe: 'accurate' });
    const limited = into({ target: 'generic-x64', data, recipe: 'accurate' });
    await compress(conv, exact);
    const { report } = await compress(conv, limited);
    expect(findSaturation(readModel(join(exact.output, 'digits-conv.onnx')))!.possible).toBe(true);
    expect(findSaturation(readModel(join(limited.output, 'digits-conv.onnx')))!.possible).toBe(false);
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.98);
  });

  test('layers are left in float by name, and said so', async () => {
    const { report } = await compress(conv, into({ data, nodesToExclude: ['*'] }));
    expect(report!.layers.every((layer) => layer.precision === 'float' && layer.reason === 'excluded by name')).toBe(
      true,
    );
    expect(report!.integerShare!.total).toBe(0);
  });

  test('half of the weights pruned: half zeros, a smaller .epk, and the loss of the step measured', async () => {
    const plain = await accurateOf(dense);
    const { report } = await compress(dense, into({ data, sparsity: 0.5 }));
    const weights = report!.sizes.initializers.filter(
      (entry) => entry.dataType === 'int8' && entry.quantizedBytes > 1000,
    );
    const zeros = weights.reduce((sum, entry) => sum + entry.sparsityRatio! * entry.quantizedBytes, 0);
    expect(zeros / weights.reduce((sum, entry) => sum + entry.quantizedBytes, 0)).toBeGreaterThan(0.49);
    expect(report!.sizes.epkBytes!).toBeLessThan(plain.report!.sizes.epkBytes! * 0.85);
    const prune = report!.steps.find((step) => step.pass === 'prune-magnitude')!;
    expect(prune.loss!.agreement).toBeGreaterThan(0.95);
    expect(prune.changes.find(({ kind }) => kind === 'coded-bytes')?.detail).toMatch(
      /kB as int8 in the \.epk, .* kB without/,
    );
    expect(report!.steps.at(-1)!.changes.filter(({ kind }) => kind === 'search')).toEqual([]);
    expect(report!.warnings.map((warning) => warning.code)).toContain('sparsity');
  });

  test('two of every four weights stay where that is asked for, with data and without', async () => {
    for (const samples of [{ data }, {}]) {
      const { report } = await compress(dense, into({ ...samples, maskStructure: '2:4' }));
      const weights = report!.sizes.initializers.filter(
        ({ dataType, quantizedBytes }) => dataType === 'int8' && quantizedBytes > 1000,
      );
      for (const { sparsityRatio } of weights) expect(sparsityRatio).toBeGreaterThanOrEqual(0.5);
      expect(report!.recipe.steps.find(({ pass }) => pass === 'prune-magnitude')!.options).toMatchObject({
        maskStructure: '2:4',
        sparsity: 0.5,
      });
    }
  });

  test('a loss beyond the limit is in the report, not an exception', async () => {
    const { report } = await compress(dense, into({ data, sparsity: 0.98, maxAccuracyDrop: 0 }));
    expect(report!.accuracy!.limit!.met).toBe(false);
  });
});

describe('the search for a smaller model within the accuracy limit', () => {
  const search = (report: NonNullable<Awaited<ReturnType<typeof compress>>['report']>) =>
    report.steps.at(-1)!.changes.filter(({ kind }) => kind === 'search');

  test('a smaller .epk that keeps the limit, every variant in the report, and the same bytes again', async () => {
    const accurate = await accurateOf(conv);
    const options = into({ data });
    const { report } = await compress(conv, options);
    expect(report!.sizes.epkBytes!).toBeLessThan(accurate.report!.sizes.epkBytes! * 0.85);
    expect(report!.accuracy!.limit!.met).toBe(true);
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.97);
    const tried = search(report!);
    expect(tried[0]).toMatchObject({ subject: 'plain int8', detail: expect.stringContaining('expected loss') });
    expect(tried.filter(({ detail }) => detail!.endsWith('admitted')).length).toBeGreaterThan(0);
    const prune = report!.steps.find(({ pass }) => pass === 'prune-magnitude')!;
    if (!prune.modified) expect(prune.changes[0]!.detail).toMatch(/zeros would make the \.epk .* smaller/);
    const again = into({ data, cacheFolder: join(folder, 'another-cache') });
    await compress(conv, again);
    expect(sha256(join(again.output, 'digits-conv.onnx'))).toBe(sha256(join(options.output, 'digits-conv.onnx')));
    expect(sha256(join(again.output, 'digits-conv.epk'))).toBe(sha256(join(options.output, 'digits-conv.epk')));
  });

  test('zeros where steps are to stay full, if they pay: a step of their own', async () => {
    const recipe = join(folder, 'zeros.json');
    const steps = [
      { pass: 'optimize' },
      { pass: 'prune-magnitude', options: { sparsity: 'auto' } },
      { pass: 'quantize-static' },
    ];
    writeFileSync(recipe, JSON.stringify({ schemaVersion: 1, name: 'zeros', description: 'Zeros only.', steps }));
    const accurate = await accurateOf(dense);
    const { report } = await compress(dense, into({ data, recipe, maxAccuracyDrop: 2 }));
    const [, prune, quantize] = report!.steps;
    expect(prune).toMatchObject({ pass: 'prune-magnitude', modified: true });
    expect(prune!.loss!.sqnrDb).toBeGreaterThan(quantize!.loss!.sqnrDb! - 1);
    expect(quantize!.changes.some(({ kind }) => kind === 'widen-weight-steps')).toBe(false);
    expect(report!.sizes.epkBytes!).toBeLessThan(accurate.report!.sizes.epkBytes! * 0.95);
    expect(report!.warnings.map(({ code }) => code)).toContain('sparsity');
    expect(report!.accuracy!.limit!.met).toBe(true);
  });

  test('no loss allowed, or no time: plain int8, and why', async () => {
    const exact = await compress(conv, into({ data, maxAccuracyDrop: 0 }));
    expect(search(exact.report!).at(-1)!.detail).toBe('plain int8 stays: no loss is allowed');
    const hurried = await compress(conv, into({ data, timeLimit: 0.001, cacheFolder: join(folder, 'cold-cache') }));
    expect(search(hurried.report!).at(-1)!.detail).toMatch(/^plain int8 stays: the time limit/);
    const accurate = await accurateOf(conv);
    expect(hurried.report!.sizes.onnxBytes).toBe(accurate.report!.sizes.onnxBytes);
  });

  test('few samples, no search; outputs that are no classes, as much noise again as int8 makes', async () => {
    const model = readModel(conv);
    const { graph } = model;
    const inner = [...graph.nodes()].find((node) => node.is('Conv'))!.output;
    inner.type = tensorType(DataType.float32, undefined);
    graph.outputs.splice(0, graph.outputs.length, inner);
    const path = join(folder, 'features.onnx');
    writeModel(model, path);
    const { report } = await compress(path, into({ data }));
    const tried = search(report!);
    expect(tried[0]!.detail).toMatch(/^SQNR .* dB \(at least .* dB\)$/);
    const bounds = tried
      .filter(({ detail }) => detail!.endsWith('admitted'))
      .map(({ detail }) => /SQNR (\S+) dB \(at least (\S+) dB/.exec(detail!)!);
    for (const [, measured, least] of bounds) expect(Number(measured)).toBeGreaterThanOrEqual(Number(least));
    const few = join(folder, 'few.npy');
    let state = 5;
    const noise = Float32Array.from({ length: 20 * 784 }, () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    });
    writeFileSync(few, npy([20, 1, 28, 28], noise));
    const scarce = await compress(conv, into({ calibration: few }));
    expect(search(scarce.report!).at(-1)!.detail).toMatch(/so few samples/);
  });

  test('for a target whose kernels saturate, wider steps cannot either', async () => {
    const options = into({ data, target: 'generic-x64' });
    const { report } = await compress(conv, options);
    expect(report!.steps.at(-1)!.changes.some(({ kind }) => kind === 'widen-weight-steps')).toBe(true);
    expect(findSaturation(readModel(join(options.output, 'digits-conv.onnx')))!.possible).toBe(false);
  });

  test('stopped by the caller, it finishes with the best so far', async () => {
    const offers: boolean[] = [];
    const { report } = await compress(conv, into({ data }), {
      onSearch: (stop) => {
        offers.push(stop !== undefined);
        stop?.();
      },
    });
    expect(offers.at(0)).toBe(true);
    expect(offers.at(-1)).toBe(false);
    const tried = search(report!).filter(({ subject }) => subject.startsWith('variant'));
    expect(tried.filter(({ detail }) => detail!.endsWith('admitted')).length).toBe(1);
    expect(report!.steps.at(-1)!.changes.some(({ kind }) => kind === 'widen-weight-steps')).toBe(true);
  });
});

describe('what is shipped', () => {
  const SLOWER = ['slower', 'undecided'];

  test('is not slower than the original here, and the report says what and why', async () => {
    const options = into({ data, recipe: 'accurate', allowSlower: false });
    const { report } = await compress(conv, options);
    expect(() => reportSchema.parse(report)).not.toThrow();
    const { shipped, variants, evidence, because } = report!.execution!;
    const [recipe] = variants;
    expect(recipe!.execution).toBe('int8');
    expect(evidence).toMatchObject({ kind: 'host', label: expect.stringContaining('not on the target') });
    expect(evidence.notes.join()).toMatch(/profile of 64-bit Arm, any does not tell int8 from float/);
    const own = variants.find((variant) => variant.shipped);
    expect(SLOWER).not.toContain(own?.verdict ?? 'slower');
    expect(own!.execution).toBe(shipped);
    const isInteger = shipped === 'int8';
    expect(isInteger).toBe(!SLOWER.includes(recipe!.verdict));
    // On x86 this model is too small for int8, with VNNI and without.
    if (isInteger) return;
    expect(because).toMatch(/^int8 (would|may) run .* slower on this host/);
    expect(report!.steps.at(-1)).toMatchObject({ pass: 'choose-execution', modified: true });
    expect(report!.steps.at(-1)!.loss!.agreement).toBeGreaterThan(0.99);
    const inFloat = report!.layers.filter(({ reason }) => reason?.startsWith('for speed') === true);
    expect(inFloat.length).toBeGreaterThan(0);
    // The weights are the same integers: the files stay as small.
    expect(report!.sizes.onnxBytes).toBeLessThan(report!.sizes.originalBytes * 0.3);
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.99);
    if (shipped === 'weights') expect(report!.integerShare!.total).toBe(0);
    expect(readFileSync(join(options.output, 'report.md'), 'utf8')).toContain('### What is shipped');
    const layers = new Set(report!.sizes.initializers.map((row) => row.layer));
    for (const { name } of report!.layers) expect(layers).toContain(name);
  });

  test('is what the recipe makes where slower is allowed', async () => {
    const { report } = await accurateOf(conv);
    expect(report!.execution).toMatchObject({ shipped: 'int8', allowedSlower: true });
    expect(report!.execution!.variants).toHaveLength(1);
    if (report!.execution!.variants[0]!.verdict === 'slower') {
      expect(report!.execution!.because).toContain('--allow-slower');
    }
  });
});

describe('a layer that int8 would spoil', () => {
  /** One hidden unit a thousand times larger than the others, its effect the same: its range leaves the others no steps. */
  function withOutlierUnit(path: string): void {
    const model = readModel(dense);
    const gemms = [...model.graph.nodes()].filter((node) => node.is('Gemm', 'MatMul'));
    const [first, second] = [gemms[0]!, gemms.at(-1)!];
    const scaled = (
      node: (typeof gemms)[number],
      input: number,
      factor: number,
      isUnit: (index: number) => boolean,
    ) => {
      const tensor = node.input(input)!.tensor!;
      const values = tensor.toFloat32().map((value, i) => (isUnit(i) ? value * factor : value));
      node.setInput(input, model.graph.addInitializer(Tensor.float32(`${tensor.name}_scaled`, tensor.dims, values)));
    };
    const hidden = first.input(2)!.tensor!.elementCount;
    const rows = first.int('transB', 0) === 1;
    const inputs = first.input(1)!.tensor!.elementCount / hidden;
    scaled(first, 1, 3000, (i) => (rows ? Math.floor(i / inputs) === 3 : i % hidden === 3));
    scaled(first, 2, 3000, (i) => i === 3);
    const columns = second.int('transB', 0) === 1;
    const outputs = second.input(1)!.tensor!.elementCount / hidden;
    scaled(second, 1, 1 / 3000, (i) => (columns ? i % hidden === 3 : Math.floor(i / outputs) === 3));
    writeModel(model, path);
  }

  test('stays in float, by name and reason, and the accuracy is kept', async () => {
    const path = join(folder, 'outlier.onnx');
    withOutlierUnit(path);
    const { report } = await compress(path, into({ data, calibrationMethod: 'min-max' }));
    const kept = report!.layers.filter((layer) => layer.precision === 'float');
    expect(kept.length).toBeGreaterThan(0);
    expect(kept[0]!.reason).toMatch(/dB/);
    expect(report!.layers.some((layer) => layer.precision === 'int8')).toBe(true);
    expect(report!.accuracy!.exact!.agreement!.value).toBeGreaterThan(0.97);
  });
});

describe('compress without data', () => {
  test('stores weights as int8, computes in float, says what is missing', async () => {
    const options = into();
    const { report } = await compress(dense, options);
    expect(report!.recipe.name).toBe('weight-only');
    expect(report!.sizes.onnxBytes).toBeLessThan(report!.sizes.originalBytes * 0.3);
    expect(report!.accuracy).toBeNull();
    expect(report!.missing.accuracy).toContain('evaluation');
    expect(report!.integerShare!.total).toBe(0);
    expect(report!.warnings.map((warning) => warning.code)).toEqual(['no-data', 'weight-only']);
    const { exact, comparison } = await evaluate(join(options.output, 'digits-dense.onnx'), { data, against: dense });
    expect(exact!.top1!.value).toBeGreaterThan(0.96);
    expect(comparison!.exact!.agreement!.value).toBeGreaterThan(0.99);
  });

  test('a recipe that needs samples asks for them', async () => {
    await expect(compress(dense, into({ recipe: 'accurate' }))).rejects.toMatchObject({ code: 'usage', exitCode: 2 });
  });
});

describe('what compress leaves alone', () => {
  test('a dry run writes nothing', async () => {
    const options = into({ data, dryRun: true });
    const { report, plan, outputs } = await compress(conv, options);
    expect(report).toBeNull();
    expect(outputs).toEqual([]);
    expect(plan).toMatchObject({ recipe: 'balanced', calibrationSamples: 500, evaluationSamples: 500 });
    expect(() => readdirSync(options.output)).toThrow();
  });

  test('existing results, unless told otherwise', async () => {
    const options = into({});
    await compress(conv, options);
    await expect(compress(conv, options)).rejects.toMatchObject({ code: 'output-exists', exitCode: 2 });
    await expect(compress(conv, { ...options, force: true })).resolves.toBeDefined();
  });

  test('a model with an operator that the engine lacks, which the error names', async () => {
    const model = readModel(conv);
    const { graph } = model;
    const input = graph.inputs[0]!;
    // Nobody reads its output, but it is a graph output, so it stays.
    const custom = graph.create('FancyNorm', [input], { domain: 'org.example', anchor: graph.nodes().next().value! });
    custom.output.type = tensorType(DataType.float32, input.shape);
    model.opsetImports.set('org.example', 1);
    graph.outputs.push(custom.output);
    const path = join(folder, 'custom.onnx');
    writeModel(model, path);
    const refusal = { code: 'model-rejected', exitCode: 3, message: expect.stringContaining('FancyNorm') };
    await expect(compress(path, into())).rejects.toMatchObject(refusal);
  });

  test('a node whose name is HTML: it is text in the page', async () => {
    const model = readModel(conv);
    for (const node of model.graph.nodes()) node.name = `</script><img src=x onerror=alert(1)>${node.name}`;
    const path = join(folder, 'markup.onnx');
    writeModel(model, path);
    const options = into();
    await compress(path, options);
    const page = readFileSync(join(options.output, 'report.html'), 'utf8');
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;hidden');
    expect(page).not.toContain('<img');
    expect(page.match(/<\/script>/g)).toHaveLength(1);
  });

  test.each([
    ['a text', 'not a model at all'],
    ['an empty file', ''],
  ])('%s is refused with exit code 3 and nothing written', async (_, content) => {
    const path = join(folder, 'broken.onnx');
    writeFileSync(path, content);
    const options = into();
    await expect(compress(path, options)).rejects.toMatchObject({ exitCode: 3 });
    expect(() => readdirSync(options.output)).toThrow();
  });
});
