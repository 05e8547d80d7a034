import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { severityOf, statusOf } from '../../src/budget/judge.ts';
import { caughtDropPoints, finestDropPoints, unpairedLoss } from '../../src/budget/judge-accuracy.ts';
import { encodeAnswerBits } from '../../src/evaluation/answer-bits.ts';
import { wilsonInterval } from '../../src/evaluation/statistics.ts';
import { exampleItem } from '../cli/example-check.ts';
import { judgeBudgets, judgeOne } from './example-judged.ts';

describe('sizes', () => {
  const part = (name: string, value: number) => ({ name, value });
  const now = { fileBytes: 1010, fileParts: [part('a', 500), part('b', 300), part('new', 100)] };
  const before = { fileBytes: 1000, fileParts: [part('a', 495), part('b', 400), part('gone', 20)] };

  it.each([
    [1010, 'passed', 0],
    [1009, 'failed', 1],
    ['1 kB', 'failed', 10],
    ['1 KiB', 'passed', -14],
    [0, 'failed', 1010],
  ])('against %s: %s', (max, outcome, difference) => {
    expect(judgeOne({ size: { file: max } }, now)).toMatchObject({ outcome, difference, value: 1010, unit: 'bytes' });
  });

  it.each([
    ['1%', 'passed', 1010],
    ['0.9%', 'failed', 1009],
    [10, 'passed', 1010],
    ['9 bytes', 'failed', 1009],
    ['0%', 'failed', 1000],
  ])('a growth of 1 %% with %s allowed: %s', (maxIncrease, outcome, limit) => {
    const item = judgeOne({ size: { file: { maxIncrease } } }, now, { baseline: before });
    expect(item).toMatchObject({ outcome, limit, baseline: 1000 });
    expect(item.message).toContain('+1.00 % against the baseline');
  });

  it('name what grew most first, what is new, and the rest of the file', () => {
    const { responsible } = judgeOne({ size: { file: { maxIncrease: '0%' } } }, now, { baseline: before });
    expect(responsible).toEqual([
      { name: 'new', detail: '+100 bytes (new)' },
      { name: 'graph, names, container', detail: '+25 bytes' },
      { name: 'a', detail: '+5 bytes (495 bytes → 500 bytes)' },
    ]);
    expect(judgeOne({ size: { file: 1 } }, now).responsible[0]).toEqual({ name: 'a', detail: '500 bytes' });
    expect(judgeOne({ size: { file: 2000 } }, now).responsible).toEqual([]);
  });

  it('name the largest where nothing grew, and of counted parameters the initializers that hold them', () => {
    const shrunk = { ...now, fileBytes: 990, parameters: 250, parameterParts: now.fileParts };
    const judged = (budgets: object) => judgeOne(budgets, shrunk, { baseline: { ...before, parameters: 249 } });
    expect(judged({ size: { file: 1 } }).responsible[0]).toEqual({ name: 'a', detail: '500 bytes' });
    const counted = judgeOne({ size: { parameters: 249 } }, shrunk);
    expect(counted.responsible.map(({ name }) => name)).toEqual(['a', 'b', 'new']);
  });

  it('of an .ort are not compared with those of an .onnx', () => {
    const ort = { fileBytes: 1200, fileFormat: 'ort' as const };
    const against = (baseline: object) => judgeOne({ size: { file: { maxIncrease: '1%' } } }, ort, { baseline });
    expect(against({ fileBytes: 1000 })).toMatchObject({
      outcome: 'refused',
      message: 'the baseline has no .ort file, but an .onnx',
    });
    expect(against(ort).message).toMatch(/^\.ort file 1,200 bytes is within/);
  });

  it('are skipped without a baseline, and refused where nothing is known', () => {
    expect(judgeOne({ size: { file: { maxIncrease: '1%' } } }, now)).toMatchObject({ outcome: 'skipped', limit: null });
    expect(judgeOne({ size: { epk: 5 } }, now)).toMatchObject({
      outcome: 'refused',
      message: 'there is no .epk file to judge',
    });
    const relative = judgeOne({ size: { epk: { maxIncrease: 5 } } }, { epkBytes: 3 }, { baseline: {} });
    expect(relative).toMatchObject({ outcome: 'refused', message: 'the baseline has no .epk file' });
  });
});

