import { quantileOf } from '../latency.ts';
import { turnOrders } from '../turn-order.ts';
import { asEngineFailure } from './reported-failure.ts';

/** One run of a candidate. */
export type TimedRun = () => Promise<void>;

export interface TimingSchedule {
  /** Runs of each candidate before the first round; at least 1. */
  readonly warmup: number;
  /** Length of a turn, as far as a whole number of runs goes. */
  readonly turnMs: number;
  readonly maxRunsPerTurn: number;
  /** Of the order of the turns. */
  readonly seed: number;
}

/** Rounds that were measured: per round the order of the turns and per candidate the milliseconds of its runs. */
export interface TimedRounds {
  readonly orders: readonly (readonly number[])[];
  readonly samplesMs: readonly (readonly Float64Array[])[];
}

/**
 * Times candidates in turns, so that a host that slows down or speeds up does the same to all of them. How many runs a
 * turn has is settled by the warm-up and stays: turns that ended by the clock would hold fewer runs when the host is
 * slow, and slow times would be counted too little. Each turn begins with a run that does not count, which brings the
 * candidate's data back into the caches and lets the threads of the one before come to rest.
 */
export class InterleavedTiming {
  readonly runsPerTurn: readonly number[];
  readonly #runs: readonly TimedRun[];
  readonly #orders: Generator<readonly number[], never, undefined>;

  private constructor(runs: readonly TimedRun[], runsPerTurn: readonly number[], seed: number) {
    this.#runs = runs;
    this.runsPerTurn = runsPerTurn;
    this.#orders = turnOrders(runs.length, seed);
  }

  /** Warms up. @throws ReportedFailure if a run fails. */
  static async start(
    runs: readonly TimedRun[],
    { warmup, turnMs, maxRunsPerTurn, seed }: TimingSchedule,
  ): Promise<InterleavedTiming> {
    const runsPerTurn: number[] = [];
    for (const run of runs) {
      const warmupMs = new Float64Array(Math.max(1, warmup));
      await asEngineFailure(async () => {
        for (let i = 0; i < warmupMs.length; i++) warmupMs[i] = await timeOf(run);
      });
      const typicalMs = quantileOf(warmupMs.subarray(warmupMs.length >> 1), 0.5);
      runsPerTurn.push(Math.max(1, Math.min(maxRunsPerTurn, Math.round(turnMs / typicalMs))));
    }
    return new InterleavedTiming(runs, runsPerTurn, seed);
  }

  /** Measures one round, and further ones up to `rounds` as long as none begins after `maxMs`. */
  async measure(rounds: number, maxMs: number): Promise<TimedRounds> {
    const endMs = performance.now() + maxMs;
    const orders: (readonly number[])[] = [];
    const samplesMs: Float64Array[][] = [];
    do {
      const order = this.#orders.next().value;
      const ofRound: Float64Array[] = [];
      for (const candidate of order) {
        const run = this.#runs[candidate]!;
        const turn = new Float64Array(this.runsPerTurn[candidate]!);
        await run();
        for (let i = 0; i < turn.length; i++) turn[i] = await timeOf(run);
        ofRound[candidate] = turn;
      }
      orders.push(order);
      samplesMs.push(ofRound);
    } while (orders.length < rounds && performance.now() < endMs);
    return { orders, samplesMs };
  }
}

async function timeOf(run: TimedRun): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
