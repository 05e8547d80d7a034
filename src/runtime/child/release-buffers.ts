import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Feeds } from '../../tensor/nd-array.ts';

type Transfer = (this: ArrayBuffer, byteLength: number) => ArrayBuffer;

/** `ArrayBuffer.prototype.transfer`, which Node.js 20 has behind a flag that takes effect in new contexts. */
function findTransfer(): Transfer | undefined {
  const native = (ArrayBuffer.prototype as { transfer?: Transfer }).transfer;
  if (native !== undefined) return native;
  setFlagsFromString('--harmony-rab-gsab-transfer');
  return runInNewContext('ArrayBuffer.prototype.transfer') as Transfer | undefined;
}

const transfer = findTransfer();

/**
 * Gives the memory of these arrays back at once. They are unusable afterwards. The engine makes new arrays for every
 * output of every run; left to the garbage collector, several runs' worth of them are alive at a time.
 */
export function releaseBuffers(arrays: Feeds): void {
  if (transfer === undefined) return;
  for (const { data } of Object.values(arrays)) {
    if (data.buffer instanceof ArrayBuffer && data.buffer.byteLength > 0) transfer.call(data.buffer, 0);
  }
}