describe('accuracy', () => {
  const share = (right: number, samples: number) => ({ top1: wilsonInterval(right, samples), samples });

  it.each([
    [960, 0.95, 'passed'],
    [950, 0.95, 'passed'],
    [945, 0.95, 'undecided'],
    [930, 0.95, 'failed'],
  ])('%d of 1000 right against at least %d: %s', (right, min, outcome) => {
    expect(judgeOne({ accuracy: { top1: min } }, share(right, 1000)).outcome).toBe(outcome);
  });

  it('a failed limit tells by how much', () => {
    expect(judgeOne({ accuracy: { top1: 0.95 } }, share(930, 1000)).message).toMatch(
      /is less than the minimum of 95\.00 % by 2\.00 points$/,
    );
    const drop = (b: number, c: number) => judgeOne({ accuracy: { drop: 0.6 } }, { drop: { b, c, samples: 1000 } });
    expect(drop(20, 2).message).toMatch(/is more than the limit of 0\.6 points by 1\.20 points$/);
    expect(drop(0, 30).message).toMatch(/^a loss against the original of −3\.00 points \(−4\.\d+ to −2\.\d+;/);
  });

  it('a minimum that a single sample decides is refused with the figure', () => {
    const item = judgeOne({ accuracy: { top1: 0.995 } }, share(98, 100));
    expect(item.outcome).toBe('refused');
    expect(item.message).toContain('one sample is 1.00 %; evaluate on 200 or more');
  });

  it.each([
    [5, 0, 'passed'],
    [8, 0, 'undecided'],
    [40, 28, 'undecided'],
    [20, 2, 'failed'],
    [0, 0, 'passed'],
    [0, 30, 'passed'],
  ])('%d lost and %d won of 1000 against a drop of 0.6 points: %s', (b, c, outcome) => {
    const item = judgeOne({ accuracy: { drop: 0.6 } }, { drop: { b, c, samples: 1000 } });
    expect(item).toMatchObject({ outcome, value: (b - c) / 10, unit: 'points' });
  });

  it('a limit finer than the samples can tell is refused, with the finest and the samples it would take', () => {
    const item = judgeOne({ accuracy: { drop: 0.5 } }, { drop: { b: 0, c: 0, samples: 500 } });
    expect(item.outcome).toBe('refused');
    expect(item.message).toBe(
      'a limit of 0.5 points is finer than 500 samples can tell: set at least 0.55, or evaluate on 542 samples',
    );
    expect(judgeOne({ accuracy: { drop: 0.5 } }, { drop: { b: 0, c: 0, samples: 542 } }).outcome).toBe('passed');
  });

  it('what the limit says is caught is caught, and a sample less is not certain', () => {
    for (const [samples, limit] of [
      [600, 0.5],
      [1082, 0.5],
      [3000, 0.5],
      [10_000, 0.1],
      [400, 1],
    ] as const) {
      expect(limit).toBeGreaterThanOrEqual(finestDropPoints(samples));
      // The formula is a normal approximation; the score interval is up to a few samples more careful.
      const lost = Math.ceil((samples * caughtDropPoints(samples, limit)) / 100);
      const outcome = (b: number) => judgeOne({ accuracy: { drop: limit } }, { drop: { b, c: 0, samples } }).outcome;
      expect(outcome(lost + 2), `${samples} ${limit}`).toBe('failed');
      expect(outcome(Math.floor((samples * limit) / 100) + 1)).toBe('undecided');
    }
  });

  it('the document shows these figures', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'budgets.md'), 'utf8');
    const rows = Array.from(text.matchAll(/^\| ([\d,]+) \| ([\d.]+) \| (\S+) \| (\S+) \|$/gm), (match) =>
      match.slice(1),
    );
    expect(rows.length).toBeGreaterThan(4);
    for (const [count, ...figures] of rows) {
      const samples = Number(count!.replaceAll(',', ''));
      const finest = finestDropPoints(samples);
      const caught = [0.5, 1].map((limit) =>
        limit < finest ? 'refused' : caughtDropPoints(samples, limit).toFixed(2),
      );
      expect(figures).toEqual([(Math.ceil(100 * finest) / 100).toFixed(2), ...caught]);
    }
  });

  it('compares sample by sample with a report of the same samples', () => {
    const answers = (wrong: readonly number[]) => Array.from({ length: 1000 }, (_, i) => !wrong.includes(i));
    const evidence = (wrong: readonly number[], dataSha256 = 'same') => ({
      ...share(1000 - wrong.length, 1000),
      perSample: { dataSha256, correct: encodeAnswerBits(answers(wrong)), agrees: null },
    });
    const many = Array.from({ length: 20 }, (_, i) => i);
    const budgets = { accuracy: { top1: { maxDrop: 0.6 } } };
    const judged = judgeOne(budgets, evidence(many), { baseline: evidence([5]) });
    expect(judged).toMatchObject({ outcome: 'failed', value: 1.9, baseline: 0.999 });
    expect(judged.message).toContain('19 of 1000 samples lost, 0 won');
    const moved = judgeOne(budgets, evidence([1, 2, 3]), { baseline: evidence([7, 8, 9]) });
    expect(moved).toMatchObject({ outcome: 'passed', value: 0 });
    expect(moved.message).toContain('3 of 1000 samples lost, 3 won');
    const other = judgeOne(budgets, evidence(many), { baseline: evidence([5], 'other') });
    expect(other.outcome).toBe('refused');
    expect(other.message).toContain('finer than two separate evaluations can tell');
    const coarse = { accuracy: { top1: { maxDrop: 3 } } };
    expect(judgeOne(coarse, evidence(many), { baseline: evidence([5], 'other') }).outcome).toBe('passed');
  });

  it('answers that do not fit the samples are not compared', () => {
    const broken = { ...share(900, 1000), perSample: { dataSha256: 'same', correct: 'AAAA', agrees: null } };
    const item = judgeOne({ accuracy: { top1: { maxDrop: 5 } } }, broken, { baseline: broken });
    expect(item.message).toContain('not on the same samples');
  });

  it('names the layers that lost most, or those with the lowest SQNR', () => {
    const layer = (name: string, sqnrDb: number | null) => ({ name, opType: 'Conv', precision: 'int8', sqnrDb });
    const drop = { b: 50, c: 0, samples: 1000 };
    const layers = [layer('a', 30), layer('b', 20), layer('c', null), layer('d', 25)];
    const judged = (baseline: object | undefined) =>
      judgeOne({ accuracy: { drop: 1 } }, { drop, layers }, { baseline: baseline as never }).responsible;
    expect(judged(undefined).map(({ name }) => name)).toEqual(['b', 'd', 'a']);
    expect(judged({ layers: [layer('a', 40), layer('b', 20.01), layer('d', 26)] })).toEqual([
      { name: 'a', detail: 'SQNR 40.0 → 30.0 dB' },
      { name: 'd', detail: 'SQNR 26.0 → 25.0 dB' },
    ]);
  });

  it('unpaired losses have the interval that Newcombe gives', () => {
    // R. Newcombe (1998), table II, method 10: 56/70 - 48/80.
    const { value, low, high } = unpairedLoss(wilsonInterval(56, 70), wilsonInterval(48, 80));
    expect([value, low, high].map((points) => points.toFixed(2))).toEqual(['20.00', '5.24', '33.39']);
  });
});

