import { quantileOf } from './latency.ts';

/** One node of the graph the engine runs, as its profiler recorded it. */
export interface ProfileRecord {
  readonly name: string;
  /** The engine's operator: after its optimisations, not always an ONNX one (`QLinearConv`, `FusedConv`). */
  readonly opType: string;
  /** Execution provider, such as `CPUExecutionProvider`. */
  readonly provider: string;
  readonly runs: number;
  /** Over all runs. */
  readonly totalMs: number;
  /** Of one run; a few runs that were interrupted do not move it. */
  readonly medianMs: number;
  /** Types and shapes of the first run, such as `[{ float: [1, 3, 224, 224] }]`; as the engine writes them. */
  readonly inputTypeShapes: readonly Readonly<Record<string, readonly number[]>>[];
  readonly outputTypeShapes: readonly Readonly<Record<string, readonly number[]>>[];
}

interface ProfileEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly dur?: number;
  readonly args?: {
    readonly op_name?: string;
    readonly provider?: string;
    readonly input_type_shape?: ProfileRecord['inputTypeShapes'];
    readonly output_type_shape?: ProfileRecord['outputTypeShapes'];
  };
}

/** Sums the kernel times in the engine's profile (Chrome trace events; durations in microseconds), in order of first appearance. */
export function parseProfile(json: string): ProfileRecord[] {
  const suffix = '_kernel_time';
  const records = new Map<string, Omit<ProfileRecord, 'runs' | 'totalMs' | 'medianMs'> & { durationsMs: number[] }>();
  for (const event of JSON.parse(json) as ProfileEvent[]) {
    const { cat, name, dur, args } = event;
    if (cat !== 'Node' || name === undefined || !name.endsWith(suffix) || args?.op_name === undefined) continue;
    const node = name.slice(0, -suffix.length);
    const key = `${node}\n${args.op_name}`;
    let record = records.get(key);
    if (record === undefined) {
      record = {
        name: node,
        opType: args.op_name,
        provider: args.provider ?? '',
        durationsMs: [],
        inputTypeShapes: args.input_type_shape ?? [],
        outputTypeShapes: args.output_type_shape ?? [],
      };
      records.set(key, record);
    }
    record.durationsMs.push((dur ?? 0) / 1000);
  }
  return Array.from(records.values(), ({ durationsMs, ...record }) => ({
    ...record,
    runs: durationsMs.length,
    totalMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
    medianMs: quantileOf(Float64Array.from(durationsMs), 0.5),
  }));
}
