import { homedir } from 'node:os';
import { parse, sep } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { checkValue } from '../diagnostics/parse-checked-json.ts';
import { integerProducts } from '../evaluation/integer-products.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { cost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import { inferTypes } from '../ir/shape-inference/infer-types.ts';
import type { NoProfile } from '../latency/choose-profiles.ts';
import { describeNetwork, type NetworkDescription } from '../latency/describe-network.ts';
import type { LatencyPrediction } from '../latency/predict-latency.ts';
import { predictNetwork } from '../latency/predict-network.ts';
import type { MemoryDemand } from '../report/memory-schema.ts';
import { memoryWarning } from '../report/memory-text.ts';
import type { Prediction } from '../report/prediction-schema.ts';
import { bundledEngineVersion } from '../runtime/engine-version.ts';
import { type ChosenProvider, chooseProvider } from '../targets/choose-provider.ts';
import { type LoadedLatency, loadLatency } from '../targets/load-latency.ts';
import { loadTarget } from '../targets/load-target.ts';
import type { Target } from '../targets/target-schema.ts';
import { modelFacts } from './model-facts.ts';
import { modelMemory } from './model-memory.ts';
import { packageVersion } from './package-version.ts';
import { type PredictOptions, predictOptionsSchema } from './predict-options.ts';
import { withUnpacked } from './unpacked-model.ts';

/**
 * Tells the latency of a model (`.onnx`, `.ort` or `.epk`) on a device from rows that were measured there: an interval, its coverage and its source,
 * or why nothing supports a number. Nothing is run.
 * @throws EdgepackError what reading the model or the target throws; `usage` for a wrong option.
 */
export async function predict(modelPath: string, options: PredictOptions = {}): Promise<Prediction> {
  return withUnpacked(modelPath, (onnxPath) => predictOnnx(modelPath, onnxPath, options));
}

function predictOnnx(modelPath: string, onnxPath: string, options: PredictOptions): Prediction {
  const checked = checkValue(options, predictOptionsSchema, 'usage', 'predict');
  const target = loadTarget(checked.target);
  const provider = chooseProvider(target, checked.provider);
  const model = readModel(onnxPath, { ort: true });
  const question = {
    engine: checked.engine ?? target.engine.name,
    precision: checked.precision ?? (isInt8(model) ? ('int8' as const) : undefined),
    threads: checked.threads ?? target.threads,
    originalMs: checked.originalMs,
  };
  const symbols = sizesOf(checked.dim);
  const network = describeNetwork(model, { symbols });
  const engineVersion = engineVersionFor(question.engine);
  const answer = unmeasured(provider) ?? predictNetwork(loadLatency(target), network, { ...question, engineVersion });
  return {
    predictVersion: 1,
    tool: { name: 'edgepack', version: packageVersion },
    model: { ...modelFacts(model, onnxPath), path: modelPath, name: parse(modelPath).name },
    target: { name: target.name, displayName: target.displayName },
    question: {
      ...question,
      provider: provider.provider.name,
      precision: question.precision ?? null,
      originalMs: question.originalMs ?? null,
    },
    network: {
      layers: network.layers,
      features: { ...network.features },
      unfamiliarShare: network.unfamiliar.share,
    },
    prediction: plain(answer),
    missing: 'missing' in answer ? answer.missing : null,
    memory: memoryOn(target, modelMemory(model, symbols)),
  };
}

function memoryOn(target: Target, demand: MemoryDemand): Prediction['memory'] {
  const { minSizeBytes, maxSizeBytes } = target.memory;
  return {
    demand,
    deviceMinSizeBytes: minSizeBytes,
    deviceMaxSizeBytes: maxSizeBytes,
    warning: memoryWarning(demand, target)?.message ?? null,
  };
}

/** What a prediction needs of a model that is about to be changed. */
export interface TargetNetwork {
  readonly network: NetworkDescription;
  readonly isInt8: boolean;
}

export function describeForTarget(model: Model): TargetNetwork {
  return { network: describeNetwork(model), isInt8: isInt8(model) };
}

/**
 * Latency models of a device for work that does not depend on them: a calibration that cannot be read is left out, and told
 * in `problem`.
 */
export function usableLatency(target: Target): {
  readonly latency: LoadedLatency | undefined;
  readonly problem: string | undefined;
} {
  try {
    return { latency: loadLatency(target), problem: undefined };
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    const reason = error.message.replaceAll(homedir() + sep, `~${sep}`);
    return { latency: target.latency, problem: `${reason}: predictions do without it` };
  }
}

/** Predictions with the target's own engine. */
export function predictForTarget(
  networks: readonly TargetNetwork[],
  target: Target,
  threads: number,
  provider: ChosenProvider,
): readonly (LatencyPrediction | NoProfile)[] {
  const { latency } = usableLatency(target);
  const engineVersion = engineVersionFor(target.engine.name);
  return networks.map(
    ({ network, isInt8: int8 }) =>
      unmeasured(provider) ??
      predictNetwork(latency, network, {
        engine: target.engine.name,
        precision: int8 ? 'int8' : undefined,
        threads,
        engineVersion,
      }),
  );
}

/** All rows are of CPUs: of other providers nothing is told. */
function unmeasured({ provider }: ChosenProvider): NoProfile | undefined {
  if (provider.name === 'cpu') return undefined;
  return { missing: `the measured rows are of CPUs, none is of the ${provider.displayName} provider` };
}

/** What a calibration is compared with: the engine that edgepack brings, and no other. */
export function engineVersionFor(engine: string): string | undefined {
  return engine === 'onnxruntime' ? bundledEngineVersion() : undefined;
}

/** The prediction as a record of its own, or null. */
export function plain(answer: LatencyPrediction | NoProfile): Prediction['prediction'] {
  if ('missing' in answer) return null;
  const { tested, calibration, widened } = answer;
  return {
    ...answer,
    tested: tested === null ? null : { ...tested },
    calibration: calibration === null ? null : calibrationRecord(calibration),
    widened: [...widened],
  };
}

const DAY_MS = 86_400_000;

/** A calibration as records tell of it: with its age now. */
export function calibrationRecord({ path, measuredAt }: NonNullable<LatencyPrediction['calibration']>) {
  const ageMs = measuredAt === null ? null : Math.max(0, Date.now() - Date.parse(measuredAt));
  return { path: fromHome(path), measuredAt, ageDays: ageMs === null ? null : Math.round((10 * ageMs) / DAY_MS) / 10 };
}

/** Reports are shown to others, whom the name of the user's home is no concern of. */
function fromHome(path: string | null): string | null {
  const home = homedir() + sep;
  return path?.startsWith(home) ? `~${sep}${path.slice(home.length)}` : path;
}

/** True where most of the multiply-accumulates are on 8-bit integers. */
function isInt8(model: Model): boolean {
  const { nodes, total } = cost(model);
  const integer = new Set(integerProducts(model, inferTypes(model)).map(({ node }) => node));
  const macs = nodes.filter(({ node }) => integer.has(node)).reduce((sum, node) => sum + node.macs, 0);
  return macs > total.macs / 2;
}

function sizesOf(dims: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    dims.map((entry) => [entry.slice(0, entry.lastIndexOf('=')), Number(entry.slice(entry.lastIndexOf('=') + 1))]),
  );
}
