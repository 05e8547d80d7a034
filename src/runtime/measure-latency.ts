import type { EngineChannel, RequestSubject } from './engine-channel.ts';
import type { LatencyCandidate, LatencyOptions, LatencyRun } from './latency.ts';

/** How long the engine's process measures before it reports: short enough to be interrupted, long against the report. */
const REPORT_MS = 500;

/**
 * Times sessions in turns, in the engine's process, and decides between the reports whether to go on.
 * @throws EdgepackError if a run fails; the reason of `signal` when that is aborted.
 */
export async function measureLatency(
  process: EngineChannel,
  candidates: readonly LatencyCandidate[],
  subject: RequestSubject,
  {
    rounds = 20,
    minRounds = 5,
    warmup = 5,
    maxSeconds = 30,
    turnMs = 20,
    maxRunsPerTurn = 200,
    seed = 0,
    signal,
    enough = () => false,
  }: LatencyOptions,
): Promise<LatencyRun> {
  const timed = candidates.map(({ session, feeds }) => ({ sessionId: session.id, feeds }));
  const { timingId } = await process.request(
    'startTiming',
    { candidates: timed, schedule: { warmup, turnMs, maxRunsPerTurn, seed } },
    subject,
  );
  const roundsMs: Float64Array[][] = candidates.map(() => []);
  const orders: (readonly number[])[] = [];
  const startMs = performance.now();
  const so = (stopped: LatencyRun['stopped']): LatencyRun => ({
    candidates: candidates.map(({ label }, i) => ({ label, roundsMs: roundsMs[i]! })),
    orders,
    stopped,
    elapsedMs: performance.now() - startMs,
  });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const leftMs = maxSeconds * 1000 - (performance.now() - startMs);
      if (leftMs <= 0 && orders.length >= Math.min(minRounds, rounds)) return so('time');
      const ask = { timingId, rounds: rounds - orders.length, maxMs: Math.min(REPORT_MS, leftMs) };
      const part = await process.request('timeRounds', ask, subject);
      orders.push(...part.orders);
      for (const round of part.samplesMs) for (const [i, samples] of round.entries()) roundsMs[i]!.push(samples);
      if (orders.length >= rounds) return so('rounds');
      if (enough(so('enough'))) return so('enough');
    }
  } finally {
    await process.request('endTiming', { timingId }, subject).catch(() => {});
  }
}
