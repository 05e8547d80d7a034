import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { writePieces } from '../storage/write-pieces.ts';
import type { Calibration } from '../targets/latency-schema.ts';

/**
 * Writes a calibration whole or not at all, with the folders that lead there.
 * @throws EdgepackError `output-unwritable`; an earlier file is then intact.
 */
export function writeCalibration(path: string, calibration: Calibration): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw new EdgepackError('output-unwritable', `cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
      location: { file: path },
      hint: 'Check the folders above it, or write to another --output',
      cause,
    });
  }
  writePieces(path, [Buffer.from(`${JSON.stringify(calibration, null, 2)}\n`)]);
}
