import { printable } from '../diagnostics/printable.ts';
import { bitsPerElement } from '../tensor/data-type.ts';
import { isFused, isView, type Readers, reusableInputs } from './buffer-reuse.ts';
import { type ExecutionStep, executionSteps, isDequantized, outputTest } from './execution-steps.ts';
import type { Graph } from './graph.ts';
import { countTrips } from './loop-trips.ts';
import type { Node } from './node.ts';
import { evaluateDim, type SymbolicDim } from './shape-inference/dim-expression.ts';
import type { TypeTable } from './shape-inference/infer-types.ts';
import type { Value } from './value.ts';

/** A tensor that is in memory. */
export interface LiveTensor {
  readonly value: Value;
  readonly sizeBytes: number;
}

/** The moment of a run at which most activations are in memory. */
export interface PeakMemory {
  readonly peakBytes: number;
  /** The node that runs then; undefined for a graph without nodes that compute. */
  readonly node: Node | undefined;
  /** What is in memory then, the largest first; the sizes add up to the peak. */
  readonly live: readonly LiveTensor[];
}

/** No number, and why. */
export interface UnknownMemory {
  readonly missing: string;
}

/**
 * The most bytes that activations take at the same time in one run, by liveness analysis: nodes run in the order of the file,
 * a tensor is in memory from the node that makes it to the last one that reads it, inputs and outputs of the model to the
 * end of the run. Assumed of the engine: what only constants decide is computed at load; reshaping moves nothing;
 * elementwise operators write over an input of the same size that is not needed any more; what stands between
 * DequantizeLinear and QuantizeLinear runs on integers where ONNX Runtime has such a kernel. Not counted: scratch memory of
 * kernels, padding and fragments of the allocator.
 */
export function peakMemory(
  graph: Graph,
  types: TypeTable,
  constants: ReadonlySet<Value> = constantValues(graph),
): PeakMemory | UnknownMemory {
  return orMissing(() => new Liveness(graph, types, constants).run(graph, true));
}

/** What a computation that asks for sizes gives, or which size is not known. */
function orMissing<T>(compute: () => T): T | UnknownMemory {
  try {
    return compute();
  } catch (error) {
    if (error instanceof UnknownSize) return { missing: error.message };
    throw error;
  }
}

/**
 * Bytes of the constants as an engine holds them in memory: integers where an integer kernel reads them, floats where the
 * file stores integers that are expanded at load, because the kernel computes in float.
 */
export function weightMemory(
  graph: Graph,
  types: TypeTable,
  constants: ReadonlySet<Value> = constantValues(graph),
): number | UnknownMemory {
  return orMissing(() => {
    const sizes = new Sizes(graph, types);
    const held = new Set<Value>();
    for (const each of graph.allGraphs()) {
      const steps = executionSteps(each, (value) => constants.has(value));
      const integer = new Set(steps.filter(({ isInteger }) => isInteger).map(({ node }) => node));
      for (const node of each.nodes()) {
        if (node.outputs.every((value) => constants.has(value))) continue;
        for (const value of node.inputs) {
          if (value === undefined || !constants.has(value)) continue;
          if (integer.has(node) && isDequantized(value)) for (const source of storedBehind(value)) held.add(source);
          else held.add(value);
        }
      }
    }
    return [...held].reduce((sum, value) => sum + (value.tensor?.byteLength ?? sizes.of(value)), 0);
  });
}

/** The initializers that a constant is computed from. */
function storedBehind(value: Value): readonly Value[] {
  const seen = new Set<Value>([value]);
  for (const each of seen) {
    if (each.producer?.is('Constant') === false) for (const input of each.producer.inputs) if (input) seen.add(input);
  }
  return [...seen].filter(({ producer }) => producer === undefined || producer.is('Constant'));
}

/** Initializers, Constant nodes, and what is computed from them alone; random numbers are none. */
export function constantValues(graph: Graph): ReadonlySet<Value> {
  const constants = new Set<Value>();
  for (const each of graph.allGraphs()) for (const value of each.initializers) constants.add(value);
  for (const each of graph.allGraphs()) {
    for (const node of each.nodes()) {
      const isFixed = node.is('Constant') || (node.inputs.length > 0 && node.subgraphs().length === 0);
      const isDecided = node.inputs.every((value) => value === undefined || constants.has(value));
      if (isFixed && isDecided && !/^Random|^Bernoulli$|^Multinomial$/.test(node.opType)) {
        for (const value of node.outputs) constants.add(value);
      }
    }
  }
  return constants;
}

