/**
 * A yes or no for every sample as base64, eight in a byte, the first in the lowest bit: 10,000 samples are 1.7 kB. What a
 * report keeps so that a later model can be compared with this one sample by sample, without this one.
 */
export function encodeAnswerBits(answers: readonly boolean[]): string {
  const bytes = new Uint8Array(Math.ceil(answers.length / 8));
  for (const [i, answer] of answers.entries()) if (answer) bytes[i >> 3]! |= 1 << (i & 7);
  return Buffer.from(bytes).toString('base64');
}

/** Undefined where the text does not hold exactly `count` answers. */
export function decodeAnswerBits(text: string, count: number): readonly boolean[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== Math.ceil(count / 8) || bytes.toString('base64') !== text) return undefined;
  return Array.from({ length: count }, (_, i) => ((bytes[i >> 3]! >> (i & 7)) & 1) === 1);
}

/** Samples right in one list and wrong in the other: `b` before only, `c` after only. */
export function compareAnswers(
  before: readonly boolean[],
  after: readonly boolean[],
): { readonly b: number; readonly c: number } {
  if (before.length !== after.length) throw new RangeError(`${before.length} answers against ${after.length}`);
  let b = 0;
  let c = 0;
  for (const [i, answer] of before.entries()) {
    if (answer && !after[i]) b++;
    if (!answer && after[i]) c++;
  }
  return { b, c };
}
