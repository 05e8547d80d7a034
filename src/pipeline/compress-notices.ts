import { printable } from '../diagnostics/printable.ts';
import { cost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { ReportExecution } from '../report/execution-schema.ts';
import type { ChosenProvider } from '../targets/choose-provider.ts';
import type { ResolvedCompressOptions } from './compress-options.ts';
import { countOperators, operatorOrigin } from './count-operators.ts';
import type { RunSamples } from './open-samples.ts';
import type { Warning } from './run-steps.ts';

/** Operators that edgepack does not know: they are not touched, and the user should hear of them. */
export function unknownOperators(model: Model): Warning[] {
  const originOf = operatorOrigin(model);
  const unknown = countOperators(model, cost(model)).filter(
    ({ domain, opType }) => originOf(domain, opType) === 'unknown',
  );
  if (unknown.length === 0) return [];
  const names = unknown.map(({ domain, opType, count }) => `${count} × ${printable(domain)}.${printable(opType)}`);
  return [
    { code: 'unknown-operators', message: `left as they are, since edgepack does not know them: ${names.join(', ')}` },
  ];
}

/** What a user should know before believing the numbers. */
export function compressNotices(
  options: ResolvedCompressOptions,
  { shipped, ortBytes }: Pick<ReportExecution, 'shipped'> & { readonly ortBytes: Uint8Array | undefined },
  { int8 }: ChosenProvider,
  samples: RunSamples,
): Warning[] {
  const warnings: Warning[] = [];
  const hasCalibration = options.data !== undefined || options.calibration !== undefined;
  if (!hasCalibration && options.recipe === undefined) {
    warnings.push({
      code: 'no-data',
      message:
        int8 === null
          ? 'without data accuracy is not measured; add --data <samples>'
          : 'without data only weights are int8; add --data <samples> for int8 activations, speed and measured accuracy',
    });
  }
  if (shipped === 'weights' || shipped === 'mixed') {
    warnings.push({
      code: 'weight-only',
      message: 'the file shrinks, but memory may not: engines expand int8 weights to float',
    });
    if (ortBytes !== undefined) {
      const message =
        'the .ort has weights as the engine computes with them: float in layers that compute in float; only the .onnx and the .epk have them as int8';
      warnings.push({ code: 'ort-float-weights', message });
    }
  }
  const described = samples.statistics ?? samples.evaluation;
  if (described?.preprocessAssumed === true) {
    warnings.push({
      code: 'preprocess-assumed',
      message: `${described.preprocessDescription}; set --preprocess where that is not how the model was trained`,
    });
  }
  return warnings;
}
