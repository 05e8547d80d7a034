import { z } from 'zod';
import { checkValue } from '../../diagnostics/parse-checked-json.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import { inferTypes } from '../../ir/shape-inference/infer-types.ts';
import type { Value } from '../../ir/value.ts';
import type { Pass, PassChange } from '../pass.ts';
import type { Upgrade, UpgradeContext } from './upgrade-rule.ts';
import { upgradeRule } from './upgrade-rules.ts';

export const upgradeOpsetSchema = z.strictObject({
  minimum: z
    .int()
    .min(13)
    .max(21)
    .default(13)
    .describe('version of the default operator set that a model must have at least'),
});

export type UpgradeOpsetOptions = z.input<typeof upgradeOpsetSchema>;

/** The oldest version that is upgraded: before it, operators differ too much from what they are now. */
const OLDEST = 5;
/** The IR version with which each version of the operator set was published. */
const irVersions: Readonly<Record<number, number>> = { 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10 };

/**
 * Brings a model of an older default operator set (from version 5) to the version asked for, so that later passes need to
 * know one form of each operator. Models that are new enough stay as they are, and so do models in which one operator has
 * no equal in the new version: a change of the kind `keep-opset` then names it and says why.
 * Source: the operator changelog of the ONNX specification.
 * @example upgradeOpset({ minimum: 13 })
 */
export function upgradeOpset(options: UpgradeOpsetOptions = {}): Pass {
  const { minimum } = checkValue(options, upgradeOpsetSchema, 'recipe', 'upgrade-opset');
  return {
    name: 'upgrade-opset',
    run(model, context) {
      if (model.opset >= minimum) return { modified: false, changes: [] };
      const plan = planUpgrade(model, minimum);
      if (!Array.isArray(plan)) {
        context.logger.debug(`upgrade-opset: stays at ${model.opset}: ${plan.subject}: ${plan.detail}`);
        return { modified: false, changes: [plan] };
      }
      const changes: PassChange[] = [
        { kind: 'upgrade-opset', subject: 'ai.onnx', detail: `version ${model.opset} to ${minimum}` },
      ];
      for (const { node, upgrade } of plan) {
        changes.push({
          kind: 'upgrade-operator',
          subject: labelOf(node),
          detail: `${node.opType}: ${upgrade.summary}`,
        });
        upgrade.apply();
      }
      for (const domain of ['', 'ai.onnx']) if (model.opsetImports.has(domain)) model.opsetImports.set(domain, minimum);
      model.irVersion = Math.max(model.irVersion, irVersions[minimum]!);
      return { modified: true, changes };
    },
  };
}

/** The edits to be made, or the change that says why none can be. Nothing is edited yet. */
function planUpgrade(model: Model, minimum: number): { node: Node; upgrade: Upgrade }[] | PassChange {
  const refuse = (subject: string, detail: string): PassChange => ({ kind: 'keep-opset', subject, detail });
  if (model.opset < OLDEST) return refuse('ai.onnx', `version ${model.opset} is too old to be upgraded`);
  if (model.functions.length > 0) {
    return refuse(model.functions[0]!.name, 'the model defines functions, which may rely on the old version');
  }
  const context = upgradeContext(model, minimum);
  const plan: { node: Node; upgrade: Upgrade }[] = [];
  for (const graph of model.graph.allGraphs()) {
    for (const node of graph.nodes()) {
      if (!node.is(node.opType)) continue;
      const upgrade = upgradeRule(node, context);
      if (typeof upgrade === 'string') return refuse(labelOf(node), `${node.opType}: ${upgrade}`);
      if (upgrade !== undefined) plan.push({ node, upgrade });
    }
  }
  return plan;
}

function upgradeContext(model: Model, minimum: number): UpgradeContext {
  const types = inferTypes(model);
  const outputs = new Set<Value>();
  for (const graph of model.graph.allGraphs()) for (const value of graph.outputs) outputs.add(value);
  const replaceable = new Set(model.irVersion >= 4 ? model.graph.inputs : []);
  return {
    from: model.opset,
    to: minimum,
    shape: (value) => {
      const shape = value === undefined ? undefined : types.get(value)?.shape;
      return shape?.map((dim) => (typeof dim === 'number' ? dim : undefined));
    },
    elemType: (value) => (value === undefined ? 0 : (types.get(value)?.elemType ?? 0)),
    constant: (value) => {
      if (value?.producer?.is('Constant')) return value.producer.tensor('value');
      return value === undefined || replaceable.has(value) ? undefined : value.tensor;
    },
    isUsed: (value) => value.useCount > 0 || outputs.has(value),
  };
}

function labelOf(node: Node): string {
  return node.name || node.outputs[0]?.name || node.opType;
}
