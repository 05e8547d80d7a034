import type { LatencyProfile, LatencyTransfer, TargetLatency } from '../targets/latency-schema.ts';
import type { LoadedLatency } from '../targets/load-latency.ts';

export interface ProfileQuestion {
  readonly engine: string;
  /** undefined: floats in whatever the engine computes them in on this device. */
  readonly precision: LatencyProfile['precision'] | undefined;
  readonly threads: number;
  /** Of the engine that a calibration is compared with; undefined where that does not matter or is not known. */
  readonly engineVersion?: string | undefined;
}

export interface ProfileChoice {
  readonly engine: string;
  readonly threads: number;
  /** With the weight of each and, for int8, the floating point profile of the same board. */
  readonly profiles: readonly {
    readonly profile: LatencyProfile;
    readonly float: LatencyProfile | undefined;
    readonly weight: number;
  }[];
  readonly betweenThreads: boolean;
  readonly transfer: LatencyTransfer | undefined;
  /** Calibrated with another version of the engine than the one asked about. */
  readonly isOtherVersion: boolean;
  /** The user's file, where the profiles are of it. */
  readonly calibrationPath: string | undefined;
  /** Why the interval is wider than the profile's own. */
  readonly reasons: readonly string[];
}

/** Why there is no number. */
export interface NoProfile {
  readonly missing: string;
}

/**
 * The profiles that answer a question: those of the engine, or of another one that a transfer leads from; of the number of
 * threads, or of the ones around it. The user's own calibration comes before what others published.
 */
export function chooseProfiles(
  latency: LoadedLatency | undefined,
  question: ProfileQuestion,
): ProfileChoice | NoProfile {
  const { engine } = question;
  if (latency === undefined || latency.profiles.length === 0) {
    return { missing: 'nobody published latencies of this device that a prediction could rest on' };
  }
  const direct = latency.profiles.filter((profile) => profile.engine === engine && fits(profile, question.precision));
  const answer = direct.length > 0 ? atThreads(latency, direct, question, undefined) : undefined;
  if (answer !== undefined && !('missing' in answer)) return answer;
  const transfer = latency.transfers.find((entry) => entry.engine === engine && fits(entry, question.precision));
  if (transfer !== undefined) {
    const { from } = transfer;
    const other = latency.profiles.filter((p) => p.engine === from.engine && p.precision === from.precision);
    if (other.length > 0) return atThreads(latency, other, question, transfer);
  }
  if (answer !== undefined) return answer;
  const has = latency.profiles.map((profile) => `${profile.engine} ${profile.precision}`);
  const known = [...new Set(has)].join(', ');
  const what = question.precision === undefined ? engine : `${engine} in ${question.precision}`;
  return { missing: `no rows of ${what} on this device, and none that lead to it (there are: ${known})` };
}

function fits({ precision }: { precision: string }, asked: string | undefined): boolean {
  return asked === undefined ? precision !== 'int8' : precision === asked;
}

function atThreads(
  latency: LoadedLatency,
  candidates: readonly LatencyProfile[],
  { engine, threads, engineVersion }: ProfileQuestion,
  transfer: LatencyTransfer | undefined,
): ProfileChoice | NoProfile {
  const calibrated = candidates.filter(({ origin }) => origin === 'calibrated');
  const own = calibrated.some((profile) => profile.threads === threads) ? calibrated : candidates;
  const reasons = transfer === undefined ? [] : [transfer.reason];
  const withFloat = (profile: LatencyProfile, weight: number) => ({
    profile,
    weight,
    float: floatOf(latency, profile),
  });
  const fromCalibration = (profiles: readonly LatencyProfile[]) => {
    const { origin, engineVersion: version } = profiles[0]!;
    const isCalibrated = origin === 'calibrated';
    const isOtherVersion = isCalibrated && engineVersion !== undefined && version !== engineVersion;
    if (isOtherVersion) {
      reasons.push(`calibrated with ${engine} ${version ?? 'of an unknown version'}, and this is ${engineVersion}`);
    }
    return { isOtherVersion, calibrationPath: isCalibrated ? latency.calibrationPath : undefined };
  };
  const common = { engine, threads, transfer };
  const exact = own.filter((profile) => profile.threads === threads);
  if (exact.length > 0) {
    const boards = [...new Set(exact.map(({ board }) => board))];
    if (exact.length > 1) {
      reasons.push(
        `${exact.length} runs on ${boards.length} ${boards.length === 1 ? 'board' : 'boards'} with this chip (${boards.join(', ')}) differ: the interval holds all of theirs`,
      );
    }
    const profiles = exact.map((profile) => withFloat(profile, 1));
    return { ...common, ...fromCalibration(exact), profiles, betweenThreads: false, reasons };
  }
  const below = nearest(own, (count) => count < threads, -1);
  const above = nearest(own, (count) => count > threads, 1);
  if (below === undefined || above === undefined || below.board !== above.board) {
    const counts = [...new Set(own.map((profile) => profile.threads))].sort((a, b) => a - b).join(', ');
    return { missing: `nothing was measured with ${threads} threads or on both sides of it (there are: ${counts})` };
  }
  reasons.push(`${threads} threads were not measured: between ${below.threads} and ${above.threads}`);
  const part = Math.log(threads / below.threads) / Math.log(above.threads / below.threads);
  return {
    ...common,
    ...fromCalibration([below, above]),
    profiles: [withFloat(below, 1 - part), withFloat(above, part)],
    betweenThreads: true,
    reasons,
  };
}

function nearest(
  profiles: readonly LatencyProfile[],
  allow: (threads: number) => boolean,
  direction: 1 | -1,
): LatencyProfile | undefined {
  return profiles.filter(({ threads }) => allow(threads)).sort((a, b) => direction * (a.threads - b.threads))[0];
}

/** Of the same board, engine, version, threads and cores. */
function floatOf({ profiles }: TargetLatency, profile: LatencyProfile): LatencyProfile | undefined {
  if (profile.precision !== 'int8') return undefined;
  return profiles.find(
    (other) =>
      other.precision !== 'int8' &&
      other.engine === profile.engine &&
      other.engineVersion === profile.engineVersion &&
      other.board === profile.board &&
      other.threads === profile.threads &&
      other.cores === profile.cores,
  );
}
