import { type LatencyMeasurement, quantileOf } from '../latency.ts';
import type { Requests } from '../protocol.ts';
import { asEngineFailure } from './reported-failure.ts';

export interface TimedCandidate {
  readonly label: string;
  runOnce(): Promise<void>;
}

type Schedule = Pick<Requests['measureLatency']['ask'], 'rounds' | 'minRounds' | 'warmup' | 'maxSeconds' | 'turnMs'>;

/**
 * Times candidates in turns: in every round each one runs for about `turnMs` (at least once), in an order that reverses
 * from round to round, so that a host that slows down or speeds up does the same to all of them.
 */
export async function measureInterleaved(
  candidates: readonly TimedCandidate[],
  { rounds, minRounds, warmup, maxSeconds, turnMs }: Schedule,
): Promise<LatencyMeasurement[]> {
  const timings = candidates.map((candidate) => ({
    candidate,
    samplesMs: [] as number[],
    roundMediansMs: [] as number[],
  }));
  for (const { candidate } of timings) {
    for (let i = 0; i < warmup; i++) await asEngineFailure(() => candidate.runOnce());
  }
  const endMs = performance.now() + maxSeconds * 1000;
  for (let round = 0; round < rounds; round++) {
    if (round >= minRounds && performance.now() >= endMs) break;
    for (const timing of round % 2 === 0 ? timings : timings.toReversed()) {
      const turn: number[] = [];
      const turnEndMs = performance.now() + turnMs;
      do {
        const start = performance.now();
        await timing.candidate.runOnce();
        turn.push(performance.now() - start);
      } while (performance.now() < turnEndMs);
      timing.samplesMs.push(...turn);
      timing.roundMediansMs.push(quantileOf(Float64Array.from(turn), 0.5));
    }
  }
  return timings.map(({ candidate, samplesMs, roundMediansMs }) => {
    const samples = Float64Array.from(samplesMs);
    return {
      label: candidate.label,
      samplesMs: samples,
      roundMediansMs: Float64Array.from(roundMediansMs),
      medianMs: quantileOf(samples, 0.5),
      p90Ms: quantileOf(samples, 0.9),
    };
  });
}
