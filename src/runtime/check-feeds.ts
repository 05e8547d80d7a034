import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { dataTypeName } from '../tensor/data-type.ts';
import { elementArrayOf, type Feeds, type NdArray } from '../tensor/nd-array.ts';
import type { ValueDescription } from './session.ts';

/** @throws EdgepackError `data-mismatch` if the feeds are not what the model's inputs ask for. */
export function checkFeeds(inputs: readonly ValueDescription[], feeds: Feeds, modelName: string): void {
  const fail = (reason: string) => {
    throw new EdgepackError('data-mismatch', `${modelName}: ${reason}`, {
      hint: `Its inputs are ${inputs.map(describeInput).join(', ') || 'none'}.`,
    });
  };
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) fail(`the model has no input '${printable(name)}'`);
  }
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (feed === undefined) fail(`nothing is given for input '${printable(input.name)}'`);
    else if (!fits(input, feed)) {
      fail(`input '${printable(input.name)}' is given ${dataTypeName(feed.dataType)} [${feed.dims.join(', ')}]`);
    } else if (feed.data.length !== feed.dims.reduce((product, dim) => product * dim, 1)) {
      fail(`input '${printable(input.name)}' is given ${feed.data.length} elements for [${feed.dims.join(', ')}]`);
    }
  }
}

function fits({ dataType, shape }: ValueDescription, feed: NdArray): boolean {
  const arrayType = elementArrayOf(dataType);
  return (
    feed.dataType === dataType &&
    arrayType !== undefined &&
    feed.data instanceof arrayType &&
    feed.dims.length === shape.length &&
    feed.dims.every((dim, axis) => typeof shape[axis] === 'string' || shape[axis] === dim)
  );
}

function describeInput({ name, dataType, shape }: ValueDescription): string {
  const dims = shape.map((dim) => (dim === '' ? '?' : printable(String(dim))));
  return `'${printable(name)}' ${dataTypeName(dataType)} [${dims.join(', ')}]`;
}
