import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { CalibrationTable } from '../quantization/calibration-table.ts';
import { writePieces } from '../storage/write-pieces.ts';

/** Raised when what a table holds, or how it is gathered, changes. */
const FORMAT = 3;

/**
 * Calibration statistics kept between runs, one file for each combination of model, samples and needs, named by the
 * SHA-256 of all three. A file that is damaged is ignored; a folder that cannot be written only costs time.
 */
export class KeptStatistics {
  readonly #folder: string;
  readonly #identity: object;

  /** @param identity what the statistics depend on beside the needs: hashes of the model and of the samples, engine. */
  constructor(folder: string, identity: object) {
    this.#folder = folder;
    this.#identity = identity;
  }

  load<Kept = CalibrationTable>(needs: object): Kept | undefined {
    try {
      const bytes = readFileSync(this.#path(needs));
      const body = bytes.subarray(32);
      if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, 32))) return undefined;
      return deserialize(body) as Kept;
    } catch {
      return undefined;
    }
  }

  store(needs: object, kept: object): void {
    const body = serialize(kept);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writePieces(this.#path(needs), [createHash('sha256').update(body).digest(), body]);
    } catch {
      // The next run gathers them again.
    }
  }

  #path(needs: object): string {
    const key = JSON.stringify([FORMAT, this.#identity, needs]);
    return join(this.#folder, `${createHash('sha256').update(key).digest('hex')}.statistics`);
  }
}
