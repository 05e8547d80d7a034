import type { LoadedLatency } from '../targets/load-latency.ts';
import { chooseProfiles, type NoProfile, type ProfileQuestion } from './choose-profiles.ts';
import type { NetworkDescription } from './describe-network.ts';
import { type LatencyPrediction, predictLatency } from './predict-latency.ts';

/** Above this share of products that no fitted network has, a number would say nothing. */
const MOST_UNFAMILIAR = 0.5;

/** The latency of a network on a device, or why nothing supports a number. */
export function predictNetwork(
  latency: LoadedLatency | undefined,
  network: NetworkDescription,
  question: ProfileQuestion & { readonly originalMs?: number | undefined },
): LatencyPrediction | NoProfile {
  if (network.unknown.length > 0) {
    return { missing: `the work of ${network.unknown.slice(0, 5).join(', ')} is not known` };
  }
  if (network.open.length > 0) {
    const names = network.open.slice(0, 5);
    return { missing: `the size of ${names.join(', ')} is open: give it with --dim` };
  }
  if (network.layers === 0) return { missing: 'the model computes nothing' };
  const { share, names } = network.unfamiliar;
  if (share > MOST_UNFAMILIAR) {
    const percent = Math.round(100 * share);
    return {
      missing: `${percent} % of the multiply-accumulates are of ${names.join(', ')}: the one such network with published rows took 4 times as long as a prediction`,
    };
  }
  const choice = chooseProfiles(latency, question);
  if ('missing' in choice) return choice;
  return predictLatency(choice, {
    features: network.features,
    unfamiliar: network.unfamiliar,
    originalMs: question.originalMs,
  });
}
