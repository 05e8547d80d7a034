import { chooseProvider } from '../../src/targets/choose-provider.ts';
import { listProviders, listToolchains, loadProvider, loadToolchain } from '../../src/targets/load-provider.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { targetSchema } from '../../src/targets/target-schema.ts';
import { code, table } from './markdown.mjs';
import { contentTable } from './schema-table.mjs';

/** A table of the built-in devices. */
export function targetTable() {
  const rows = listTargets().map((name) => {
    const { displayName, architecture, cpu, arithmetic, threads, unchecked } = loadTarget(name);
    const core = cpu.core === null ? 'any' : `${cpu.cores} x ${cpu.core}`;
    return [code(name), displayName, architecture, core, arithmetic, threads, unchecked.length];
  });
  return table(['name', 'device', 'architecture', 'cores', 'arithmetic', 'threads', 'values not yet confirmed'], rows);
}

/** What can run a model on each device, and what brings it there. */
export function processorTable() {
  const rows = listTargets().flatMap((name) => {
    const target = loadTarget(name);
    return target.processors.map((processor, index) => [
      index === 0 ? code(name) : '',
      processor.kind,
      `${processor.name}${processor.optional ? ' (optional)' : ''}${processor.unchecked ? ' \\*' : ''}`,
      waysTo(target, processor),
    ]);
  });
  return `${table(['target', 'kind', 'processor', 'runs'], rows)}\n\n\\* not confirmed at its source or on a device`;
}

function waysTo(target, { providers, toolchain }) {
  const ways = providers.map((provider) => {
    const { int8 } = chooseProvider(target, provider);
    return `${code(provider)}: ${int8 === null ? 'float' : 'int8'}`;
  });
  if (toolchain !== null) ways.push(`not produced: ${code(toolchain)}`);
  return ways.length === 0 ? 'no provider known' : ways.join(', ');
}

/** What each execution provider runs. */
export function providerTable() {
  const rows = listProviders().map((name) => {
    const { displayName, int8, shapes, fp16, formats, unchecked } = loadProvider(name);
    return [
      code(name),
      displayName,
      ...(int8 === null ? ['no', '', '', ''] : int8Cells(int8)),
      fp16 ?? 'unknown',
      shapes,
      formats.join(', '),
      unchecked.length,
    ];
  });
  const heads = [
    'provider',
    'name',
    'int8 activations',
    'int8 weights',
    'biases',
    'form',
    'fp16',
    'input sizes',
    'files',
    'not confirmed',
  ];
  return table(heads, rows);
}

function int8Cells({ activationType, activationSymmetric, weights, biasType, form }) {
  const forms = new Map();
  for (const [opType, { type, perChannel }] of Object.entries(weights)) {
    const key = `${type} per ${perChannel ? 'channel' : 'tensor'}`;
    forms.set(key, [...(forms.get(key) ?? []), opType]);
  }
  const stored = [...forms].map(([key, opTypes]) => (forms.size === 1 ? key : `${key} (${opTypes.join(', ')})`));
  return [`${activationType}, ${activationSymmetric ? 'symmetric' : 'asymmetric'}`, stored.join(', '), biasType, form];
}

/** What the vendors' own compilers take and make. */
export function toolchainTable() {
  const rows = listToolchains().map((name) => {
    const { displayName, format, tool, takes, startingPoint } = loadToolchain(name);
    return [code(name), displayName, format, tool, takes, startingPoint];
  });
  return table(['name', 'for', 'runs', 'made by', 'from', 'what edgepack gives'], rows);
}

/** A table of every key of a profile, the nested ones by their path. */
export function profileKeys() {
  return contentTable(targetSchema, { io: 'input', heading: 'key' });
}