describe('latency', () => {
  const measured = (value: number, low: number, high: number) => ({ value, low, high });

  it.each([
    [measured(4, 3.9, 4.1), 'passed'],
    [measured(5, 4.9, 5.1), 'undecided'],
    [measured(6, 5.9, 6.1), 'failed'],
  ])('%j against 5 ms: %s', (hostMs, outcome) => {
    expect(judgeOne({ latency: { host: '5 ms' } }, { hostMs }).outcome).toBe(outcome);
  });

  it.each([
    [measured(1, 0.98, 1.02), 'passed'],
    [measured(1.1, 1.06, 1.14), 'failed'],
    [measured(1.05, 1.03, 1.07), 'undecided'],
  ])('a ratio of %j against 5 %%: %s', (hostRatio, outcome) => {
    const item = judgeOne({ latency: { host: { maxIncrease: '5%' } } }, {}, { baseline: {}, hostRatio });
    expect(item).toMatchObject({ outcome, unit: 'ratio', limit: 1.05 });
  });

  it('a growth tighter than two sessions of one model is refused, and so is one that was not measured', () => {
    const relative = (maxIncrease: string) =>
      judgeOne({ latency: { host: { maxIncrease } } }, {}, { baseline: {}, missing: { 'latency.host': 'why' } });
    expect(relative('1%').message).toContain(
      'tighter than what two sessions of the same model differ by: set at least 2%',
    );
    expect(relative('2%')).toMatchObject({ outcome: 'refused', message: 'why' });
    expect(judgeOne({ latency: { device: 3 } }, {}).message).toBe('there is no latency measured on the device');
  });

  it('on the device is a ratio of its own, never that of two unlike measurements', () => {
    const relative = (rest: object) =>
      judgeOne(
        { latency: { device: { maxIncrease: '5%' } } },
        { deviceMs: measured(3, 3, 3) },
        { baseline: { deviceMs: measured(1, 1, 1) }, hostRatio: measured(1, 1, 1), ...rest },
      );
    expect(relative({}).outcome).toBe('refused');
    expect(relative({ deviceRatio: measured(1.1, 1.09, 1.12) })).toMatchObject({ outcome: 'failed', baseline: 1 });
  });

  it('tells by how much it is over, and which nodes take the time there', () => {
    const responsible = [{ name: 'stem', detail: 'Conv: 2.00 ms, 40.0 % of the time' }];
    const item = judgeOne(
      { latency: { host: 4 } },
      { hostMs: measured(5, 4.9, 5.2) },
      { slowerLayers: { 'latency.host': responsible, 'latency.device': [] } },
    );
    expect(item).toMatchObject({ outcome: 'failed', responsible });
    expect(item.message).toBe(
      'median on this host 5.00 ms (4.90 ms to 5.20 ms) is more than the limit of 4.00 ms by 1.00 ms',
    );
  });

  it('names layers that left int8', () => {
    const layer = (name: string, precision: string) => ({ name, opType: 'Conv', precision, sqnrDb: null });
    const evidence = {
      hostMs: measured(9, 8, 10),
      layers: [layer('a', 'float'), layer('b', 'int8'), layer('c', 'int8')],
    };
    const baseline = { layers: [layer('a', 'int8'), layer('b', 'int8')] };
    expect(judgeOne({ latency: { host: 5 } }, evidence, { baseline }).responsible).toEqual([
      { name: 'a', detail: 'Conv: int8 → float' },
      { name: 'c', detail: 'Conv: new' },
    ]);
  });

  it('a prediction is judged by its upper end; a limit inside its band is refused unless the baseline met it', () => {
    const predicted = (max: string, before?: { value: number; low: number; high: number }) =>
      judgeOne(
        { latency: { predicted: max } },
        { predictedMs: measured(5, 4, 6) },
        before === undefined ? {} : { baseline: { predictedMs: before } },
      );
    expect(predicted('6 ms').outcome).toBe('passed');
    expect(predicted('3.9 ms').outcome).toBe('failed');
    expect(predicted('5.5 ms')).toMatchObject({ outcome: 'refused' });
    expect(predicted('5.5 ms').message).toContain(
      'inside the predicted band (4.00 ms to 6.00 ms): set at least 6.00 ms',
    );
    expect(predicted('5.5 ms', measured(4.5, 3.6, 5.4))).toMatchObject({ outcome: 'failed' });
    expect(predicted('5.5 ms', measured(4.7, 3.8, 5.6))).toMatchObject({ outcome: 'refused' });
  });

  it('a growth of the prediction tighter than its band is refused with the figure', () => {
    const baseline = { predictedMs: measured(4, 3.2, 4.8) };
    const relative = (maxIncrease: string) =>
      judgeOne({ latency: { predicted: { maxIncrease } } }, { predictedMs: measured(5, 4, 6) }, { baseline });
    expect(relative('10%').message).toContain('tighter than the predicted band, which is 25 % wide');
    expect(relative('25%').outcome).toBe('passed');
    expect(
      judgeOne({ latency: { predicted: { maxIncrease: '30%' } } }, { predictedMs: measured(5.5, 5, 6) }, { baseline })
        .outcome,
    ).toBe('failed');
  });
});

