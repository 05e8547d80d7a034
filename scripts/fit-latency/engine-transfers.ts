import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LatencyTransfer } from '../../src/targets/latency-schema.ts';
import { sharedFolder } from './shared-rows.ts';

/** The only board with published pairs of one network in ONNX Runtime and in ncnn. */
const PAIR_BOARD = 'rpi5';
/** Student's t at 95 % on one side by degrees of freedom. */
const T95: Readonly<Record<number, number>> = { 1: 6.314, 2: 2.92, 3: 2.353, 4: 2.132, 5: 2.015 };

/**
 * ONNX Runtime in fp32 against ncnn. ncnn computes in fp16 on the board with the pairs; where it computes in fp32, up to
 * half of the ratio may be that. Int8 kernels differ too much between engines to tell one from the other.
 * @param ncnnPrecision what ncnn computes in on the target
 */
export function onnxruntimeTransfers(target: string, ncnnPrecision: 'fp32' | 'fp16'): LatencyTransfer[] {
  const pairs = readPairs();
  const logs = pairs.map(({ ratio }) => Math.log(ratio));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
  const spread = T95[logs.length - 1]! * deviation * Math.sqrt(1 + 1 / logs.length);
  const common = {
    engine: 'onnxruntime',
    precision: 'fp32' as const,
    from: { engine: 'ncnn', precision: ncnnPrecision },
    source: [...new Set(pairs.map(({ source }) => source))].join('; '),
  };
  const figures = (center: number, low: number, high: number) => ({
    ratio: Number(Math.exp(center).toFixed(2)),
    lowRatio: Number(Math.exp(low).toFixed(2)),
    highRatio: Number(Math.exp(high).toFixed(2)),
  });
  if (target === PAIR_BOARD) {
    const reason = `told from ncnn by ${pairs.length} networks measured in both engines on this board`;
    return [{ ...common, ...figures(mean, mean - spread, mean + spread), reason }];
  }
  if (ncnnPrecision === 'fp16') {
    const wider = spread * Math.SQRT2;
    const reason = `told from ncnn by ${pairs.length} networks measured in both engines on a Raspberry Pi 5: no rows of onnxruntime on this device`;
    return [{ ...common, ...figures(mean, mean - wider, mean + wider), reason }];
  }
  const half = mean - Math.LN2;
  const reason =
    `told from ncnn: no rows of onnxruntime on this device, and on the Raspberry Pi 5, where there are ${pairs.length}, ` +
    'ncnn has the advantage of fp16';
  return [{ ...common, ...figures((half + mean) / 2, half - spread, mean + spread), reason }];
}

function readPairs(): { ratio: number; source: string }[] {
  const rows = readFileSync(join(sharedFolder, 'measurements.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((row) => row.device === PAIR_BOARD && row.runtime_version === null);
  return rows
    .filter((row) => row.runtime === 'onnxruntime')
    .flatMap((row) => {
      const other = rows.find((each) => each.runtime === 'ncnn' && each.network === row.network);
      if (other === undefined) return [];
      return [{ ratio: (row.latency_ms as number) / (other.latency_ms as number), source: row.source as string }];
    });
}
