import { ReportedFailure } from './reported-failure.ts';

/** A dense array seen as [outer, channels, inner]. Without an axis: one channel that holds everything. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** @throws ReportedFailure `engine-failed` if the shape does not have the axis. */
export function channelLayout(dims: readonly number[], axis: number | undefined): ChannelLayout {
  const product = (part: readonly number[]) => part.reduce((total, dim) => total * dim, 1);
  if (axis === undefined) return { outer: 1, channels: 1, inner: product(dims) };
  const position = axis < 0 ? axis + dims.length : axis;
  const channels = dims[position];
  if (channels === undefined)
    throw new ReportedFailure('engine-failed', `an output of shape [${dims}] has no axis ${axis}`);
  return { outer: product(dims.slice(0, position)), channels, inner: product(dims.slice(position + 1)) };
}

/** @throws ReportedFailure `engine-failed` if the number of channels has changed between runs. */
export function requireChannels(known: number, found: number): void {
  if (known !== found) {
    throw new ReportedFailure('engine-failed', `an output had ${known} channels in one run and ${found} in another`);
  }
}
