import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHtml } from '../../src/report/render-html.ts';
import { renderMarkdown } from '../../src/report/render-markdown.ts';

export const killManners = ['SIGKILL', 'SIGINT', 'SIGTERM'] as const;

/** What a run of the program came to. */
export interface RunEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly durationMs: number;
}

/** When to end a run: after a time, or as soon as a file of a form appears in the output folder and a little later. */
export interface KillPlan {
  readonly signal: NodeJS.Signals;
  readonly afterMs?: number;
  /** The signal comes twice, as from somebody impatient. */
  readonly again?: boolean;
  readonly onceSeen?: { readonly folder: string; readonly pattern: RegExp; readonly thenMs: number };
}

/** A generator of numbers in [0, 1) that a seed determines (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the program and, where there is a plan, kills it. */
export function runAndKill(command: readonly string[], env: NodeJS.ProcessEnv, plan?: KillPlan): Promise<RunEnd> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command[0]!, command.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    let isOver = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const kill = (signal: NodeJS.Signals) => {
      child.kill(signal);
      if (plan?.again === true) setTimeout(() => child.kill(signal), 20);
    };
    const timer = plan?.afterMs === undefined ? undefined : setTimeout(() => kill(plan.signal), plan.afterMs);
    const watch = () => {
      const { folder, pattern, thenMs } = plan!.onceSeen!;
      if (isOver) return;
      let isSeen = false;
      try {
        isSeen = readdirSync(folder).some((name) => pattern.test(name));
      } catch {
        // Not there yet.
      }
      if (!isSeen) return void setImmediate(watch);
      const until = performance.now() + thenMs;
      while (performance.now() < until);
      child.kill(plan!.signal);
    };
    if (plan?.onceSeen !== undefined) watch();
    child.on('error', reject);
    child.on('exit', () => {
      isOver = true;
      clearTimeout(timer);
    });
    child.on('close', (code, signal) => resolve({ code, signal, stderr, durationMs: performance.now() - started }));
  });
}

/**
 * The state of an output folder: `none`, the name of the set that is there whole, or what is wrong.
 * @param sets SHA-256 of the model and the .epk, by the name of the set.
 */
export async function stateOf(
  folder: string,
  stem: string,
  sets: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const names = [`${stem}.onnx`, `${stem}.epk`, 'report.md', 'report.html', 'report.json'];
  const there = names.filter((name) => existsSync(join(folder, name)));
  if (there.length === 0) return 'none';
  const hashOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  const models = there.filter((name) => name.startsWith(stem));
  const owners = Object.keys(sets).filter((set) =>
    models.every((name) => sets[set]![names.indexOf(name)] === hashOf(name)),
  );
  if (owners.length === 0) return `broken or mixed: ${there.join(' ')}`;
  if (there.length < names.length) return `partial: ${there.join(' ')}`;
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
  const stated = report.outputs.map(({ sha256 }: { sha256: string }) => sha256);
  if (stated.slice(0, 2).join() !== sets[owners[0]!]!.join()) return `the report is not of this model: ${owners[0]}`;
  const markdown = readFileSync(join(folder, 'report.md'), 'utf8');
  if (markdown !== renderMarkdown(report)) return 'report.md is of another run than report.json';
  const html = readFileSync(join(folder, 'report.html'), 'utf8');
  if (html !== (await renderHtml(report))) return 'report.html is of another run than report.json';
  return owners[0]!;
}

/** Everything in the folders that is no output. */
export function leftoversOf(folder: string, stem: string): readonly string[] {
  return readdirSync(folder).filter((name) => !name.startsWith(`${stem}.`) && !/^report\.(json|md|html)$/.test(name));
}
