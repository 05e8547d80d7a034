import { describe, expect, it } from 'vitest';
import { quantizableOperators } from '../../src/passes/quantize/placement.ts';
import { capabilitiesOf, chooseProvider, providersOf, unusedProcessors } from '../../src/targets/choose-provider.ts';
import { listProviders, listToolchains, loadProvider, loadToolchain } from '../../src/targets/load-provider.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { providerSchema, toolchainSchema } from '../../src/targets/provider-schema.ts';
import { targetSchema } from '../../src/targets/target-schema.ts';
import { thrownBy } from './thrown-by.ts';

/** Every path of an object down to its lists and plain values, and those on the way. */
function pathsOf(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [path];
  const below = Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, path === '' ? key : `${path}.${key}`));
  return path === '' ? below : [path, ...below];
}

const files = [
  ...listProviders().map((name) => [name, loadProvider(name)!] as const),
  ...listToolchains().map((name) => [name, loadToolchain(name)!] as const),
];

describe('providers and toolchains', () => {
  it('are those that the devices of the field have', () => {
    expect(listProviders()).toEqual(['coreml', 'cpu', 'cuda', 'nnapi', 'openvino', 'qnn', 'tensorrt', 'webgpu']);
    expect(listToolchains()).toEqual(['edgetpu', 'hailo', 'rknn', 'vitis-ai']);
    expect(loadProvider('../rpi4')).toBeUndefined();
    expect(loadProvider('toaster')).toBeUndefined();
    expect(loadToolchain('tensorrt')).toBeUndefined();
  });

  it.each(files)('%s: every value has a source, and what is unchecked exists', (name, file) => {
    expect(file.name).toBe(name);
    const { schemaVersion, name: _, displayName, notes, sources, unchecked, ...values } = file;
    const paths = pathsOf(values);
    for (const path of paths) {
      // Told by what int8 says.
      if (path === 'withoutInt8' && 'withoutInt8' in file && file.withoutInt8 === null) continue;
      const isCovered = Object.keys(sources).some((source) => path === source || path.startsWith(`${source}.`));
      expect(isCovered, `${name}: ${path} has no source`).toBe(true);
    }
    for (const path of [...Object.keys(sources), ...unchecked]) expect(paths, name).toContain(path);
    for (const [path, source] of Object.entries(sources)) {
      if (/not checked/.test(source)) {
        const isMarked = unchecked.some((entry) => path === entry || path.startsWith(`${entry}.`));
        expect(isMarked, `${name}: ${path} is not checked but not listed as such`).toBe(true);
      }
    }
  });

  it('speak of operators that can be put into integers, and that the provider takes', () => {
    expect(loadProvider('cpu')!.int8!.operators.toSorted()).toEqual([...quantizableOperators].sort());
    for (const name of listProviders()) {
      const { int8, operators } = loadProvider(name)!;
      for (const opType of int8?.operators ?? []) {
        expect(quantizableOperators, name).toContain(opType);
        if (Array.isArray(operators)) expect(operators, name).toContain(opType);
      }
      if (Array.isArray(operators)) expect(new Set(operators).size, name).toBe(operators.length);
    }
  });

  it('are refused with unknown keys, and where int8 and its absence are both explained', () => {
    const cuda = loadProvider('cuda')!;
    expect(providerSchema.safeParse({ ...cuda, int4: true }).success).toBe(false);
    expect(providerSchema.safeParse({ ...cuda, withoutInt8: null }).success).toBe(false);
    expect(providerSchema.safeParse({ ...loadProvider('qnn')!, withoutInt8: 'no' }).success).toBe(false);
    expect(toolchainSchema.safeParse({ ...loadToolchain('rknn')!, tool: '' }).success).toBe(false);
  });
});

