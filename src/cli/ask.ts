import { createInterface } from 'node:readline';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { CliProcess } from './cli-process.ts';

export interface Question {
  readonly text: string;
  /** Taken for an empty answer. */
  readonly fallback?: string | undefined;
  /** What is wrong with an answer, in a few words; undefined where nothing is. */
  readonly check: (answer: string) => string | undefined;
}

/** Whether somebody sits at a terminal and can be asked. */
export function canAsk({ stdin, stdout }: CliProcess): boolean {
  return stdin?.isTTY === true && stdout.isTTY === true;
}

/**
 * Asks one question after the other on a terminal; a wrong answer is asked again.
 * @throws EdgepackError `usage` where the input ends.
 */
export async function ask(questions: readonly Question[], { stdin, stdout }: CliProcess): Promise<string[]> {
  const lines = createInterface({ input: stdin! });
  const next = lines[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const { text, fallback, check } of questions) {
      for (;;) {
        stdout.write(`${text}${fallback === undefined || fallback === '' ? '' : ` (${fallback})`}: `);
        const { value, done } = await next.next();
        if (done === true) throw new EdgepackError('usage', 'the input ended before every question was answered');
        const answer = value.trim() === '' ? (fallback ?? '') : value.trim();
        const mistake = check(answer);
        if (mistake === undefined) {
          answers.push(answer);
          break;
        }
        stdout.write(`  ${mistake}\n`);
      }
    }
  } finally {
    lines.close();
  }
  return answers;
}
