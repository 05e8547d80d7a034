import { openDataset } from '../dist/data/dataset.js';
import { roundMedians, summarizeLatency } from '../dist/evaluation/latency-statistics.js';
import { startEngine } from '../dist/runtime/engine.js';

/**
 * Times model files in turns on one sample, in one process of the engine, as other programs run them.
 * @param {{ label: string, path: string }[]} files that take the same inputs
 * @returns {Promise<Record<string, { medianMs: number, p90Ms: number, roundMediansMs: number[] }>>} by label
 */
export async function latencies(files, { data, preprocess, threads, rounds }) {
  const engine = await startEngine();
  try {
    const candidates = [];
    for (const { label, path } of files) {
      const session = await engine.load(path, { threads, memoryPattern: true, spin: true });
      const samples = await openDataset(data, { inputs: session.inputs, preprocess });
      candidates.push({ label, session, feeds: await samples.feed(0) });
    }
    const measured = await engine.measureLatency(candidates, { rounds, minRounds: rounds, maxSeconds: 120 });
    return Object.fromEntries(
      measured.candidates.map(({ label, roundsMs }) => {
        const { median, p90 } = summarizeLatency(roundsMs);
        return [label, { medianMs: median.valueMs, p90Ms: p90.valueMs, roundMediansMs: [...roundMedians(roundsMs)] }];
      }),
    );
  } finally {
    await engine.close();
  }
}

/** Median over the rounds of a's median divided by b's in the same round: load that comes and goes cancels. */
export function pairedRatio(a, b) {
  const ratios = a.roundMediansMs.map((ms, round) => ms / b.roundMediansMs[round]).sort((x, y) => x - y);
  const middle = ratios.length >> 1;
  return ratios.length % 2 === 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2;
}
