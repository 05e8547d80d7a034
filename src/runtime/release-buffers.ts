import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Feeds } from '../tensor/nd-array.ts';

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
 * Gives the memory of these arrays back at once. They are unusable afterwards. Every run makes new arrays for its inputs and
 * outputs; left to the garbage collector, many runs' worth of them are alive at a time. Parts of larger buffers stay.
 */
export function releaseBuffers(arrays: Feeds): void {
  if (transfer === undefined) return;
  for (const { data } of Object.values(arrays)) {
    const { buffer } = data;
    if (buffer instanceof ArrayBuffer && buffer.byteLength > 0 && buffer.byteLength === data.byteLength) {
      transfer.call(buffer, 0);
    }
  }
}
