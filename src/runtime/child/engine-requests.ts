import type { Feeds, NdArray } from '../../tensor/nd-array.ts';
import type { RequestKind, Requests, SentFeeds } from '../protocol.ts';
import type { StatisticsRequest } from '../statistics.ts';
import { Collector } from './collector.ts';
import { Comparison } from './comparison.ts';
import { type InferenceEngine, loadInferenceEngine } from './inference-engine.ts';
import { InterleavedTiming } from './interleaved-timing.ts';
import { LoadedModel } from './loaded-model.ts';
import { peakMemoryBytes } from './peak-memory.ts';
import { releaseBuffers } from './release-buffers.ts';
import { ReportedFailure } from './reported-failure.ts';
import { Watchdog } from './watchdog.ts';

type Answers = { [K in RequestKind]: (ask: Requests[K]['ask']) => Promise<Requests[K]['answer']> };

/** What the engine's process does for each kind of request. Requests run one after the other. */
export function engineRequests(): Answers {
  let engine: InferenceEngine | undefined;
  let watchdog: Watchdog | undefined;
  let nextSessionId = 1;
  const models = new Map<number, LoadedModel>();
  const collectors = new Map<number, Collector>();
  const comparisons = new Map<number, Comparison>();
  const timings = new Map<number, InterleavedTiming>();
  const recurring = new Map<number, Feeds>();
  let nextTimingId = 1;

  function modelOf(sessionId: number): LoadedModel {
    const model = models.get(sessionId);
    if (model === undefined) throw new ReportedFailure('engine-failed', 'the session has been released');
    return model;
  }

  function feedsOf({ feeds, feedsId }: SentFeeds): Feeds {
    if (feedsId !== undefined && feeds !== undefined) recurring.set(feedsId, feeds);
    const found = feeds ?? (feedsId === undefined ? undefined : recurring.get(feedsId));
    if (found === undefined) throw new ReportedFailure('engine-failed', 'the feeds have not been sent');
    return found;
  }

  function collectorOf(sessionId: number, request: StatisticsRequest | undefined): Collector {
    if (request !== undefined) collectors.set(sessionId, new Collector(request));
    const collector = collectors.get(sessionId);
    if (collector === undefined) throw new ReportedFailure('engine-failed', 'no statistics have been asked for');
    return collector;
  }

  return {
    async open({ enginePackage, memoryLimitBytes }) {
      engine = await loadInferenceEngine(enginePackage);
      watchdog = new Watchdog(memoryLimitBytes);
      return { version: engine.env.versions.node ?? engine.env.versions.common };
    },

    async limit({ memoryBytes, runSeconds }) {
      watchdog?.limit(memoryBytes, runSeconds);
    },

    async load({ model, options }) {
      if (engine === undefined || watchdog === undefined)
        throw new ReportedFailure('engine-failed', 'the engine has not been opened');
      const start = performance.now();
      const loaded = await LoadedModel.load(engine, watchdog, model, options);
      const loadMs = performance.now() - start;
      const sessionId = nextSessionId++;
      models.set(sessionId, loaded);
      return { sessionId, inputs: [...loaded.inputs], outputs: [...loaded.outputs], loadMs };
    },

    async run({ sessionId, outputNames, ...sent }) {
      const feeds = feedsOf(sent);
      const model = modelOf(sessionId);
      return model.run(model.prepare(feeds), outputNames);
    },

    async collect({ sessionId, request, outputNames, ...sent }) {
      const feeds = feedsOf(sent);
      const model = modelOf(sessionId);
      const collector = collectorOf(sessionId, request);
      const wanted = [...new Set([...collector.outputNames, ...outputNames])];
      const outputs = await model.run(model.prepare(feeds), wanted);
      collector.add(outputs);
      const fetched: Record<string, NdArray> = Object.create(null);
      for (const name of outputNames) {
        fetched[name] = outputs[name]!;
        delete outputs[name];
      }
      releaseBuffers(outputs);
      return fetched;
    },

    async statistics({ sessionId }) {
      const collector = collectorOf(sessionId, undefined);
      collectors.delete(sessionId);
      return collector.result();
    },

    async endProfiling({ sessionId }) {
      return modelOf(sessionId).endProfiling();
    },

    async release({ sessionId }) {
      const model = modelOf(sessionId);
      models.delete(sessionId);
      collectors.delete(sessionId);
      await model.release();
    },

    async compare({ comparisonId, referenceId, candidateId, pairs, feeds }) {
      let comparison = comparisons.get(comparisonId);
      if (comparison === undefined) {
        comparison = new Comparison(pairs);
        comparisons.set(comparisonId, comparison);
      }
      const fetch = (sessionId: number, names: readonly string[]) => {
        const model = modelOf(sessionId);
        return model.run(model.prepare(feeds), [...new Set(names)]);
      };
      const { pairs: known } = comparison;
      const references = await fetch(
        referenceId,
        known.map((pair) => pair.reference),
      );
      const candidates = await fetch(
        candidateId,
        known.map((pair) => pair.candidate),
      );
      comparison.add(references, candidates);
      releaseBuffers(references);
      releaseBuffers(candidates);
    },

    async endComparison({ comparisonId }) {
      const comparison = comparisons.get(comparisonId);
      comparisons.delete(comparisonId);
      if (comparison === undefined) throw new ReportedFailure('engine-failed', 'nothing has been compared');
      return comparison.result();
    },

    async startTiming({ candidates, schedule }) {
      const runs = candidates.map(({ sessionId, feeds }) => {
        const model = modelOf(sessionId);
        const prepared = model.prepare(feeds);
        return () => model.runOnly(prepared);
      });
      const timingId = nextTimingId++;
      timings.set(timingId, await InterleavedTiming.start(runs, schedule));
      return { timingId };
    },

    async timeRounds({ timingId, rounds, maxMs }) {
      const timing = timings.get(timingId);
      if (timing === undefined) throw new ReportedFailure('engine-failed', 'nothing is being timed');
      return timing.measure(rounds, maxMs);
    },

    async endTiming({ timingId }) {
      timings.delete(timingId);
    },

    async peakMemory() {
      return peakMemoryBytes();
    },
  };
}
