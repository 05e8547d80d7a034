import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerMargins, marginNoise } from '../../src/evaluation/expected-loss.ts';

/** Repeatable normal numbers (Box and Muller). */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Rows of a classifier whose probabilities are right, with labels drawn from them. */
function calibratedRows(count: number, classes: number, spread: number) {
  const normal = normals(11);
  let state = 7;
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (let i = 0; i < count; i++) {
    const row = Float32Array.from({ length: classes }, () => spread * normal());
    const highest = Math.max(...row);
    const weights = Array.from(row, (value) => Math.exp(value - highest));
    state = (state * 48_271) % 2_147_483_647;
    let rest = (state / 2_147_483_647) * weights.reduce((a, b) => a + b, 0);
    let label = 0;
    while (label < classes - 1 && rest > weights[label]!) rest -= weights[label++]!;
    rows.push(row);
    labels.push(label);
  }
  return { rows, labels };
}

const best = (row: ArrayLike<number>) => Array.from(row).indexOf(Math.max(...Array.from(row)));

describe('AnswerMargins', () => {
  it('foretells the loss that noise causes, from a few samples and without a changed answer among them', () => {
    const { rows, labels } = calibratedRows(20_000, 10, 3);
    const normal = normals(5);
    const noisy = rows.map((row) => row.map((value) => value + 0.4 * normal()));
    const lost = rows.filter((row, i) => best(row) === labels[i] && best(noisy[i]!) !== labels[i]).length;
    const won = rows.filter((row, i) => best(row) !== labels[i] && best(noisy[i]!) === labels[i]).length;
    const changed = rows.filter((row, i) => best(row) !== best(noisy[i]!)).length / rows.length;

    const few = { rows: rows.slice(0, 400), labels: labels.slice(0, 400) };
    const margins = new AnswerMargins(few.rows, few.labels);
    const loss = margins.expectedLoss(marginNoise(few.rows.slice(0, 50), noisy.slice(0, 50)));
    const trueLoss = (lost - won) / rows.length;
    expect(trueLoss).toBeGreaterThan(0.003);
    expect(Math.abs(loss.value - trueLoss)).toBeLessThan(0.5 * trueLoss);
    expect(Math.abs(loss.changed - changed)).toBeLessThan(0.4 * changed);
    expect(loss.high).toBeGreaterThan(trueLoss);
  });

  it('expects more of more noise, and finds the noise that a limit allows', () => {
    const { rows, labels } = calibratedRows(200, 6, 2);
    const margins = new AnswerMargins(rows, labels);
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 100, noNaN: true }),
        fc.double({ min: 1, max: 50, noNaN: true }),
        (a, k) => {
          const at = (meanSquare: number) => margins.expectedLoss({ meanSquare, standardError: 0 });
          expect(at(a * k).value).toBeGreaterThanOrEqual(at(a).value - 1e-12);
          expect(at(a).high).toBeGreaterThanOrEqual(at(a).value);
        },
      ),
    );
    const noise = margins.noiseFor(0.01, 0.1);
    const high = (meanSquare: number) => margins.expectedLoss({ meanSquare, standardError: 0.1 * meanSquare }).high;
    expect(high(noise)).toBeLessThanOrEqual(0.01);
    expect(high(noise * 1.01)).toBeGreaterThan(0.01);
    expect(margins.noiseFor(0, 0.1)).toBeLessThan(1e-4);
  });

  it('takes a model that claims less than it achieves at what it achieves', () => {
    const { rows } = calibratedRows(300, 5, 3);
    // The same answers with a tenth of the margins: the model claims to be unsure.
    const modest = rows.map((row) => row.map((value) => value / 10));
    const right = modest.map(best);
    const loss = (labels: number[] | undefined) =>
      new AnswerMargins(modest, labels).expectedLoss({ meanSquare: 0.01, standardError: 0 }).value;
    expect(loss(right)).toBeGreaterThan(loss(undefined));
    const wrong = right.map((label) => (label + 1) % 5);
    expect(loss(undefined)).toBeGreaterThan(2 * loss(wrong));
  });

  it('reads probabilities as well as logits, and is wider the fewer samples there are', () => {
    const { rows, labels } = calibratedRows(100, 4, 2);
    const probabilities = rows.map((row) => {
      const weights = row.map((value) => Math.exp(value));
      const sum = weights.reduce((a, b) => a + b, 0);
      return weights.map((value) => value / sum);
    });
    const noise = { meanSquare: 0.05, standardError: 0 };
    const [a, b] = [rows, probabilities].map((list) => new AnswerMargins(list, labels).expectedLoss(noise));
    expect(b!.value).toBeCloseTo(a!.value, 4);
    const few = new AnswerMargins(rows.slice(0, 20), undefined).expectedLoss(noise);
    const many = new AnswerMargins([...rows, ...rows, ...rows, ...rows], undefined).expectedLoss(noise);
    expect(few.high - few.value).toBeGreaterThan(many.high - many.value);
  });
});

describe('marginNoise', () => {
  it('ignores what shifts all classes, and counts changed answers', () => {
    const rows = [Float32Array.of(3, 1, 0), Float32Array.of(0, 2, 1)];
    expect(
      marginNoise(
        rows,
        rows.map((row) => row.map((value) => value + 5)),
      ).meanSquare,
    ).toBe(0);
    const changed = marginNoise(rows, [Float32Array.of(3, 1, 0), Float32Array.of(0, 2, 3)]);
    expect(changed).toMatchObject({ changedAnswers: 1, samples: 2 });
    // Best class against its rivals: 2 closer to one of two, in one of two samples.
    expect(changed.meanSquare).toBeCloseTo(1, 12);
  });
});
