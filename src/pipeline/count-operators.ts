import type { ModelCost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { Inspection } from '../report/inspection-schema.ts';

type OperatorCount = Inspection['operators'][number];

/** Domains whose operators edgepack knows. */
const KNOWN_DOMAINS: ReadonlySet<string> = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.nchwc',
]);

/**
 * Kinds of nodes in the order in which they appear; those of subgraphs and of the bodies of functions are counted once each.
 * The MACs of a kind are null where they are not known for one of its nodes.
 */
export function countOperators(model: Model, costs: ModelCost): OperatorCount[] {
  const kinds = new Map<string, { domain: string; opType: string; count: number; macs: number | null }>();
  const add = (domain: string, opType: string, macs: number | null): void => {
    const key = JSON.stringify([domain === 'ai.onnx' ? '' : domain, opType]);
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { domain, opType, count: 1, macs });
    else {
      kind.count++;
      kind.macs = kind.macs === null || macs === null ? null : kind.macs + macs;
    }
  };
  for (const { node, macs, macsKnown } of costs.nodes) add(node.domain, node.opType, macsKnown ? macs : null);
  // How often and on what shapes a function runs is not looked into.
  for (const { operators } of model.functions) for (const { domain, opType } of operators) add(domain, opType, null);
  return [...kinds.values()];
}

/** Tells operators apart that neither edgepack knows nor the file itself defines. */
export function operatorOrigin(model: Model): (domain: string, opType: string) => 'known' | 'function' | 'unknown' {
  const defined = new Set(model.functions.map(({ domain, name }) => JSON.stringify([domain, name])));
  return (domain, opType) => {
    if (defined.has(JSON.stringify([domain, opType]))) return 'function';
    return KNOWN_DOMAINS.has(domain) ? 'known' : 'unknown';
  };
}

/** Domains with unknown operators, in the order in which they appear. */
export function unknownDomains(model: Model, operators: readonly OperatorCount[]): string[] {
  const originOf = operatorOrigin(model);
  const unknown = operators.filter(({ domain, opType }) => originOf(domain, opType) === 'unknown');
  return [...new Set(unknown.map(({ domain }) => domain))];
}
