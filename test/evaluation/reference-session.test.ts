import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { keepFeeds } from '../../src/data/keep-feeds.ts';
import type { ModelInterface } from '../../src/evaluation/model-interface.ts';
import { ReferenceSession } from '../../src/evaluation/reference-session.ts';
import type { Session } from '../../src/runtime/session.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';

function array(value: number) {
  return { dataType: DataType.float32, dims: [1, 2], data: Float32Array.of(value, -value) };
}

/** A model that doubles, and says what happens to it. */
function engine() {
  const log: string[] = [];
  const load = async (): Promise<Session> => {
    log.push('load');
    const description = { dataType: DataType.float32, shape: [1, 2] };
    return {
      id: 1,
      inputs: [{ name: 'x', ...description }],
      outputs: [
        { name: 'y', ...description },
        { name: 'index', ...description, dataType: DataType.int64 },
      ],
      async run(feeds: Feeds) {
        log.push(`run ${feeds.x!.data[0]}`);
        return { y: array(2 * Number(feeds.x!.data[0])) };
      },
      release: async () => void log.push('release'),
    } as unknown as Session;
  };
  return { log, load };
}

function samplesOf(values: readonly number[]): Dataset {
  const feeds: Feeds[] = values.map((value) => ({ x: array(value) }));
  return { count: feeds.length, feed: async (index: number) => feeds[index]! } as Dataset;
}

/** What the engine would say of the model. */
async function descriptionOf(load: () => Promise<Session>): Promise<ModelInterface> {
  const { inputs, outputs } = await load();
  return { inputs, outputs };
}

describe('ReferenceSession', () => {
  it('answers from memory after it has left the engine, and comes back for new samples', async () => {
    const { log, load } = engine();
    const samples = keepFeeds(samplesOf([1, 2]), 1000);
    const reference = await ReferenceSession.open(load, { samples, limitBytes: 1000 });
    await reference.remember();
    await reference.suspend();
    expect(log).toEqual(['load', 'run 1', 'run 2', 'release']);

    const answer = await reference.run(await samples.feed(1), ['y']);
    expect(answer.y!.data[0]).toBe(4);
    expect(log).toHaveLength(4);

    await reference.run({ x: array(3) }, ['y']);
    expect(log.slice(4)).toEqual(['load', 'run 3']);
    await reference.suspend();
    expect(log.at(-1)).toBe('release');
  });

  it('asks the engine for outputs that were not remembered, and where memory was short', async () => {
    const { log, load } = engine();
    const samples = keepFeeds(samplesOf([1, 2]), 1000);
    // One answer takes 8 bytes.
    const reference = await ReferenceSession.open(load, { samples, limitBytes: 8 });
    await reference.remember();
    await reference.suspend();
    await reference.run(await samples.feed(0), ['y', 'index']);
    await reference.run(await samples.feed(1), ['y']);
    expect(log.slice(3)).toEqual(['load', 'run 1', 'run 2']);
  });

  it('remembers what it was asked while it was compared, and only of samples that come again', async () => {
    const { log, load } = engine();
    // The second one does not fit.
    const samples = keepFeeds(samplesOf([1, 2]), 8);
    const reference = await ReferenceSession.open(load, { samples, limitBytes: 1000 });
    for (const index of [0, 1, 0, 1]) await reference.run(await samples.feed(index), ['y']);
    expect(log).toEqual(['load', 'run 1', 'run 2', 'run 2']);
    await reference.remember();
    expect(log).toHaveLength(4);
  });

  it('is not loaded where its interface is known and its answers come from elsewhere', async () => {
    const { log, load } = engine();
    const known = await descriptionOf(load);
    log.length = 0;
    const samples = keepFeeds(samplesOf([1, 2]), 1000);
    const reference = await ReferenceSession.open(load, { known, samples, limitBytes: 1000 });
    expect(reference.outputNames).toEqual(['y']);
    for (const index of [0, 1]) {
      const feeds = await samples.feed(index);
      expect(reference.wants(feeds)).toBe(true);
      reference.take(feeds, { y: array(10 * index) });
      expect(reference.wants(feeds)).toBe(false);
    }
    expect(reference.wants({ x: array(1) })).toBe(false);
    await reference.remember();
    await reference.suspend();
    expect((await reference.run(await samples.feed(1), ['y'])).y!.data[0]).toBe(10);
    expect(log).toEqual([]);

    await reference.run({ x: array(5) });
    expect(log).toEqual(['load', 'run 5']);
  });
});
