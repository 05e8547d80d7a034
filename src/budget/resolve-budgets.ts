import type { Budgets, Level } from './budget-schema.ts';

/** Metrics that budgets limit, in the order in which they are shown. */
export const metrics = [
  'size.file',
  'size.epk',
  'size.parameters',
  'accuracy.top1',
  'accuracy.drop',
  'accuracy.agreement',
  'latency.host',
  'latency.device',
  'latency.predicted',
  'memory.engine',
  'memory.activations',
] as const;
export type Metric = (typeof metrics)[number];

export const limitKinds = ['max', 'min', 'maxIncrease', 'maxDrop'] as const;
export type LimitKind = (typeof limitKinds)[number];

/** One limit of one metric. */
export interface Limit {
  readonly metric: Metric;
  readonly kind: LimitKind;
  /** As the configuration writes it. */
  readonly value: number | string;
  readonly level: Exclude<Level, 'off'>;
  /** Where it stands below `budgets`: keys and indices. */
  readonly path: readonly (string | number)[];
}

type Group = Readonly<Record<string, number | string | Readonly<Record<string, number | string>> | undefined>>;

/** The limits for a model on a target: those for all, replaced metric by metric by the overrides that match. */
export function resolveBudgets(budgets: Budgets, model: string, target: string): Limit[] {
  const found = new Map<Metric, Limit[]>();
  const take = (groups: object, path: readonly (string | number)[]) => {
    for (const metric of metrics) {
      const [group, name] = metric.split('.') as [string, string];
      const value = (groups as Record<string, Group | undefined>)[group]?.[name];
      if (value !== undefined) found.set(metric, limitsOf(metric, value, [...path, group, name]));
    }
  };
  take(budgets, []);
  for (const [i, override] of (budgets.overrides ?? []).entries()) {
    if (matches(override.model, model) && matches(override.target, target)) take(override, ['overrides', i]);
  }
  return metrics.flatMap((metric) => found.get(metric) ?? []);
}

/** A bare value is the limit a metric is mostly used with. */
function limitsOf(metric: Metric, value: NonNullable<Group[string]>, path: readonly (string | number)[]): Limit[] {
  if (typeof value !== 'object') {
    const kind = metric === 'accuracy.top1' || metric === 'accuracy.agreement' ? 'min' : 'max';
    return [{ metric, kind, value, level: 'error', path }];
  }
  const level = (value.level ?? 'error') as Level;
  if (level === 'off') return [];
  return limitKinds.flatMap((kind) =>
    value[kind] === undefined ? [] : [{ metric, kind, value: value[kind], level, path: [...path, kind] }],
  );
}

function matches(pattern: string | undefined, name: string): boolean {
  if (pattern === undefined) return true;
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === name;
  // Without a regular expression: patterns with many stars must not take exponential time.
  const [first = '', ...rest] = parts;
  const last = rest.pop()!;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > name.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
