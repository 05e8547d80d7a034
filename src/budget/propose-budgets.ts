import type { Budgets } from './budget-schema.ts';
import type { CheckedReport } from './checked-report.ts';
import { finestDropPoints } from './judge-accuracy.ts';

/** Room above today's size: for changes that are meant. */
const SIZE_HEADROOM = 1.05;
/** Room above the upper end of a predicted band. */
const PREDICTION_HEADROOM = 1.1;
/** Growth between two commits: half of what should be caught with certainty. */
const SIZE_INCREASE = '0.5%';
const LATENCY_INCREASE = '5%';
const DROP_POINTS = 0.5;

/**
 * Limits to start with: today's figures with some room, and for each commit half of the regression that is to be caught with
 * certainty (1 % in size, 1 point in accuracy, 10 % in latency). Without a report only what needs no measurement.
 */
export function proposeBudgets(
  report: CheckedReport | undefined,
  { parameters }: { readonly parameters: number },
): Budgets {
  const latency = { host: { maxIncrease: LATENCY_INCREASE } };
  if (report === undefined) {
    const growth = { maxIncrease: SIZE_INCREASE };
    return { size: { file: growth, epk: growth, parameters }, latency };
  }
  const { sizes, accuracy, latency: measured } = report;
  const size = (sizeBytes: number) => ({ max: roundUp(sizeBytes * SIZE_HEADROOM), maxIncrease: SIZE_INCREASE });
  const predicted = measured.predicted?.compressed;
  return {
    size: { file: size(sizes.onnxBytes), ...(sizes.epkBytes === null ? {} : { epk: size(sizes.epkBytes) }) },
    ...accuracyBudgets(accuracy),
    latency: {
      ...latency,
      ...(predicted == null ? {} : { predicted: { max: roundUp(predicted.highMs * PREDICTION_HEADROOM) } }),
    },
  };
}

function accuracyBudgets(accuracy: CheckedReport['accuracy']): Pick<Budgets, 'accuracy'> {
  if (accuracy === null || accuracy.exact === null) return {};
  const { samples, exact, paired } = accuracy;
  const finest = Math.max(DROP_POINTS, Math.ceil(10 * finestDropPoints(samples)) / 10);
  if (exact.top1 !== null && paired !== null) {
    const today = (100 * (paired.b - paired.c)) / samples;
    const drop = Math.max(1, finest, Math.ceil(2 * (today + DROP_POINTS)) / 2);
    return { accuracy: { top1: { maxDrop: finest }, drop } };
  }
  return exact.agreement == null ? {} : { accuracy: { agreement: { maxDrop: finest } } };
}

/** Three digits, upwards. */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(-3, Math.floor(Math.log10(value)) - 2);
  return Number((Math.ceil(value / unit) * unit).toPrecision(6));
}
