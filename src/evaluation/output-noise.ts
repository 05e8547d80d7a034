import { floatElements } from '../tensor/float-elements.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import { energies } from './statistics.ts';

/** The power of what a change did to the outputs of one run, over the power of the outputs. */
export function outputNoise(reference: Feeds, changed: Feeds, outputNames: readonly string[]): number {
  let signal = 0;
  let noise = 0;
  for (const name of outputNames) {
    const [a, b] = [floatElements(reference[name]!), floatElements(changed[name]!)];
    if (a.length !== b.length) continue;
    const sums = energies(a, b);
    signal += sums.signal;
    noise += sums.noise;
  }
  return signal === 0 ? 0 : noise / signal;
}
