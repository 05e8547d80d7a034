import type { Device } from '../device/connect-device.ts';
import { printable } from '../diagnostics/printable.ts';
import type { ReportExecution } from '../report/execution-schema.ts';
import { formatFactor } from '../report/number-format.ts';
import { describeHost, type HostDescription } from '../runtime/host.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { Target } from '../targets/target-schema.ts';
import { deviceLabel, hostLabel } from './host-label.ts';
import type { TimedVariant } from './judge-execution.ts';
import { verdictOf } from './judge-execution.ts';

/** Where the evidence comes from. */
export interface Place {
  readonly kind: ReportExecution['evidence']['kind'];
  readonly label: string;
  /** "on this host". */
  readonly where: string;
  readonly threads: number;
}

type PlaceInput =
  | { readonly kind: 'device'; readonly device: Device; readonly threads: number }
  | { readonly kind: 'profile'; readonly target: Target; readonly label: string }
  | { readonly kind: 'host'; readonly threads: number }
  | { readonly kind: 'none'; readonly provider: ChosenProvider };

export function placeOf(input: PlaceInput): Place {
  if (input.kind === 'profile') {
    const { target, label, kind } = input;
    const where = `on ${target.displayName}${withoutDotProduct(!target.cpu.dotProduct)}`;
    return { kind, label, where, threads: target.threads };
  }
  if (input.kind === 'none') {
    const { displayName } = input.provider.provider;
    const label = `no engine that edgepack can measure with runs ${displayName}`;
    return { kind: 'none', label, where: `with ${displayName}`, threads: 1 };
  }
  const { kind, threads } = input;
  if (kind === 'device') {
    const { address, description } = input.device;
    const where = `on the device${withoutDotProduct(lacksDotProduct(description))}`;
    return { kind, label: deviceLabel(address, description.cpuName, [threads]), where, threads };
  }
  const host = describeHost();
  const where = `on this host${withoutDotProduct(lacksDotProduct(host))}`;
  return { kind, label: hostLabel(host.cpuName, [threads]), where, threads };
}

function lacksDotProduct({ architecture, simd }: HostDescription): boolean {
  return (architecture === 'x64' ? simd.vnni : simd.dotProduct) === false;
}

function withoutDotProduct(lacks: boolean): string {
  return lacks ? ' without dot-product instructions' : '';
}

interface Explained {
  readonly shipped: Pick<TimedVariant, 'execution' | 'detail'> & { readonly path: string };
  readonly timed: readonly (TimedVariant & { readonly path: string })[];
  readonly place: Place;
}

const NAMES: Readonly<Record<TimedVariant['execution'], string>> = {
  int8: 'int8',
  mixed: 'int8 with some layers in float',
  weights: 'weights stored as int8',
  float: 'the optimised float model',
  original: 'the original',
};

/** Why this variant is shipped, in one sentence. */
export function explainExecution(
  { shipped, timed, place }: Explained,
  { allowSlower }: { readonly allowSlower: boolean },
): string {
  const [recipe] = timed;
  if (recipe === undefined) return `what the recipe made is shipped without a comparison: ${place.label}`;
  const name = NAMES[recipe.execution];
  const { value, low, high } = recipe.ratio;
  const interval = `${low.toFixed(2)} to ${formatFactor(high)}`;
  if (shipped.path === recipe.path) {
    const verdict = verdictOf(recipe);
    const speed =
      verdict === 'faster'
        ? `${name} runs ${formatFactor(1 / value)} faster than the original ${place.where}`
        : verdict === 'not-slower'
          ? `${name} is not slower than the original ${place.where} (${formatFactor(value)} its time, ${interval})`
          : `${name} takes ${formatFactor(value)} the time of the original ${place.where} (${interval})`;
    return allowSlower && (verdict === 'slower' || verdict === 'undecided')
      ? `${speed}, and is shipped because of --allow-slower`
      : speed;
  }
  const slower =
    verdictOf(recipe) === 'undecided'
      ? `${name} may run slower ${place.where} (${formatFactor(value)} the time, ${interval})`
      : `${name} would run ${formatFactor(value)} slower ${place.where}`;
  return `${slower}: ${shippedText(shipped)}`;
}

function shippedText({ execution, detail }: Explained['shipped']): string {
  switch (execution) {
    case 'mixed':
      return `${printable(detail)}, with weights stored as int8, the others in integers`;
    case 'weights':
      return `weights stored as int8, executed in float${detail === '' ? '' : ` (${printable(detail)})`}`;
    case 'float':
      return 'so would all that stores int8; the optimised float model is shipped';
    default:
      return 'so would every other variant; the original is shipped as it came';
  }
}
