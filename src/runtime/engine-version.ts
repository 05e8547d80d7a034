import { createRequire } from 'node:module';

/** The version of ONNX Runtime that models are run with, here and on devices; undefined where it is not installed. */
export function bundledEngineVersion(): string | undefined {
  try {
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
