import { DataType } from '../../tensor/data-type.ts';
import { sameAsFirst } from './elementwise-rules.ts';
import type { InferenceContext, ShapeRule } from './inference-context.ts';

/** Rows of the input; a single row may have no dimension of its own. */
function rows(context: InferenceContext) {
  const shape = context.shape(0);
  return shape?.length === 1 ? 1 : context.orUnknown(shape?.[0]);
}

/** A row of as many floats as an attribute says for each row of the input. */
function regressor(attribute: string): ShapeRule {
  return (context) => context.set(0, DataType.float32, [rows(context), context.node.int(attribute, 1)]);
}

/** Operators of `ai.onnx.ml` that turn numbers into numbers. */
export const mlRules: Record<string, ShapeRule> = {
  Binarizer: sameAsFirst,
  Imputer: sameAsFirst,
  LinearRegressor: regressor('targets'),
  Normalizer: (context) => context.set(0, DataType.float32, context.shape(0)),
  SVMRegressor: (context) => context.set(0, DataType.float32, [rows(context), 1]),
  Scaler: (context) => context.set(0, DataType.float32, context.shape(0)),
  TreeEnsemble: (context) => context.set(0, context.elemType(0), [rows(context), context.node.int('n_targets', 1)]),
  TreeEnsembleRegressor: regressor('n_targets'),
};
