import { closestName } from '../diagnostics/closest-name.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { listProviders, listToolchains, loadProvider, loadToolchain } from './load-provider.ts';
import { listTargets, loadTarget } from './load-target.ts';
import type { Provider, ProviderInt8, Toolchain } from './provider-schema.ts';
import type { Processor, Target } from './target-schema.ts';

/** An execution provider as it runs on one device. */
export interface ChosenProvider {
  readonly provider: Provider;
  /** What it runs on; undefined where the profile names no processors. */
  readonly processor: Processor | undefined;
  /** How int8 must look to run in integers there; null where nothing does. */
  readonly int8: ProviderInt8 | null;
  /** Why nothing runs in integers there; null where something does. */
  readonly withoutInt8: string | null;
}

/** A processor of a device that a run does not use, and why. */
export interface UnusedProcessor {
  readonly kind: Processor['kind'];
  readonly name: string;
  readonly optional: boolean;
  readonly reason: string;
}

/** Names of the execution providers of a device, its own engine's first. */
export function providersOf({ engine, processors }: Target): readonly string[] {
  return [...new Set([engine.executionProvider, ...processors.flatMap(({ providers }) => providers)])];
}

/**
 * The execution provider that a model is compressed for: the one asked for, else that of the device's engine.
 * @throws EdgepackError `provider` where the device does not have it, or where only a vendor's compiler leads there.
 */
export function chooseProvider(target: Target, asked: string = target.engine.executionProvider): ChosenProvider {
  const toolchain = loadToolchain(asked);
  const provider = loadProvider(asked);
  if (toolchain !== undefined && provider === undefined) throw cannotProduce(target, toolchain);
  if (provider === undefined || !providersOf(target).includes(asked)) throw notThere(target, asked, provider);
  const processor = target.processors.find(({ providers }) => providers.includes(asked));
  const common = { provider, processor };
  if (provider.int8 === null) return { ...common, int8: null, withoutInt8: provider.withoutInt8 };
  if (processor?.int8 === false) {
    return {
      ...common,
      int8: null,
      withoutInt8: `the ${processor.name} does not multiply 8-bit integers faster than floats`,
    };
  }
  // How its CPU is fed best, a device says itself.
  const { activationType, activationSymmetric } = target.quantization;
  const own = provider.name === 'cpu' ? { activationType, activationSymmetric } : {};
  return { ...common, int8: { ...provider.int8, ...own }, withoutInt8: null };
}

/** The execution providers and vendor toolchains of a device, as they are there; without one, all that edgepack knows. */
export function capabilitiesOf(target?: Target): {
  readonly providers: readonly Provider[];
  readonly toolchains: readonly Toolchain[];
} {
  const named = target?.processors.flatMap(({ toolchain }) => (toolchain === null ? [] : [toolchain]));
  const toolchains = [...new Set(named ?? listToolchains())].map(loadToolchain);
  const providers =
    target === undefined
      ? listProviders().map(loadProvider)
      : providersOf(target).map((name) => {
          const { provider, int8, withoutInt8 } = chooseProvider(target, name);
          return { ...provider, int8, withoutInt8 };
        });
  return {
    providers: providers.filter((provider) => provider !== undefined),
    toolchains: toolchains.filter((toolchain) => toolchain !== undefined),
  };
}

/** The processors of a device that a provider leaves idle, each with what it would take to use it. */
export function unusedProcessors(target: Target, chosen: ChosenProvider): readonly UnusedProcessor[] {
  return target.processors
    .filter((processor) => processor !== chosen.processor)
    .map((processor) => ({
      kind: processor.kind,
      name: processor.name,
      optional: processor.optional,
      reason: whyUnused(processor, chosen),
    }));
}

function whyUnused({ kind, needs, providers, toolchain: name }: Processor, { provider }: ChosenProvider): string {
  const ways: string[] = [];
  const others = providers.filter((other) => other !== provider.name);
  const isFallback = kind === 'cpu' && provider.operators !== 'all';
  if (isFallback) ways.push('it runs only what the provider does not take');
  if (others.length < providers.length) ways.push(`the same file runs there${needs === null ? '' : `: ${needs}`}`);
  else if (others.length > 0) ways.push(`choose it with --provider ${others.join(' or ')}`);
  const toolchain = name === null ? undefined : loadToolchain(name);
  if (toolchain !== undefined) {
    ways.push(`it runs ${toolchain.format}, made by ${toolchain.tool}: edgepack cannot produce that`);
  }
  return ways.length === 0 ? 'no execution provider of ONNX Runtime that edgepack knows runs there' : ways.join('; ');
}

function cannotProduce(target: Target, toolchain: Toolchain): EdgepackError {
  const owner = target.processors.find((processor) => processor.toolchain === toolchain.name);
  const where = owner === undefined ? `, and ${target.name} does not list such a processor` : '';
  return new EdgepackError(
    'provider',
    `edgepack cannot produce for '${toolchain.name}' (${toolchain.displayName})${where}: it runs ${toolchain.format}, which ${toolchain.tool} makes from ${toolchain.takes}`,
    { hint: toolchain.startingPoint, location: { key: 'provider' } },
  );
}

function notThere(target: Target, asked: string, provider: Provider | undefined): EdgepackError {
  const own = providersOf(target);
  const message = `provider '${printable(asked, 80)}' is ${provider === undefined ? 'unknown' : `not one of ${target.name}`}`;
  return new EdgepackError(
    'provider',
    `${message}; it has ${own.join(', ')}`.replace('unknown; it', `unknown; ${target.name}`),
    {
      hint: provider === undefined ? hintForUnknown(target, asked) : hintForAbsent(asked),
      location: { key: 'provider' },
    },
  );
}

function hintForUnknown(target: Target, asked: string): string {
  const near = closestName(asked, [...listProviders(), ...listToolchains()]);
  return `${near === undefined ? '' : `Did you mean ${near}? `}"edgepack targets ${target.name}" shows what runs there.`;
}

function hintForAbsent(asked: string): string {
  const others = listTargets().filter((name) => providersOf(loadTarget(name)).includes(asked));
  return others.length === 0 ? `No built-in target has ${asked}.` : `Targets with ${asked}: ${others.join(', ')}.`;
}
