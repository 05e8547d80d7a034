import type { LoadedLatency } from '../targets/load-latency.ts';
import { chooseProfiles, type NoProfile } from './choose-profiles.ts';
import type { NetworkDescription } from './describe-network.ts';
import { predictNetwork } from './predict-network.ts';

/** The time of the int8 model as a multiple of the float one's on a device, with its interval. */
export interface PredictedRatio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly source: string;
}

/**
 * Told from the device's profiles where they answer for both precisions. Where int8 was fitted beside float, what both
 * predictions have wrong in common cancels; else the interval goes from the worst case to the best.
 */
export function predictInt8Ratio(
  latency: LoadedLatency | undefined,
  { original, int8 }: { readonly original: NetworkDescription; readonly int8: NetworkDescription },
  asked: { readonly engine: string; readonly threads: number; readonly engineVersion?: string | undefined },
): PredictedRatio | NoProfile {
  const float = predictNetwork(latency, original, { ...asked, precision: undefined });
  if ('missing' in float) return float;
  const question = { ...asked, precision: 'int8' } as const;
  const predicted = predictNetwork(latency, int8, { ...question, originalMs: float.latencyMs });
  if ('missing' in predicted) return predicted;
  const choice = chooseProfiles(latency, question);
  const isTwin =
    !('missing' in choice) && choice.profiles.every(({ profile, float: own }) => own !== undefined && profile.int8Twin);
  return {
    value: predicted.latencyMs / float.latencyMs,
    low: predicted.lowMs / (isTwin ? float.latencyMs : float.highMs),
    high: predicted.highMs / (isTwin ? float.latencyMs : float.lowMs),
    source: predicted.source,
  };
}
