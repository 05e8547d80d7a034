import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Budgets } from '../budget/budget-schema.ts';
import type { CheckResult } from '../budget/check-schema.ts';
import { appendHistory, historyRow, readHistory } from '../budget/history.ts';
import { renderAnnotations } from '../budget/render-annotations.ts';
import { renderCheckMarkdown } from '../budget/render-check-markdown.ts';
import { renderJunit } from '../budget/render-junit.ts';
import { sizeBadge } from '../budget/size-badge.ts';
import { trendPlot } from '../budget/trend-plot.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { writePieces } from '../storage/write-pieces.ts';
import type { CliProcess } from './cli-process.ts';

/** Files that a check writes beside what it prints. */
export interface CheckOutputs {
  readonly junit?: string;
  readonly markdown?: string;
  readonly history?: string;
  readonly commit?: string;
  readonly trend?: string;
  readonly badge?: string;
}

/** @throws EdgepackError `usage` for outputs that do not go together: before anything is measured. */
export function requireOutputs({ history, trend, commit }: CheckOutputs): void {
  if (history === undefined && (trend ?? commit) !== undefined) {
    const flag = trend === undefined ? '--commit' : '--trend';
    throw new EdgepackError('usage', `${flag} needs --history`, {
      hint: 'Add --history with the file of earlier checks.',
    });
  }
}

/** Writes the files that were asked for, and inside GitHub Actions annotations and the step's summary. */
export async function writeCheckOutputs(
  result: CheckResult,
  outputs: CheckOutputs,
  undecided: Budgets['undecided'],
  { env, stderr, cwd }: CliProcess,
): Promise<void> {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writePieces(path, [Buffer.from(text)]);
  };
  if (outputs.junit !== undefined) write(outputs.junit, renderJunit(result, undecided));
  if (outputs.markdown !== undefined) write(outputs.markdown, renderCheckMarkdown(result, undecided));
  if (outputs.history !== undefined) {
    mkdirSync(dirname(outputs.history), { recursive: true });
    const row = historyRow(result, commitOf(outputs.commit, env, cwd()), new Date());
    const history = await appendHistory(outputs.history, row);
    if (history.damagedLines > 0) {
      stderr.write(
        `warning: ${outputs.history}: ${history.damagedLines} lines are no rows of a history; they were left as they are\n`,
      );
    }
  }
  const { model, target } = result.subject;
  if (outputs.trend !== undefined) write(outputs.trend, trendPlot(readHistory(outputs.history!), model, target));
  if (outputs.badge !== undefined) write(outputs.badge, badgeOf(result));
  if (env.GITHUB_ACTIONS !== 'true') return;
  // The runner reads commands on both streams; the output stream may hold JSON.
  stderr.write(renderAnnotations(result, (file) => repositoryPath(resolve(cwd(), file), env, cwd()), undecided));
  const summary = env.GITHUB_STEP_SUMMARY;
  if (summary !== undefined && summary !== '') appendFileSync(summary, `${renderCheckMarkdown(result, undecided)}\n`);
}

/** The .epk's size where it is known: what is shipped. */
function badgeOf({ figures, status, subject }: CheckResult): string {
  const size = ['size.epk', 'size.file'].map((name) => figures.find(({ metric }) => metric === name)).find(Boolean);
  if (size === undefined) {
    throw new EdgepackError('usage', '--badge: no size is known', { location: { file: subject.path } });
  }
  return sizeBadge({ label: size.metric === 'size.epk' ? '.epk' : '.onnx', sizeBytes: size.value, status });
}

/** What the row of a history belongs to: as given, as the CI server says, as git says. */
function commitOf(given: string | undefined, env: CliProcess['env'], cwd: string): string {
  const named = given || env.GITHUB_SHA || env.CI_COMMIT_SHA;
  if (named) return named;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    }).trim();
  } catch (cause) {
    throw new EdgepackError('usage', '--history: which commit this is cannot be told', {
      hint: 'Add --commit, or run inside a git repository.',
      cause,
    });
  }
}

/** A path as GitHub shows files: from the root of the repository, with slashes. */
function repositoryPath(file: string, { GITHUB_WORKSPACE }: CliProcess['env'], cwd: string): string {
  return relative(GITHUB_WORKSPACE || cwd, file)
    .split(sep)
    .join('/');
}
