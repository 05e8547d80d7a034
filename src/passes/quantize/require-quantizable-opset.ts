import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import type { Model } from '../../ir/model.ts';

/** @throws EdgepackError `model-invalid` below operator set 13, which brought DequantizeLinear along an axis. */
export function requireQuantizableOpset(model: Model): void {
  if (model.opset >= 13) return;
  throw new EdgepackError('model-invalid', `int8 needs operator set 13, the model has ${model.opset}`, {
    hint: 'export the model with opset 13 or newer',
  });
}
