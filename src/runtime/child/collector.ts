import type { Feeds } from '../../tensor/nd-array.ts';
import type { AccumulatorRequest, PackedStatistics, StatisticsRequest } from '../statistics.ts';
import { GramAccumulator } from './gram.ts';
import { HistogramAccumulator } from './histogram.ts';
import { MinMaxAccumulator } from './min-max.ts';
import { MomentAccumulator } from './moments.ts';
import { realValues } from './real-values.ts';

/** The accumulators of one output. */
class OutputCollector {
  readonly #accumulators: {
    readonly minMax?: MinMaxAccumulator;
    readonly histogram?: HistogramAccumulator;
    readonly moments?: MomentAccumulator;
    readonly gram?: GramAccumulator;
  };

  constructor({ minMax, histogram, moments, gram }: AccumulatorRequest) {
    this.#accumulators = {
      ...(minMax && { minMax: new MinMaxAccumulator(minMax) }),
      ...(histogram && { histogram: new HistogramAccumulator(histogram) }),
      ...(moments && { moments: new MomentAccumulator(moments) }),
      ...(gram && { gram: new GramAccumulator(gram) }),
    };
  }

  add(values: Float32Array | Float64Array, dims: readonly number[]): void {
    const { minMax, histogram, moments, gram } = this.#accumulators;
    minMax?.add(values, dims);
    histogram?.add(values);
    moments?.add(values, dims);
    gram?.add(values, dims);
  }

  result(): PackedStatistics[string] {
    const { minMax, histogram, moments, gram } = this.#accumulators;
    return {
      ...(minMax && { minMax: minMax.result() }),
      ...(histogram && { histogram: histogram.result() }),
      ...(moments && { moments: moments.result() }),
      ...(gram && { gram: gram.result() }),
    };
  }
}

/** Folds the outputs of many runs into the statistics that were asked for. */
export class Collector {
  readonly outputNames: readonly string[];
  readonly #outputs: ReadonlyMap<string, OutputCollector>;

  constructor(request: StatisticsRequest) {
    this.#outputs = new Map(Object.entries(request).map(([name, wanted]) => [name, new OutputCollector(wanted)]));
    this.outputNames = [...this.#outputs.keys()];
  }

  add(outputs: Feeds): void {
    for (const [name, collector] of this.#outputs) {
      const output = outputs[name]!;
      collector.add(realValues(output), output.dims);
    }
  }

  result(): PackedStatistics {
    return Object.fromEntries([...this.#outputs].map(([name, collector]) => [name, collector.result()]));
  }
}
