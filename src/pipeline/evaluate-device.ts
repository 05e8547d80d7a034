import { connectDevice, type Device } from '../device/connect-device.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import type { Logger } from '../diagnostics/logger.ts';
import type { OutputDifferences } from '../evaluation/output-differences.ts';
import type { Model } from '../ir/model.ts';
import type { Evaluation } from '../report/evaluation-schema.ts';
import { formatPercent } from '../report/number-format.ts';
import type { Engine } from '../runtime/engine.ts';
import type { EngineLimits } from '../runtime/protocol.ts';
import type { Session } from '../runtime/session.ts';
import type { Target } from '../targets/target-schema.ts';
import type { EvaluateOptions } from './api-types.ts';
import { engineThreads } from './engine-threads.ts';

/** A model that is loaded on a device. */
export interface DeviceSession {
  readonly device: Device;
  readonly engine: Engine;
  readonly session: Session;
  close(): Promise<void>;
}

/** Loads the model on the device that the options name; undefined where they name none. */
export async function openDeviceSession(
  modelPath: string,
  options: EvaluateOptions,
  {
    target,
    limits,
    logger,
    signal,
  }: {
    readonly target: Target;
    readonly limits: EngineLimits;
    readonly logger: Logger;
    readonly signal: AbortSignal | undefined;
  },
): Promise<DeviceSession | undefined> {
  const { device: address, sshConfig } = options;
  if (address === undefined) {
    if (sshConfig === undefined) return undefined;
    throw new EdgepackError('usage', '--ssh-config is about a device, and none is given', {
      hint: 'Add --device ssh://user@host',
    });
  }
  const device = await connectDevice({ device: address, sshConfig, logger, signal });
  try {
    const engine = await device.startEngine();
    await engine.limit(limits);
    const threads = engineThreads(options.threads, target, device.description);
    const session = await engine.load(modelPath, { threads });
    return { device, engine, session, close: () => device.close() };
  } catch (error) {
    await device.close();
    throw error;
  }
}

/** The steps of the outputs that leave a DequantizeLinear node: they are integers times a step. */
export function outputSteps({ graph }: Model): ReadonlyMap<string, number> {
  const steps = new Map<string, number>();
  for (const output of graph.outputs) {
    const producer = output.producer;
    const scale = producer?.is('DequantizeLinear') ? producer.input(1)?.tensor : undefined;
    if (scale?.elementCount === 1) steps.set(output.name, scale.toFloat32()[0]!);
  }
  return steps;
}

export function deviceRecord(
  { device, engine }: DeviceSession,
  scores: Pick<NonNullable<Evaluation['device']>, 'top1' | 'top5'>,
  differences: OutputDifferences,
): NonNullable<Evaluation['device']> {
  const { cpuName, architecture } = device.description;
  return {
    ...scores,
    address: device.address,
    cpu: cpuName,
    architecture,
    engine: { name: 'onnxruntime', version: engine.version },
    difference: { ...differences, integers: { ...differences.integers } },
  };
}

/** One line on whether the device computes what this host does in the same arithmetic. */
export function deviceNote(
  { elements, different, maxAbsolute, integers }: OutputDifferences,
  hostName: string,
): string {
  if (different === 0) return `the device gives the same outputs as ${hostName}, in all ${elements} elements`;
  if (integers.elements > 0 && integers.different === 0) {
    return `the device gives the same integers as ${hostName}, in all ${integers.elements} elements of integer outputs`;
  }
  if (integers.elements > 0) {
    const share = formatPercent(integers.different / integers.elements, 2);
    return `${share} of the integer outputs differ between the device and ${hostName}, by ${integers.maxSteps} ${integers.maxSteps === 1 ? 'step' : 'steps'} at most: kernels of other processors round sums of floats and ties differently`;
  }
  const share = formatPercent(different / elements, 1);
  return `${share} of the outputs, which are floats, differ between the device and ${hostName}, by ${maxAbsolute.toExponential(1)} at most: kernels of other processors add and round in another order`;
}
