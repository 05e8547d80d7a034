import { type CostFeatures, costFeatures } from '../targets/cost-features.ts';
import type { LatencyProfile } from '../targets/latency-schema.ts';
import type { ProfileChoice } from './choose-profiles.ts';
import { logPredict } from './fit-coefficients.ts';
import { twinLogLatency } from './int8-twin.ts';
import { featureVector } from './layer-cost.ts';

/** A latency told from a model of the device, never from a run of this network there. */
export interface LatencyPrediction {
  readonly label: 'predicted, not measured';
  readonly latencyMs: number;
  readonly lowMs: number;
  readonly highMs: number;
  /** Share of networks that the interval is meant to hold. */
  readonly coverage: number;
  /** Left-out rows that lay in intervals made as this one was; null where it was widened or has no rows to be tested on. */
  readonly tested: { readonly rowsCovered: number; readonly rows: number } | null;
  readonly engine: string;
  /** Of the measured rows; null where several versions or none are known. */
  readonly engineVersion: string | null;
  readonly precision: LatencyProfile['precision'];
  readonly threads: number;
  readonly osBits: LatencyProfile['osBits'];
  readonly origin: LatencyProfile['origin'];
  readonly source: string;
  /** The user's own calibration that it rests on: its file, and when the oldest part of it was measured (ISO 8601). */
  readonly calibration: { readonly path: string | null; readonly measuredAt: string | null } | null;
  /** Why the interval is wider than that of the fitted rows; empty where it is not. */
  readonly widened: readonly string[];
}

export interface LatencyQuestion {
  readonly features: CostFeatures;
  /** Share of the MACs that the networks of the evidence have nothing like, and what it is. */
  readonly unfamiliar: { readonly share: number; readonly names: readonly string[] };
  /** Latency of the network in floats, measured on the device with this engine and these threads. */
  readonly originalMs?: number | undefined;
}

/** Parts of a prediction below this share do not widen it when they are outside the range. */
const NOTABLE_PART = 0.1;
/**
 * Between two numbers of threads an interval is this much wider, in logarithms: how two boards with one chip differ (20 %).
 */
const BETWEEN_THREADS = Math.log(1.2);
/**
 * The one published network that is all matrix products (vision_transformer, 18 rows) took 2.7 to 6.9 times its prediction
 * (5 and 95 %): the upper end rises by this much in proportion to the share of such products.
 */
const UNFAMILIAR_RISE = Math.log(6.9);

/**
 * A calibration with another version of the engine is this much less sure, in logarithms: from one year to the next an engine
 * became up to 1.3 times as fast on one board in floats, and up to twice in int8 (ncnn's published rows).
 */
const OTHER_VERSION = { float: Math.log(1.3), int8: Math.log(2) };

