import { logPredict } from '../../src/latency/fit-coefficients.ts';
import { type CostFeature, costFeatures } from '../../src/targets/cost-features.ts';
import { fitFloats, priorWeights, type Residual } from './cross-validate.ts';
import { type Network, OUTSIDE, type Run } from './shared-rows.ts';

/** What a fit could have been instead: another weight of the family, or fewer costs. */
interface Candidate {
  readonly name: string;
  readonly weight: number;
  readonly without: readonly CostFeature[];
}

const WEIGHTS = [0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;
/** Costs that a simpler model would do without. */
const OPTIONAL: readonly CostFeature[] = ['narrowGmac', 'columnGb', 'moveGb'];

function candidatesFor(precision: 'fp32' | 'fp16'): readonly Candidate[] {
  const weight = priorWeights[precision];
  return [
    ...WEIGHTS.map((other) => ({ name: `weight ${other}`, weight: other, without: [] })),
    ...OPTIONAL.map((cost) => ({ name: `weight ${weight} without ${cost}`, weight, without: [cost] })),
    { name: `weight ${weight} without any of them`, weight, without: OPTIONAL },
  ];
}

/**
 * Leave-one-network-out in which the weight of the family, or which costs there are, is chosen for each left-out network by the
 * mean error on the others alone, each of them left out as well. Tells what these choices cost or flattered.
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
  const candidates = candidatesFor(precision);
  /** By candidate and one of a pair of left-out networks: errors on the other one; where both are the same, on that one. */
  const inner = new Map<string, Residual[]>();
  for (const { name, weight, without } of candidates) {
    const seen = withoutCosts(networks, without);
    for (const [i, first] of names.entries()) {
      for (const second of names.slice(i)) {
        const use = (network: string) => network !== first && network !== second;
        const fit = fitFloats(floats, seen, use, { [precision]: weight });
        for (const [judged, hidden] of first === second
          ? [[first, first]]
          : [
              [first, second],
              [second, first],
            ]) {
          const key = `${hidden} ${name}`;
          inner.set(key, [...(inner.get(key) ?? []), ...residualsOf(floats, seen, fit, judged!)]);
        }
      }
    }
  }
  const residuals: Residual[] = [];
  const chosen: Record<string, number> = {};
  for (const hidden of names) {
    const error = ({ name }: Candidate) =>
      meanError(inner.get(`${hidden} ${name}`)!.filter(({ network }) => network !== hidden));
    const { name } = [...candidates].sort((a, b) => error(a) - error(b))[0]!;
    chosen[name] = (chosen[name] ?? 0) + 1;
    residuals.push(...inner.get(`${hidden} ${name}`)!.filter(({ network }) => network === hidden));
  }
  return { residuals, chosen };
}

/** A coefficient of a cost that no network has stays at its prior and tells nothing. */
function withoutCosts(
  networks: ReadonlyMap<string, Network>,
  costs: readonly CostFeature[],
): ReadonlyMap<string, Network> {
  return new Map(
    [...networks].map(([name, network]) => {
      const features = network.features.map((value, f) => (costs.includes(costFeatures[f]!) ? 0 : value));
      return [name, { ...network, features }];
    }),
  );
}

function meanError(residuals: readonly Residual[]): number {
  return residuals.reduce((sum, { log }) => sum + Math.abs(log), 0) / residuals.length;
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