describe('memory', () => {
  it('is judged exactly, and not finer than it varies', () => {
    const judged = (maxIncrease: string | number) =>
      judgeOne({ memory: { engine: { maxIncrease } } }, { engineBytes: 107e6 }, { baseline: { engineBytes: 100e6 } })
        .outcome;
    expect([judged('5%'), judged('10%'), judged('4%'), judged('6 MB'), judged('1 MB')]).toEqual([
      'failed',
      'passed',
      'refused',
      'failed',
      'refused',
    ]);
    const evidence = {
      engineBytes: 107e6,
      fileParts: [{ name: 'w', value: 5 }],
      activationParts: [{ name: 'x', value: 9 }],
    };
    const absolute = judgeOne({ memory: { engine: '100 MB' } }, evidence);
    expect(absolute.outcome).toBe('failed');
    expect(absolute.responsible.map(({ name }) => name)).toEqual(['x', 'w']);
  });

  it('of activations is known exactly, and names the tensors that grew', () => {
    const now = { activationBytes: 101_000, activationParts: [{ name: 'conv', value: 65_536 }] };
    const before = { activationBytes: 100_000, activationParts: [{ name: 'conv', value: 64_536 }] };
    const item = judgeOne({ memory: { activations: { maxIncrease: '0.5%' } } }, now, { baseline: before });
    expect(item).toMatchObject({ outcome: 'failed', limit: 100_500, difference: 500, unit: 'bytes' });
    expect(item.responsible[0]?.name).toBe('conv');
    expect(judgeOne({ memory: { activations: '101 kB' } }, now).outcome).toBe('passed');
    expect(judgeOne({ memory: { activations: '101 kB' } }, {}).outcome).toBe('refused');
  });
});