/** Combines the chosen profiles: mean of the boards' predictions, interval that holds all of theirs. */
export function predictLatency(choice: ProfileChoice, question: LatencyQuestion): LatencyPrediction {
  const widened = [...choice.reasons];
  const features = featureVector(question.features);
  const { share, names } = question.unfamiliar;
  const rise = share > NOTABLE_PART ? share * UNFAMILIAR_RISE : 0;
  if (rise > 0) {
    widened.push(
      `outside the evidence: ${Math.round(100 * share)} % of the multiply-accumulates are of ${names.join(', ')}, which no fitted network has`,
    );
  }
  const estimates = choice.profiles.map(({ profile, float, weight }) => {
    const estimate = estimateWith(profile, float, features, question.originalMs);
    const { factor, reasons } = outsideFactor(profile, features);
    for (const reason of reasons) if (!widened.includes(reason)) widened.push(reason);
    return { ...estimate, low: estimate.low * factor, high: estimate.high * factor + rise, weight };
  });
  const total = estimates.reduce((sum, { weight }) => sum + weight, 0);
  const transfer = choice.transfer;
  const center =
    estimates.reduce((sum, { log, weight }) => sum + log * weight, 0) / total + Math.log(transfer?.ratio ?? 1);
  // Interpolated thread counts are of one board: their mean interval; several boards: one that holds all of theirs.
  const spread = choice.betweenThreads
    ? {
        low: estimates.reduce((sum, { low, weight }) => sum + low * weight, 0) / total - BETWEEN_THREADS,
        high: estimates.reduce((sum, { high, weight }) => sum + high * weight, 0) / total + BETWEEN_THREADS,
      }
    : {
        low: Math.min(...estimates.map(({ log, low }) => log + low)) - (center - Math.log(transfer?.ratio ?? 1)),
        high: Math.max(...estimates.map(({ log, high }) => log + high)) - (center - Math.log(transfer?.ratio ?? 1)),
      };
  const [first] = choice.profiles.map(({ profile }) => profile) as [LatencyProfile];
  const aged = choice.isOtherVersion ? OTHER_VERSION[first.precision === 'int8' ? 'int8' : 'float'] : 0;
  const low = spread.low - aged + Math.log((transfer?.lowRatio ?? 1) / (transfer?.ratio ?? 1));
  const high = spread.high + aged + Math.log((transfer?.highRatio ?? 1) / (transfer?.ratio ?? 1));
  const versions = new Set(choice.profiles.map(({ profile }) => profile.engineVersion));
  const sources = [...new Set(choice.profiles.map(({ profile }) => profile.source))];
  const { band } = estimates[0]!;
  const moments = choice.profiles.flatMap(({ profile }) => profile.measured?.at ?? []).sort();
  return {
    label: 'predicted, not measured',
    latencyMs: Math.exp(center),
    lowMs: Math.exp(center + low),
    highMs: Math.exp(center + high),
    coverage: band.coverage,
    tested: widened.length > 0 || band.rows === 0 ? null : { rowsCovered: band.rowsCovered, rows: band.rows },
    engine: choice.engine,
    engineVersion: transfer === undefined && versions.size === 1 ? first.engineVersion : null,
    precision: transfer?.precision ?? first.precision,
    threads: choice.threads,
    osBits: first.osBits,
    origin: first.origin,
    source: [...sources, ...(transfer === undefined ? [] : [transfer.source])].join('; '),
    calibration:
      first.origin === 'calibrated' ? { path: choice.calibrationPath ?? null, measuredAt: moments[0] ?? null } : null,
    widened,
  };
}

interface Estimate {
  /** Natural logarithms: of the latency, and of the ends of the band over it. */
  readonly log: number;
  readonly low: number;
  readonly high: number;
  readonly band: LatencyProfile['band'];
}

function estimateWith(
  profile: LatencyProfile,
  float: LatencyProfile | undefined,
  features: readonly number[],
  originalMs: number | undefined,
): Estimate {
  const twin = profile.int8Twin;
  if (originalMs !== undefined && twin !== undefined && float !== undefined) {
    const { products1x1, products3x3, rest } = twin.ratios;
    const log = twinLogLatency(features, Math.log(originalMs), {
      float: logCoefficients(float),
      int8: logCoefficients(profile),
      ratios: [products1x1, products3x3, rest].map(Math.log),
      carry: twin.carry,
    });
    return { log, low: Math.log(twin.band.lowRatio), high: Math.log(twin.band.highRatio), band: twin.band };
  }
  const { band } = profile;
  const log = logPredict(features, logCoefficients(profile));
  return { log, low: Math.log(band.lowRatio), high: Math.log(band.highRatio), band };
}

/** Natural logarithms of the coefficients, in the order of `costFeatures`; a missing one is 0 milliseconds. */
export function logCoefficients({ coefficientsMs }: Pick<LatencyProfile, 'coefficientsMs'>): readonly number[] {
  return costFeatures.map((name) => Math.log(coefficientsMs[name] ?? 0));
}

/** How many times as wide the interval has to be in logarithms for what the fitted networks do not reach. */
function outsideFactor(
  profile: LatencyProfile,
  features: readonly number[],
): { factor: number; reasons: readonly string[] } {
  const log = logCoefficients(profile);
  const parts = features.map((value, f) => value * Math.exp(log[f]!));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const reasons: string[] = [];
  let distance = 0;
  costFeatures.forEach((name, f) => {
    const max = profile.range.features[name]?.max ?? 0;
    if (parts[f]! < NOTABLE_PART * total || features[f]! <= max) return;
    distance = Math.max(distance, max === 0 ? Math.LN10 : Math.log(features[f]! / max));
    reasons.push(
      `outside the calibrated range: ${name} is ${short(features[f]!)}, fitted networks had at most ${short(max)}`,
    );
  });
  const { min, max } = profile.range.latencyMs;
  if (total < min || total > max) {
    distance = Math.max(distance, Math.log(total < min ? min / total : total / max));
    const bound = total < min ? `shorter than ${short(min)}` : `longer than ${short(max)}`;
    reasons.push(
      `outside the calibrated range: ${bound} ms, the ${total < min ? 'shortest' : 'longest'} that was fitted`,
    );
  }
  return { factor: 1 + distance, reasons };
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
