import { printable } from '../diagnostics/printable.ts';
import { chooseProvider } from '../targets/choose-provider.ts';
import { loadToolchain } from '../targets/load-provider.ts';
import type { Provider, ProviderInt8, Toolchain } from '../targets/provider-schema.ts';
import type { Processor, Target } from '../targets/target-schema.ts';
import type { Style } from './paint.ts';
import { renderTable } from './render-table.ts';

/** Which processors a device has, what brings a model onto each, and what runs in int8 there. */
export function renderProcessors(target: Target, style: Style): string {
  const rows = target.processors.flatMap((processor) => waysOf(target, processor));
  if (rows.length === 0) return '';
  const sources = target.processors.map(({ name, needs, source, unchecked }) => {
    const wanted = needs === null ? '' : `needs ${printable(needs, 300)}; `;
    return `  ${printable(name, 80)}: ${wanted}${printable(source, 500)}${unchecked ? ' (unchecked)' : ''}`;
  });
  return `${style.paint('Processors', 'title')}\n${renderTable(rows)}\n${style.paint(sources.join('\n'), 'muted')}`;
}

function waysOf(target: Target, processor: Processor): string[][] {
  const { kind, name, optional, providers, toolchain: toolchainName } = processor;
  const ways = providers.map((provider) => {
    const chosen = chooseProvider(target, provider);
    const sizes = chosen.provider.shapes === 'fixed' ? ', fixed input sizes' : '';
    return [`--provider ${provider}`, `${describeInt8(chosen.int8)}${sizes}`];
  });
  const toolchain = toolchainName === null ? undefined : loadToolchain(toolchainName);
  if (toolchain !== undefined) {
    ways.push([`not produced: ${toolchain.format}, by ${toolchain.tool}`, '']);
  }
  if (ways.length === 0) ways.push(['no execution provider known', '']);
  return ways.map((way, index) => [
    index === 0 ? kind : '',
    index === 0 ? `${printable(name, 60)}${optional ? ' (optional)' : ''}` : '',
    ...way,
  ]);
}

/** Everything about execution providers and the vendors' toolchains, for a person. */
export function renderProviders(
  providers: readonly Provider[],
  toolchains: readonly Toolchain[],
  style: Style,
): string {
  const sections = [
    ...providers.map((provider) =>
      block(style, provider.displayName, provider.name, providerFacts(provider), provider),
    ),
    ...toolchains.map((toolchain) =>
      block(style, toolchain.displayName, toolchain.name, toolchainFacts(toolchain), toolchain),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

function providerFacts(provider: Provider): string[][] {
  const { int8, operators } = provider;
  return [
    ['needs', provider.needs ?? 'nothing: every ONNX Runtime has it', 'needs'],
    ['int8', int8 === null ? `none: ${provider.withoutInt8}` : describeInt8(int8), 'int8'],
    ...(int8 === null
      ? []
      : [
          ['int8 weights', describeWeights(int8), 'int8'],
          ['int8 operators', int8.operators.join(', '), 'int8'],
        ]),
    [
      'fp16',
      { never: 'never', option: 'where a session asks for it', default: 'by default', unknown: 'unknown' }[
        provider.fp16 ?? 'unknown'
      ],
      'fp16',
    ],
    ['input sizes', describeShapes(provider), 'shapes'],
    ['model files', provider.formats.map((format) => `.${format}`).join(', '), 'formats'],
    [
      'operators',
      operators === null ? 'not listed' : operators === 'all' ? 'all' : `${operators.length} standard ones`,
      'operators',
    ],
  ];
}

function toolchainFacts({ format, tool, takes, startingPoint }: Toolchain): string[][] {
  return [
    ['produced', 'no: edgepack cannot write its files', ''],
    ['runs', format, 'format'],
    ['made by', tool, 'tool'],
    ['from', takes, 'takes'],
    ['start', startingPoint, 'startingPoint'],
  ];
}

function block(
  style: Style,
  displayName: string,
  name: string,
  facts: readonly string[][],
  { sources, unchecked, notes }: Pick<Provider, 'sources' | 'unchecked' | 'notes'>,
): string {
  const used = [...new Set(facts.map(([, , path]) => sources[path!] ?? ''))].filter((source) => source !== '');
  const rows = facts.map(([label, value, path]) => {
    const number = used.indexOf(sources[path!] ?? '') + 1;
    const open = unchecked.some((entry) => entry === path || entry.startsWith(`${path}.`));
    return [label!, `${value}${number === 0 ? '' : ` [${number}]`}${open ? ' (in part unchecked)' : ''}`];
  });
  const lines = [`${style.paint(displayName, 'title')} (${name})`, renderTable(rows)];
  if (notes.length > 0) lines.push(notes.map((note) => `  ${note}`).join('\n'));
  if (used.length > 0) lines.push(style.paint(used.map((source, i) => `  [${i + 1}] ${source}`).join('\n'), 'muted'));
  return lines.join('\n');
}

function describeInt8(int8: ProviderInt8 | null): string {
  if (int8 === null) return 'float only';
  return `int8 with ${int8.activationSymmetric ? 'symmetric ' : ''}${int8.activationType} activations`;
}

function describeWeights({ weights, biasType }: ProviderInt8): string {
  const forms = new Map<string, string[]>();
  for (const [opType, { type, perChannel }] of Object.entries(weights)) {
    const form = `${type} per ${perChannel ? 'channel' : 'tensor'}`;
    forms.set(form, [...(forms.get(form) ?? []), opType]);
  }
  const parts = Array.from(forms, ([form, opTypes]) => (forms.size === 1 ? form : `${form} (${opTypes.join(', ')})`));
  return `${parts.join(', ')}; biases ${biasType}`;
}

function describeShapes({ shapes }: Provider): string {
  return shapes === 'fixed' ? 'fixed input sizes' : 'any input sizes';
}
