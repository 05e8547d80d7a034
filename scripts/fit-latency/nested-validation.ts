import { logPredict } from '../../src/latency/fit-coefficients.ts';
import { fitFloats, type Residual } from './cross-validate.ts';
import { errorSummary } from './error-bands.ts';
import { type Network, OUTSIDE, type Run } from './shared-rows.ts';

const WEIGHTS = [0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;

/**
 * Leave-one-network-out in which the weight of the family is chosen for each left-out network from the errors on the
 * others alone, each of them left out as well. Tells what the choice of that number cost or flattered.
 */
export function nestedValidation(
  runs: readonly Run[],
  networks: ReadonlyMap<string, Network>,
  precision: 'fp32' | 'fp16',
): { residuals: Residual[]; chosen: Readonly<Record<string, number>> } {
  const floats = runs.filter((run) => run.precision === precision);
  const names = [...new Set(floats.flatMap((run) => run.rows.map((row) => row.network)))].filter(
    (name) => name !== OUTSIDE,
  );
  /** By pair of left-out networks and weight: errors on the first and on the second. */
  const inner = new Map<string, Residual[]>();
  for (const weight of WEIGHTS) {
    for (const [i, first] of names.entries()) {
      for (const second of names.slice(i)) {
        const use = (network: string) => network !== first && network !== second;
        const fit = fitFloats(floats, networks, use, { [precision]: weight });
        for (const [judged, hidden] of first === second
          ? [[first, first]]
          : [
              [first, second],
              [second, first],
            ]) {
          const key = `${hidden} ${weight}`;
          inner.set(key, [...(inner.get(key) ?? []), ...residualsOf(floats, networks, fit, judged!)]);
        }
      }
    }
  }
  const residuals: Residual[] = [];
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const error = (weight: number) =>
      errorSummary(inner.get(`${name} ${weight}`)!.filter(({ network }) => network !== name)).medianError;
    const best = [...WEIGHTS].sort((a, b) => error(a) - error(b))[0]!;
    chosen[best] = (chosen[best] ?? 0) + 1;
    residuals.push(...inner.get(`${name} ${best}`)!.filter(({ network }) => network === name));
  }
  return { residuals, chosen };
}

function residualsOf(
  floats: readonly Run[],
  networks: ReadonlyMap<string, Network>,
  fit: ReturnType<typeof fitFloats>,
  judged: string,
): Residual[] {
  return floats.flatMap((run) =>
    run.rows
      .filter(({ network }) => network === judged)
      .map(({ network, latencyMs }) => ({
        key: run.key,
        network,
        log: Math.log(latencyMs) - logPredict(networks.get(network)!.features, fit.get(run.key)!),
      })),
  );
}
