import type { Measured } from '../budget/evidence.ts';
import { withMargin } from '../budget/judge-latency.ts';
import type { Model } from '../ir/model.ts';
import { describeNetwork } from '../latency/describe-network.ts';
import { predictInt8Ratio } from '../latency/predict-int8-ratio.ts';
import type { PassContext } from '../passes/pass.ts';
import type { ReportExecution } from '../report/execution-schema.ts';
import { formatFactor } from '../report/number-format.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Target } from '../targets/target-schema.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { Variant } from './build-variants.ts';
import { type ComparedLatency, compareLatency } from './compare-latency.ts';
import { isOpen, type TimedVariant } from './judge-execution.ts';
import { engineVersionFor, type TargetNetwork, usableLatency } from './predict.ts';

export type Timed = Variant & TimedVariant;

/** Where variants are timed beside the original. */
export interface Stopwatch {
  /** A new process of the engine there, limited as the model's are. */
  readonly start: () => Promise<Engine>;
  readonly originalPath: string;
  readonly feeds: Feeds;
  readonly threads: number;
  readonly seed: number;
  /** Of one run of the original, about. */
  readonly typicalMs: number;
  readonly context: PassContext;
}

/** The time for one comparison, in seconds; slow models take what five short batches take. */
const MAX_SECONDS = 12;
const TURN_MS = 10;
/** Models that take longer are warm after one run. */
const SLOW_MS = 200;

/** Times variants beside the original in turns, in sessions and processes anew, until their ratios are decided or time is up. */
export async function timeVariants(
  variants: readonly Variant[],
  { start, originalPath, feeds, threads, seed, typicalMs, context }: Stopwatch,
): Promise<{ readonly timed: readonly Timed[]; readonly compared: ComparedLatency }> {
  const models = [
    { label: 'the original model', onnxPath: originalPath },
    ...variants.map(({ execution, path }) => ({ label: `the ${execution} variant`, onnxPath: path })),
  ].map((model) => ({ ...model, feeds: async () => feeds }));
  const timedBy = ({ ratios }: ComparedLatency) =>
    variants.map((variant, i) => ({ ...variant, ratio: withMargin(ratios[i]!) }));
  const compared = await compareLatency(models, {
    start,
    threads,
    turnMs: TURN_MS,
    warmup: typicalMs > SLOW_MS ? 1 : 3,
    maxSeconds: MAX_SECONDS,
    seed,
    logger: context.logger,
    signal: context.signal,
    // A mixed model that is not surely faster is not taken: it needs no decision of its own.
    isDecided: (soFar) => !timedBy(soFar).some((it) => it.execution !== 'mixed' && isOpen(it)),
  });
  return { timed: timedBy(compared), compared };
}

/** What the target's profile says of int8, where it decides; else why it does not. */
export function profileEvidence(
  original: TargetNetwork,
  int8: Model,
  target: Target,
  threads: number,
): { readonly ratio: Measured; readonly label: string } | { readonly note: string } {
  const networks = { original: original.network, int8: describeNetwork(int8) };
  const engine = target.engine.name;
  const question = { engine, threads, engineVersion: engineVersionFor(engine) };
  const predicted = predictInt8Ratio(usableLatency(target).latency, networks, question);
  if ('missing' in predicted) {
    return { note: `the profile of ${target.displayName} does not tell int8 from float: ${predicted.missing}` };
  }
  const { value, low, high, source } = predicted;
  if (low <= 1 && high >= 1) {
    const band = `${formatFactor(low).replace(' ×', '')} to ${formatFactor(high)}`;
    return { note: `the profile of ${target.displayName} cannot tell: int8 would take ${band} the time of float` };
  }
  const label = `predicted for ${target.displayName}, not measured (${source})`;
  return { ratio: { value, low, high }, label };
}

/** The record of a variant in the report. */
export function variantRecord(
  { execution, detail, ratio }: Pick<TimedVariant, 'execution' | 'detail' | 'ratio'>,
  verdict: ReportExecution['variants'][number]['verdict'],
  shipped: boolean,
): ReportExecution['variants'][number] {
  return { execution, detail, ratio: ratio.value, ratioLow: ratio.low, ratioHigh: ratio.high, verdict, shipped };
}
