import { budgetsSchema } from '../../src/budget/budget-schema.ts';
import type { CheckItem } from '../../src/budget/check-schema.ts';
import type { Evidence } from '../../src/budget/evidence.ts';
import { judge } from '../../src/budget/judge.ts';
import type { Judged } from '../../src/budget/judgement.ts';
import { resolveBudgets } from '../../src/budget/resolve-budgets.ts';

/** Judges budgets as a configuration writes them. */
export function judgeBudgets(budgets: object, evidence: Evidence, rest: Partial<Judged> = {}): CheckItem[] {
  const limits = resolveBudgets(budgetsSchema.parse(budgets), 'digits', 'rpi4');
  return judge(limits, { evidence, baseline: undefined, ...rest }, undefined);
}

/** The judgement of the only limit of the budgets. */
export function judgeOne(budgets: object, evidence: Evidence, rest: Partial<Judged> = {}): CheckItem {
  const items = judgeBudgets(budgets, evidence, rest);
  if (items.length !== 1) throw new Error(`${items.length} limits`);
  return items[0]!;
}
