import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
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

describe('ReferenceSession', () => {
  it('answers from memory after it has left the engine, and comes back for new samples', async () => {
    const { log, load } = engine();
    const reference = await ReferenceSession.load(load);
    const samples = samplesOf([1, 2]);
    reference.remember(samples, 1000);
    await reference.suspend();
    expect(log).toEqual(['load', 'run 1', 'run 2', 'release']);

    const answer = await reference.run(await samples.feed(1), ['y']);
    expect(answer.y!.data[0]).toBe(4);
    expect(log).toHaveLength(4);

    await reference.run({ x: array(3) }, ['y']);
    expect(log.slice(4)).toEqual(['load', 'run 3']);
    await reference.release();
    expect(log.at(-1)).toBe('release');
  });

  it('asks the engine for outputs that were not remembered, and where memory was short', async () => {
    const { log, load } = engine();
    const reference = await ReferenceSession.load(load);
    const samples = samplesOf([1, 2]);
    // One answer takes 8 bytes.
    reference.remember(samples, 8);
    await reference.suspend();
    await reference.run(await samples.feed(0), ['y', 'index']);
    await reference.run(await samples.feed(1), ['y']);
    expect(log.slice(4)).toEqual(['load', 'run 1', 'run 2']);
  });
});