describe('status', () => {
  const item = (
    outcome: 'passed' | 'failed' | 'undecided' | 'refused' | 'skipped',
    level: 'warn' | 'error' = 'error',
  ) => exampleItem({ outcome, level });
  it.each([
    [[item('passed'), item('skipped')], 'passed', undefined],
    [[item('failed', 'warn')], 'passed', undefined],
    [[item('failed')], 'failed', undefined],
    [[item('failed'), item('refused')], 'refused', undefined],
    [[item('undecided')], 'passed', undefined],
    [[item('undecided')], 'failed', 'error' as const],
    [[item('undecided', 'warn')], 'passed', 'error' as const],
  ])('%#: %s', (items, status, undecided) => {
    expect(statusOf(items, undecided === undefined ? {} : { undecided })).toBe(status);
  });

  it('undecided limits warn unless they are to be off', () => {
    expect(severityOf(item('undecided'))).toBe('warn');
    expect(severityOf(item('undecided'), 'off')).toBe('none');
  });

  it('limits of one run come in the order of the metrics', () => {
    const items = judgeBudgets({ latency: { host: 1 }, accuracy: { drop: 1 }, size: { epk: 1, file: 1 } }, {});
    expect(items.map(({ metric }) => metric)).toEqual(['size.file', 'size.epk', 'accuracy.drop', 'latency.host']);
  });
});