/** No tensor of a device is as large; sums of such stay exact. */
const LARGEST_BYTES = 2 ** 40;

class UnknownSize extends Error {}

/** Bytes of values. */
class Sizes {
  readonly #types: TypeTable;
  /** Dimensions of the inputs that are left open; they count as 1. */
  readonly #openSymbols = new Set<string>();

  constructor(graph: Graph, types: TypeTable) {
    this.#types = types;
    for (const input of graph.inputs) {
      for (const dim of types.get(input)?.shape ?? []) {
        if (typeof dim !== 'number' && dim.symbol !== undefined) this.#openSymbols.add(dim.symbol);
      }
    }
  }

  /** @throws UnknownSize where only a run can tell. */
  of(value: Value): number {
    const type = this.#types.get(value);
    const bits = type === undefined ? 0 : bitsPerElement(type.elemType);
    const sizes = type?.shape?.map((dim) => this.#sizeOf(dim));
    if (bits === 0 || sizes === undefined || sizes.includes(undefined)) throw new UnknownSize(unknownSize(value));
    const bytes = Math.ceil((sizes.reduce<number>((product, size) => product * size!, 1) * bits) / 8);
    if (bytes > LARGEST_BYTES) throw new UnknownSize(`'${printable(value.name, 80)}' is larger than any memory`);
    return bytes;
  }

  #sizeOf(dim: SymbolicDim): number | undefined {
    return evaluateDim(dim, (symbol) => (this.#openSymbols.has(symbol) ? 1 : undefined));
  }
}

function unknownSize(value: Value): string {
  const { producer } = value;
  const made = producer === undefined ? '' : `, which ${describe(producer)} makes`;
  return `only a run can tell the size of '${printable(value.name, 80)}'${made}`;
}

function describe(node: Node): string {
  const name = node.name === '' ? '' : ` '${printable(node.name, 80)}'`;
  return `${printable(node.opType, 40)}${name}`;
}

/** Memory that one or more tensors share. */
interface Buffer {
  readonly value: Value;
  readonly sizeBytes: number;
  /** Reads that are still to come, of all tensors in it. */
  pendingReads: number;
  /** Stays to the end, and is not written over. */
  isKept: boolean;
  /** Moments, counted in what was recorded. */
  readonly bornAt: number;
  diedAt: number;
}

class Liveness {
  readonly #sizes: Sizes;
  readonly #constants: ReadonlySet<Value>;

  constructor(graph: Graph, types: TypeTable, constants: ReadonlySet<Value>) {
    this.#sizes = new Sizes(graph, types);
    this.#constants = constants;
  }

  /** @param ownsInputs false for a graph inside another whose inputs are the memory of values outside. */
  run(graph: Graph, ownsInputs: boolean): PeakMemory {
    const steps = executionSteps(graph, (value) => this.#constants.has(value));
    const readers = countReads(steps);
    const isOutput = outputTest(graph);
    const buffers = new Map<Value, Buffer>();
    let moment = 0;
    let liveBytes = 0;
    let peak = { peakBytes: 0, moment: 0, node: undefined as Node | undefined, inner: NOTHING };
    const create = (value: Value, isKept: boolean): void => {
      const sizeBytes = this.#sizes.of(value);
      const pendingReads = readers.get(value) ?? 0;
      buffers.set(value, { value, sizeBytes, pendingReads, isKept, bornAt: moment, diedAt: Number.POSITIVE_INFINITY });
      liveBytes += sizeBytes;
    };
    const record = (node: Node | undefined, inner: PeakMemory) => {
      const peakBytes = liveBytes + inner.peakBytes;
      if (peakBytes > peak.peakBytes) peak = { peakBytes, moment, node: inner.node ?? node, inner };
      moment++;
    };
    if (ownsInputs) for (const value of graph.inputs) if (!this.#constants.has(value)) create(value, true);
    record(undefined, NOTHING);
    for (const step of steps) {
      const inner = this.#inside(step.node);
      record(step.node, inner.during);
      for (const value of step.makes) {
        const shared = this.#sharedBuffer(step, value, { isOutput, readers, buffers });
        if (shared === undefined) create(value, isOutput(value));
        else {
          shared.pendingReads += readers.get(value) ?? 0;
          shared.isKept ||= isOutput(value);
          buffers.set(value, shared);
        }
      }
      record(step.node, inner.atEnd);
      for (const value of step.reads) {
        const buffer = buffers.get(value);
        if (buffer !== undefined) buffer.pendingReads--;
      }
      for (const value of [...step.reads, ...step.makes]) {
        const buffer = buffers.get(value);
        if (buffer === undefined || buffer.isKept || buffer.pendingReads > 0 || buffer.diedAt <= moment) continue;
        buffer.diedAt = moment;
        liveBytes -= buffer.sizeBytes;
      }
    }
    const { peakBytes, node, inner } = peak;
    const live = [...new Set(buffers.values())].filter(
      ({ sizeBytes, bornAt, diedAt }) => sizeBytes > 0 && bornAt <= peak.moment && peak.moment < diedAt,
    );
    const tensors = [...live.map(({ value, sizeBytes }) => ({ value, sizeBytes })), ...inner.live];
    return { peakBytes, node, live: tensors.sort((a, b) => b.sizeBytes - a.sizeBytes) };
  }

  /** The memory that an output takes over from an input, where it does. */
  #sharedBuffer(
    step: ExecutionStep,
    value: Value,
    state: {
      readonly isOutput: (value: Value) => boolean;
      readonly readers: Readers;
      readonly buffers: ReadonlyMap<Value, Buffer>;
    },
  ): Buffer | undefined {
    const { isOutput, readers, buffers } = state;
    // The engine computes outputs of the graph in memory of their own.
    if (isOutput(value) && !isFused(step, readers)) return undefined;
    if (isView(step, value)) {
      const viewed = buffers.get(step.reads[0]!);
      if (viewed !== undefined) return viewed;
    }
    for (const input of reusableInputs(step, value, readers)) {
      const buffer = buffers.get(input);
      if (buffer === undefined || buffer.isKept || buffer.pendingReads > 1) continue;
      if (buffer.sizeBytes === this.#sizes.of(value)) return buffer;
    }
    return undefined;
  }

  /** What graphs inside a node take beside everything outside, and what is left of them when the outputs are put together. */
  #inside(node: Node): { during: PeakMemory; atEnd: PeakMemory } {
    const subgraphs = node.subgraphs();
    if (subgraphs.length === 0) return { during: NOTHING, atEnd: NOTHING };
    if (!node.is('If', 'Loop', 'Scan')) throw new UnknownSize(`what ${describe(node)} runs inside it is not known`);
    const peaks = subgraphs.map((graph) => this.run(graph, !node.is('If')));
    const most = peaks.reduce((a, b) => (b.peakBytes > a.peakBytes ? b : a));
    const round = { ...most, node: most.node ?? node };
    if (node.is('If')) return { during: round, atEnd: NOTHING };
    // A Scan writes into its outputs from the first round on; a Loop keeps each round's and joins them at the end.
    const kept = node.is('Scan') ? this.#stacked(node) : this.#collected(node);
    const atEnd = { peakBytes: totalOf(kept), node, live: kept };
    const during = { ...round, peakBytes: round.peakBytes + atEnd.peakBytes, live: [...round.live, ...kept] };
    return { during, atEnd: node.is('Scan') ? NOTHING : atEnd };
  }

  /** What a Loop has kept of its rounds. */
  #collected(node: Node): LiveTensor[] {
    const body = node.attribute('body', 'graph')?.value;
    const outputs = body?.outputs.slice(Math.max(1, node.inputs.length - 1)) ?? [];
    if (outputs.length === 0) return [];
    const trips = countTrips(node);
    if (trips === undefined || !Number.isFinite(trips)) {
      throw new UnknownSize(`only a run can tell how often ${describe(node)} runs`);
    }
    return outputs.map((value) => ({ value, sizeBytes: trips * this.#sizes.of(value) }));
  }

  #stacked(node: Node): LiveTensor[] {
    const states = (node.attribute('body', 'graph')?.value.inputs.length ?? 0) - node.int('num_scan_inputs', 0);
    return node.outputs
      .slice(Math.max(0, states))
      .filter(({ name }) => name !== '')
      .map((value) => ({ value, sizeBytes: this.#sizes.of(value) }));
  }
}

function totalOf(tensors: readonly LiveTensor[]): number {
  return tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

const NOTHING: PeakMemory = { peakBytes: 0, node: undefined, live: [] };

function countReads(steps: readonly ExecutionStep[]): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const { reads } of steps) for (const value of reads) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
