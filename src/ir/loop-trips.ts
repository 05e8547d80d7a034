import type { Node } from './node.ts';
import type { Value } from './value.ts';

/**
 * How often a Loop runs its body, where that is written in the file: the trip count is a constant or absent, and the
 * condition cannot become false. Infinity where it never ends; undefined where only a run can tell.
 */
export function countTrips(loop: Node): number | undefined {
  const [count, start] = [loop.input(0), loop.input(1)];
  const body = loop.attribute('body', 'graph')?.value;
  const goesOn = body?.outputs[0];
  if (body === undefined || goesOn === undefined) return undefined;
  const trips = count === undefined ? Number.POSITIVE_INFINITY : numberOf(count);
  if (trips === undefined) return undefined;
  const begins = start === undefined ? 1 : numberOf(start);
  if (begins === 0 || trips <= 0) return 0;
  const source = origin(goesOn);
  // An absent condition of the loop holds for ever, whatever the body says, only without a trip count to go by.
  const isKept = source === body.inputs[1] ? begins === 1 : (numberOf(source) ?? 0) !== 0;
  return isKept ? trips : undefined;
}

/** The value behind nodes that hand it on. */
function origin(value: Value): Value {
  let current = value;
  for (let step = 0; step < 64 && current.producer?.is('Identity') === true; step++) {
    const next = current.producer.input(0);
    if (next === undefined) break;
    current = next;
  }
  return current;
}

/** The number in a constant of one element. */
function numberOf(value: Value): number | undefined {
  const source = origin(value);
  const tensor = source.tensor ?? (source.producer?.is('Constant') ? source.producer.tensor('value') : undefined);
  return tensor?.elementCount === 1 ? tensor.toNumbers()[0] : undefined;
}
