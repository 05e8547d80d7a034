export type { Budgets } from './budget/budget-schema.ts';
export type { CheckResult } from './budget/check-schema.ts';
export { EdgepackError, type ErrorCode, type ErrorLocation, ExitCode } from './diagnostics/edgepack-error.ts';
export { type Logger, type Progress, silentLogger } from './diagnostics/logger.ts';
export type {
  CompressPlan,
  CompressResult,
  EvaluateOptions,
  FileFacts,
  InspectOptions,
  PackedTensor,
  PackOptions,
  PackResult,
  RenderReportOptions,
  RunContext,
  UnpackedTensor,
} from './pipeline/api-types.ts';
export { bench, cleanDeviceCache } from './pipeline/bench.ts';
export type { BenchOptions } from './pipeline/bench-options.ts';
export { calibrate } from './pipeline/calibrate.ts';
export type { CalibrateOptions } from './pipeline/calibrate-options.ts';
export { check } from './pipeline/check.ts';
export type { CheckOptions } from './pipeline/check-options.ts';
export { compress } from './pipeline/compress.ts';
export type { CompressOptions } from './pipeline/compress-options.ts';
export { type CalibrationDescription, describeCalibration } from './pipeline/describe-calibration.ts';
export { type Diagnosis, type DiagnosisCheck, diagnose } from './pipeline/diagnose.ts';
export { diff } from './pipeline/diff.ts';
export type { DiffOptions } from './pipeline/diff-options.ts';
export { evaluate } from './pipeline/evaluate.ts';
export { inspect } from './pipeline/inspect.ts';
export { pack, unpack } from './pipeline/pack-model.ts';
export { packageVersion as version } from './pipeline/package-version.ts';
export { listPackedTensors, unpackTensor } from './pipeline/packed-tensors.ts';
export { predict } from './pipeline/predict.ts';
export type { PredictOptions } from './pipeline/predict-options.ts';
export { renderReport } from './pipeline/render-report.ts';
export { listRecipes, loadRecipe } from './recipes/load-recipe.ts';
export type { Recipe } from './recipes/recipe-schema.ts';
export type { BenchResult } from './report/bench-schema.ts';
export type { CalibrationResult } from './report/calibration-result-schema.ts';
export type { Diff } from './report/diff-schema.ts';
export type { Evaluation } from './report/evaluation-schema.ts';
export type { Inspection } from './report/inspection-schema.ts';
export type { Prediction } from './report/prediction-schema.ts';
export { renderHtml } from './report/render-html.ts';
export { renderJson } from './report/render-json.ts';
export { renderMarkdown } from './report/render-markdown.ts';
export { renderTerminal, type TerminalStyle } from './report/render-terminal.ts';
export type { Report } from './report/report-schema.ts';
export { capabilitiesOf } from './targets/choose-provider.ts';
export { listTargets, loadTarget } from './targets/load-target.ts';
export type { Provider, Toolchain } from './targets/provider-schema.ts';
export type { Target } from './targets/target-schema.ts';
