import { packageVersion } from '../pipeline/package-version.ts';
import type { CliApi } from './cli-api.ts';

/** The API of this package, of which each command loads what it calls: most of it takes longer to load than a short command. */
export const lazyApi: CliApi = {
  version: packageVersion,
  compress: async (...args) => (await import('../pipeline/compress.ts')).compress(...args),
  inspect: async (...args) => (await import('../pipeline/inspect.ts')).inspect(...args),
  evaluate: async (...args) => (await import('../pipeline/evaluate.ts')).evaluate(...args),
  bench: async (...args) => (await import('../pipeline/bench.ts')).bench(...args),
  predict: async (...args) => (await import('../pipeline/predict.ts')).predict(...args),
  diff: async (...args) => (await import('../pipeline/diff.ts')).diff(...args),
  check: async (...args) => (await import('../pipeline/check.ts')).check(...args),
  calibrate: async (...args) => (await import('../pipeline/calibrate.ts')).calibrate(...args),
  describeCalibration: async (...args) =>
    (await import('../pipeline/describe-calibration.ts')).describeCalibration(...args),
  cleanDeviceCache: async (...args) => (await import('../pipeline/bench.ts')).cleanDeviceCache(...args),
  pack: async (...args) => (await import('../pipeline/pack-model.ts')).pack(...args),
  unpack: async (...args) => (await import('../pipeline/pack-model.ts')).unpack(...args),
  renderReport: async (...args) => (await import('../pipeline/render-report.ts')).renderReport(...args),
  listPackedTensors: async (...args) => (await import('../pipeline/packed-tensors.ts')).listPackedTensors(...args),
  unpackTensor: async (...args) => (await import('../pipeline/packed-tensors.ts')).unpackTensor(...args),
  diagnose: async (...args) => (await import('../pipeline/diagnose.ts')).diagnose(...args),
  listTargets: async () => (await import('../targets/load-target.ts')).listTargets(),
  loadTarget: async (...args) => (await import('../targets/load-target.ts')).loadTarget(...args),
};