describe('processors of the targets', () => {
  it('lead to known providers and toolchains, the own engine first, and say where that is written', () => {
    for (const name of listTargets()) {
      const target = loadTarget(name);
      expect(providersOf(target)[0], name).toBe('cpu');
      expect(target.processors[0]!.kind, name).toBe('cpu');
      for (const processor of target.processors) {
        for (const provider of processor.providers) expect(listProviders(), name).toContain(provider);
        if (processor.toolchain !== null) expect(listToolchains(), name).toContain(processor.toolchain);
        if (/not checked|not named/.test(processor.source)) expect(processor.unchecked, name).toBe(true);
      }
    }
  });

  it('reach every provider, every toolchain and every kind', () => {
    const targets = listTargets().map((name) => loadTarget(name));
    expect([...new Set(targets.flatMap((target) => providersOf(target)))].sort()).toEqual(listProviders());
    const processors = targets.flatMap((target) => target.processors);
    expect([...new Set(processors.map(({ toolchain }) => toolchain))].filter(Boolean).sort()).toEqual(listToolchains());
    expect([...new Set(processors.map(({ kind }) => kind))].sort()).toEqual(['cpu', 'fpga', 'gpu', 'npu', 'tpu']);
  });

  it('may be left out: then the CPU is all there is', () => {
    const { processors: _, ...old } = loadTarget('rpi4');
    const target = targetSchema.parse(old);
    expect(providersOf(target)).toEqual(['cpu']);
    expect(chooseProvider(target)).toMatchObject({ processor: undefined, withoutInt8: null });
  });
});

describe('chooseProvider', () => {
  it("takes that of the target's engine, fed as the target says", () => {
    const target = loadTarget('rpi4');
    const own = chooseProvider(target);
    expect(own.provider.name).toBe('cpu');
    expect(own.int8).toMatchObject({ activationType: 'uint8', activationSymmetric: false, form: 'kernels' });
    const signed = { ...target, quantization: { ...target.quantization, activationType: 'int8' as const } };
    expect(chooseProvider(signed).int8!.activationType).toBe('int8');
    const nvidia = loadTarget('jetson-orin-nano');
    const other = { ...nvidia, engine: { ...nvidia.engine, executionProvider: 'tensorrt' } };
    expect(chooseProvider(other).int8).toMatchObject({ activationType: 'int8', activationSymmetric: true });
  });

  it('knows hardware that gains nothing from int8', () => {
    const chosen = chooseProvider(loadTarget('jetson-nano'), 'tensorrt');
    expect(chosen.int8).toBeNull();
    expect(chosen.withoutInt8).toContain('Maxwell');
    const { providers } = capabilitiesOf(loadTarget('jetson-nano'));
    expect(providers.find(({ name }) => name === 'tensorrt')).toMatchObject({ int8: null });
    expect(capabilitiesOf().providers.find(({ name }) => name === 'tensorrt')!.int8).not.toBeNull();
  });

  it.each([
    ['rk3588', 'rknn', /\.rknn.*RKNN-Toolkit2/, /--recipe optimize/],
    ['rpi5', 'hailo', /\.hef.*Dataflow Compiler/, /calibration samples/],
    ['rpi4', 'edgetpu', /\.tflite.*edgetpu_compiler.*TensorFlow Lite model/, /writes no \.tflite/],
    ['kria-kv260', 'vitis-ai', /\.xmodel.*Vitis AI/, /quantizer/],
    ['rpi4', 'rknn', /rpi4 does not list such a processor/, /RKNN/],
    ['rpi4', 'tensorrt', /'tensorrt' is not one of rpi4; it has cpu$/, /jetson-orin-nano/],
    ['n100', 'openvin', /'openvin' is unknown; n100 has cpu, openvino/, /Did you mean openvino\?/],
    ['n100', '../../x', /unknown/, /edgepack targets n100/],
  ])('%s has no %s to produce for: one line, with what it needs', (name, provider, message, hint) => {
    const error = thrownBy(() => chooseProvider(loadTarget(name), provider));
    expect(error.code).toBe('provider');
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(message);
    expect(error.message.split('\n')).toHaveLength(1);
    expect(error.hint).toMatch(hint);
  });

  it('names what stays idle, and why', () => {
    const target = loadTarget('rk3588');
    const unused = unusedProcessors(target, chooseProvider(target));
    expect(unused.map(({ name }) => name)).toEqual(['Rockchip NPU', 'Mali-G610 GPU']);
    expect(unused[0]!.reason).toContain('edgepack cannot produce');
    const orin = loadTarget('jetson-orin-nano');
    expect(unusedProcessors(orin, chooseProvider(orin))[0]!.reason).toBe('choose it with --provider tensorrt or cuda');
    expect(unusedProcessors(orin, chooseProvider(orin, 'cuda'))[0]!.reason).toContain(
      'what the provider does not take',
    );
    const n100 = loadTarget('n100');
    expect(unusedProcessors(n100, chooseProvider(n100, 'openvino'))[0]!.reason).toContain('device_type GPU');
  });
});
