import { existsSync } from 'node:fs';
import { npyHeader } from '../data/encode-npy.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { EpkEntry } from '../formats/epk/open-epk.ts';
import { withEpk } from '../formats/epk/read-epk.ts';
import { writePieces } from '../storage/write-pieces.ts';
import { dataTypeName, packedByteLength } from '../tensor/data-type.ts';
import type { PackedTensor, PackOptions, RunContext, UnpackedTensor } from './api-types.ts';

/**
 * The tensors of an `.epk` that can be had one by one: those of 16 bytes and more. Names and shapes are as the model states them.
 * @throws EdgepackError `epk-unreadable`, `file-not-found`.
 */
export async function listPackedTensors(epkPath: string, context: RunContext = {}): Promise<readonly PackedTensor[]> {
  context.signal?.throwIfAborted();
  return withEpk(epkPath, async (archive) => (await archive.list()).map(factsOf));
}

/**
 * Writes one tensor of an `.epk` without decoding the rest of it: as a NumPy array where the output's name ends in `.npy`, else its
 * elements as they are (little-endian, row order). Of tensors with the same name it is the first.
 * @throws EdgepackError `epk-unreadable`, `file-not-found`, `usage` for a tensor that is not there or that `.npy` cannot hold,
 * `output-exists` without `force`, `output-unwritable`.
 */
export async function unpackTensor(
  epkPath: string,
  name: string,
  outputPath: string,
  options: PackOptions = {},
  context: RunContext = {},
): Promise<UnpackedTensor> {
  context.signal?.throwIfAborted();
  if (options.force !== true && existsSync(outputPath)) {
    throw new EdgepackError('output-exists', `${printable(outputPath, 300)} is already there`, {
      hint: 'Choose another name, or overwrite it with --force.',
      location: { file: outputPath },
    });
  }
  return withEpk(epkPath, async (archive) => {
    const entry = (await archive.list()).find((candidate) => candidate.name === name);
    if (entry === undefined) {
      throw new EdgepackError(
        'usage',
        `has no tensor of 16 bytes or more named ${JSON.stringify(printable(name, 300))}`,
        {
          hint: 'List the names with "edgepack unpack <file> --list".',
          location: { file: epkPath },
        },
      );
    }
    const header = outputPath.toLowerCase().endsWith('.npy') ? headerFor(entry, outputPath) : new Uint8Array(0);
    const bytes = await archive.decodeSection(name, entry.file);
    return { tensor: factsOf(entry), path: outputPath, sizeBytes: writePieces(outputPath, [header, bytes]) };
  });
}

function factsOf({ name, file, dataType, dims, byteLength }: EpkEntry): PackedTensor {
  return { name, file, dataType: dataTypeName(dataType), shape: dims, sizeBytes: byteLength };
}

function headerFor({ name, dataType, dims, byteLength }: EpkEntry, outputPath: string): Uint8Array {
  const header = npyHeader(dataType, dims);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (header !== undefined && elements > 0 && packedByteLength(dataType, elements) === byteLength) return header;
  throw new EdgepackError(
    'usage',
    `a .npy file cannot hold elements of type ${dataTypeName(dataType)} in ${byteLength} bytes`,
    {
      hint: 'Write the elements as they are: give the output a name that ends in .bin.',
      location: { file: outputPath, tensor: name },
    },
  );
}
