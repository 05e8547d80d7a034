import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { budgetsSchema } from '../budget/budget-schema.ts';
import type { CheckResult } from '../budget/check-schema.ts';
import { type BudgetSource, figuresOf, judge, type LimitPlaces, statusOf } from '../budget/judge.ts';
import { type Limit, resolveBudgets } from '../budget/resolve-budgets.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { checkValue } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { RunContext } from './api-types.ts';
import { type CheckOptions, checkOptionsSchema } from './check-options.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { measureCheckLatency } from './measure-check-latency.ts';
import { type CheckSubject, openCheckSubject } from './open-check-subject.ts';
import { packageVersion } from './package-version.ts';

/**
 * Judges a model by limits: what its report says, and what of it has to be measured here. Measures only what a limit asks for.
 *
 * @param path a report.json, a folder that holds one, or a .onnx or .epk file.
 * @example
 * const { status } = await check('out/', { budgets: { size: { epk: '400 kB' } }, baseline: 'main.json' });
 * @throws EdgepackError for wrong options and unreadable files; a limit that is not met is no error: see `status`.
 */
export async function check(
  path: string,
  { budgets: given, config, ...options }: CheckOptions,
  { logger = silentLogger, signal, commandLine }: RunContext = {},
): Promise<CheckResult> {
  const resolved = checkValue(options, checkOptionsSchema, 'usage', 'check');
  if (resolved.sshConfig !== undefined && resolved.device === undefined) {
    throw new EdgepackError('usage', '--ssh-config is about a device, and none is given', {
      hint: 'Add --device ssh://user@host',
    });
  }
  const budgets = checkValue(given, budgetsSchema, 'config', 'budgets');
  const target = loadTarget(resolved.target);
  const subject = openCheckSubject(path, target.name);
  const baseline = openBaseline(resolved, target.name);
  const limits = resolveBudgets(budgets, subject.model, subject.target);
  if (limits.length === 0) {
    throw new EdgepackError('config', `no budget is set for ${printable(subject.model)} on ${subject.target}`, {
      ...(config === undefined ? {} : { location: { file: config.file } }),
      hint: 'set "budgets" in edgepack.config.json; edgepack init proposes some',
    });
  }
  const warnings: CheckResult['warnings'] = [];
  if (baseline !== undefined) warnings.push(...comparabilityWarnings(subject, baseline));
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-check-'));
  try {
    const run = { subject, baseline, limits, options: resolved, target, folder, logger, signal };
    const gathered = await gatherEvidence(run);
    const judged = await measureCheckLatency(run, gathered);
    const items = judge(limits, judged, await placesIn(config));
    requireJudged(items, limits);
    return {
      checkVersion: 1,
      status: statusOf(items, budgets),
      subject: { path, model: subject.model, target: subject.target },
      baseline:
        baseline === undefined
          ? null
          : { path: resolved.baseline ?? resolved.baselineModel!, model: baseline.model, target: baseline.target },
      items,
      figures: figuresOf(judged.evidence, judged.baseline),
      warnings,
      versions: { node: process.versions.node, edgepack: packageVersion },
      commandLine: commandLine ?? null,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openBaseline(
  { baseline, baselineModel }: { readonly baseline?: string | undefined; readonly baselineModel?: string | undefined },
  target: string,
): CheckSubject | undefined {
  const given = baseline ?? baselineModel;
  if (given === undefined) return undefined;
  const opened = openCheckSubject(given, target);
  return baselineModel === undefined ? opened : { ...opened, modelPath: baselineModel };
}

function comparabilityWarnings(subject: CheckSubject, baseline: CheckSubject): CheckResult['warnings'] {
  const warnings: CheckResult['warnings'] = [];
  if (subject.target !== baseline.target) {
    const message = `the baseline is for the target ${printable(baseline.target)}, the checked model for ${printable(subject.target)}`;
    warnings.push({ code: 'other-target', message });
  }
  if (subject.model !== baseline.model) {
    const message = `the baseline is of the model ${printable(baseline.model)}, the checked one is ${printable(subject.model)}`;
    warnings.push({ code: 'other-model', message });
  }
  return warnings;
}

/** What finds lines is loaded for this: nothing else needs it. */
async function placesIn(config: BudgetSource | undefined): Promise<LimitPlaces | undefined> {
  if (config === undefined) return undefined;
  const { lineOfKey } = await import('../budget/locate-key.ts');
  return { file: config.file, lineOf: (path) => lineOfKey(config.text, path) };
}

/** A gate that judges nothing must not look like one that was passed. */
function requireJudged(items: CheckResult['items'], limits: readonly Limit[]): void {
  if (items.some(({ outcome }) => outcome !== 'skipped')) return;
  throw new EdgepackError('usage', `all ${limits.length} limits are relative to a baseline, and none was given`, {
    hint: 'Add --baseline with the report.json of the state to compare with.',
  });
}
