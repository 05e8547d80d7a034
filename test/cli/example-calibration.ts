import type { CalibrationResult } from '../../src/report/calibration-result-schema.ts';

/** A calibration of a Raspberry Pi with two networks. */
export function exampleCalibration(): CalibrationResult {
  const state = { frequencyMhz: { before: 1500, after: 1500 }, temperatureC: { before: 44, after: 51 } };
  const row = (network: string, precision: 'fp32' | 'int8', latencyMs: number) => ({
    network,
    precision,
    threads: 4,
    latencyMs,
    interval: { low: latencyMs - 0.1, high: latencyMs + 0.1 },
    minMs: latencyMs - 0.5,
    p90Ms: latencyMs + 0.5,
    loadAverage: 0.1,
    otherBusyCores: 0,
    ...state,
  });
  return {
    calibrateVersion: 1,
    tool: { name: 'edgepack', version: '1.2.3' },
    target: { name: 'rpi4', displayName: 'Raspberry Pi 4 Model B' },
    source: {
      kind: 'device',
      address: 'ssh://raspberrypi.local',
      board: 'Pi 4B, fan',
      cpu: 'Cortex-A72',
      architecture: 'arm64',
      platform: 'linux',
      logicalCores: 4,
      memoryBytes: 4e9,
      governor: 'ondemand',
      maxFrequencyMhz: 1500,
      engine: { name: 'onnxruntime', version: '1.30.0' },
      measuredAt: '2026-05-01T12:00:00.000Z',
    },
    networks: ['products-1x1', 'depthwise'],
    precisions: ['fp32', 'int8'],
    threads: [4],
    maxSeconds: 100,
    rows: [
      row('products-1x1', 'fp32', 12),
      row('products-1x1', 'int8', 10),
      row('depthwise', 'fp32', 9),
      row('depthwise', 'int8', 18),
    ],
    fits: [
      { precision: 'fp32', threads: 4, medianError: 0.04, lowRatio: 0.6, highRatio: 1.8 },
      { precision: 'int8', threads: 4, medianError: 0.05, lowRatio: 0.6, highRatio: 1.8 },
    ],
    inSpiteOf: [],
    warnings: [{ code: 'governor', message: 'the frequency governor is ondemand' }],
    file: {
      path: '/home/me/.config/edgepack/targets/rpi4.json',
      isWritten: true,
      isUsed: true,
      keptProfiles: 1,
    },
  };
}
