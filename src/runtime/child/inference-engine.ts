import type * as OnnxRuntime from 'onnxruntime-node';
import { oneLine, ReportedFailure } from './reported-failure.ts';

/** The engine's module, as loaded. */
export type InferenceEngine = typeof OnnxRuntime;

/**
 * Loads the engine's package and its native library.
 * @throws ReportedFailure `engine-missing` if the package is not installed or its library cannot be loaded here.
 */
export async function loadInferenceEngine(packageName: string): Promise<InferenceEngine> {
  try {
    const loaded = (await import(packageName)) as InferenceEngine & { default?: InferenceEngine };
    const engine = loaded.InferenceSession === undefined ? loaded.default : loaded;
    if (engine?.InferenceSession === undefined) throw new Error('it exports no InferenceSession');
    engine.env.logLevel = 'error';
    return engine;
  } catch (error) {
    throw new ReportedFailure('engine-missing', `${packageName}: ${oneLine(error)}`);
  }
}
