import { atFile } from '../diagnostics/at-file.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { Model } from '../ir/model.ts';
import type { Node } from '../ir/node.ts';
import { type NodeDemand, type RunDemand, runDemand } from '../ir/run-demand.ts';
import type { EngineLimits } from '../runtime/engine.ts';
import { refuseLargeGraph } from './refuse-large-graph.ts';

export interface EngineLimitOptions {
  /** Memory that a model may take in the engine beside its file, in MiB; what is allowed by default follows the model. */
  readonly engineMemory?: number | undefined;
  /** Longest time of one run, in seconds of computing; by default it follows the model. */
  readonly engineTimeout?: number | undefined;
}

const MIB = 2 ** 20;
/** What a run may take where nobody says more. Inner values of real models grow with their inputs; those of bombs do not. */
export const defaultLimits = {
  inputBytes: 256 * MIB,
  constantBytes: 64 * MIB,
  liveBytes: 64 * MIB,
  liveBytesPerInputByte: 256,
  liveBytesPerFileByte: 16,
  activationBytes: 32 * 1024 * MIB,
  macs: 1e12,
  loopedNodes: 1e6,
  /** Of the engine's process, above what it takes with no model, where a model's sizes are not all known. */
  engineBytes: 96 * MIB,
  engineBytesPerFileByte: 16,
  engineBytesPerActivationByte: 8,
  /** Seconds of computing that a run with loops may take, beside those that its products need at a slow pace. */
  loopSeconds: 0.8,
  loopMacsPerSecond: 1e6,
  /** The same for a run that calls functions of the model. */
  functionSeconds: 30,
} as const;

/** A model that will be run, and the size of its file. */
export interface RunModel {
  readonly path: string;
  readonly model: Model;
  readonly sizeBytes: number;
}

/**
 * What the engine may take for models: checks first what each file says a run needs, so that nothing is even tried that
 * cannot end well, and gives the limits that hold for what only a run can tell.
 * @param sizes of open dimensions, by name; made-up feeds decide the others.
 * @throws EdgepackError `model-too-large` or `model-unsafe`, naming the file and the node.
 */
export function engineLimits(
  models: readonly RunModel[],
  options: EngineLimitOptions = {},
  sizes: Readonly<Record<string, number>> = {},
): EngineLimits {
  const limits = defaultLimits;
  let memoryBytes = limits.engineBytes;
  let runSeconds = 0;
  let isMemoryOpen = options.engineMemory !== undefined;
  let isTimeOpen = options.engineTimeout !== undefined;
  for (const { path, model, sizeBytes } of models) {
    refuseLargeGraph(path, model, options.engineTimeout !== undefined);
    const demand = runDemand(model, symbolSizes(model, sizes));
    atFile(path, () => refuseExcess(demand, sizeBytes, options));
    isMemoryOpen ||= demand.hasUnknownSizes;
    isTimeOpen ||= demand.hasLoops || demand.hasFunctions;
    memoryBytes +=
      limits.engineBytesPerFileByte * sizeBytes +
      limits.engineBytesPerActivationByte * (demand.activationBytes + demand.inputBytes);
    const ownSeconds = demand.hasFunctions && !demand.hasLoops ? limits.functionSeconds : limits.loopSeconds;
    runSeconds = Math.max(runSeconds, ownSeconds + demand.macs.amount / limits.loopMacsPerSecond);
  }
  const allowedBytes = options.engineMemory === undefined ? memoryBytes : options.engineMemory * MIB;
  return {
    ...(isMemoryOpen ? { memoryBytes: allowedBytes } : {}),
    ...(isTimeOpen ? { runSeconds: options.engineTimeout ?? runSeconds } : {}),
  };
}

function refuseExcess(demand: RunDemand, sizeBytes: number, options: EngineLimitOptions): void {
  const limits = defaultLimits;
  const { inputBytes, constantBytes, liveBytes, macs, loopedNodes, activationBytes } = demand;
  const memoryBytes = options.engineMemory === undefined ? undefined : options.engineMemory * MIB;
  const ofFile = limits.liveBytesPerFileByte * sizeBytes;
  const live = limits.liveBytes + limits.liveBytesPerInputByte * inputBytes + ofFile;
  refuseMemory('its inputs take', { node: undefined, amount: inputBytes }, memoryBytes ?? limits.inputBytes);
  refuseMemory(
    'values computed from constants alone take',
    constantBytes,
    memoryBytes ?? limits.constantBytes + ofFile,
  );
  refuseMemory('its inner values take', liveBytes, memoryBytes ?? live);
  if (options.engineTimeout !== undefined) return;
  if (loopedNodes.amount > limits.loopedNodes) {
    const times = Number.isFinite(loopedNodes.amount)
      ? `runs ${loopedNodes.amount.toExponential(1)} nodes, more than ${limits.loopedNodes.toExponential(0)}`
      : 'never ends';
    throw tooLong('model-unsafe', `the loop ${times}`, loopedNodes.node);
  }
  if (macs.amount > limits.macs) {
    const most = limits.macs.toExponential(0);
    const message = `one run takes ${macs.amount.toExponential(1)} multiply-accumulates, more than ${most}`;
    throw tooLong('model-too-large', message, macs.node);
  }
  if (activationBytes > limits.activationBytes) {
    const most = mebibytes(limits.activationBytes);
    throw tooLong(
      'model-too-large',
      `one run makes ${mebibytes(activationBytes)} MiB of values, more than ${most}`,
      undefined,
    );
  }
}

/** As made-up feeds take them: one sample, and 32 for the other open dimensions. */
function symbolSizes(model: Model, asked: Readonly<Record<string, number>>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { type, tensor } of model.graph.inputs) {
    if (type?.kind !== 'tensor' || tensor !== undefined) continue;
    type.shape?.forEach((dim, axis) => {
      if (typeof dim === 'string') sizes.set(dim, axis === 0 ? 1 : Math.max(32, sizes.get(dim) ?? 0));
    });
  }
  for (const [name, size] of Object.entries(asked)) sizes.set(name, size);
  return sizes;
}

function refuseMemory(what: string, { node, amount }: NodeDemand, limitBytes: number): void {
  if (amount <= limitBytes) return;
  throw new EdgepackError(
    'model-too-large',
    `${what} ${mebibytes(amount)} MiB of memory, more than ${mebibytes(limitBytes)}`,
    {
      ...(node === undefined ? {} : { location: { node: nameOf(node) } }),
      hint: 'if you trust the model, allow more with --engine-memory',
    },
  );
}

function tooLong(code: 'model-unsafe' | 'model-too-large', message: string, node: Node | undefined): EdgepackError {
  return new EdgepackError(code, message, {
    ...(node === undefined ? {} : { location: { node: nameOf(node) } }),
    hint: 'if you trust the model, allow more time with --engine-timeout',
  });
}

function mebibytes(bytes: number): string {
  const amount = Math.ceil(bytes / MIB);
  return amount < 1e9 ? String(amount) : amount.toExponential(1);
}

function nameOf(node: Node): string {
  return printable(node.name || (node.outputs[0]?.name ?? node.opType));
}
