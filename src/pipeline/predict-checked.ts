import { type Evidence, evidenceOfReport } from '../budget/evidence.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { chooseProvider } from '../targets/choose-provider.ts';
import type { CheckRun } from './gather-evidence.ts';
import type { BenchModel } from './open-bench-model.ts';
import type { CheckSubject } from './open-check-subject.ts';
import { describeForTarget, predictForTarget } from './predict.ts';

/** The band that is predicted for a model of `check`, or why there is none. */
export interface CheckedPrediction {
  readonly predictedMs: Evidence['predictedMs'];
  readonly missing: string | undefined;
}

/** What the report says; of a model without one, what `predict` says of its target's own engine on the CPU. */
export function predictChecked(
  { report }: CheckSubject,
  model: BenchModel | undefined,
  { options, target }: CheckRun,
): CheckedPrediction {
  if (report !== undefined) {
    const { predictedMs } = evidenceOfReport(report);
    if (predictedMs !== undefined) return { predictedMs, missing: undefined };
    const reason = report.missing['latency.predicted.compressed'];
    return { predictedMs, missing: reason ?? 'its report is of an older version' };
  }
  const network = describeForTarget(readModel(model!.onnxPath, { ort: true }));
  const threads = options.threads ?? target.threads;
  const [answer] = predictForTarget([network], target, threads, chooseProvider(target));
  if ('missing' in answer!) return { predictedMs: undefined, missing: answer.missing };
  const { latencyMs, lowMs, highMs } = answer!;
  return { predictedMs: { value: latencyMs, low: lowMs, high: highMs }, missing: undefined };
}
