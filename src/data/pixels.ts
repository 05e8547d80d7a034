import type sharpLibrary from 'sharp';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { dataError, reasonOf } from './data-error.ts';
import type { Size } from './image-plan.ts';

/** 8-bit samples of one image, rows from the top, channels interleaved. */
export interface Pixels extends Size {
  readonly channels: number;
  readonly data: Uint8Array;
}

/** An image with more pixels is refused before it is unpacked: photos have at most some for each byte of their file. */
function pixelLimit(fileBytes: number): number {
  return Math.min(2 ** 27, 40_000_000 + 16 * fileBytes);
}

type Sharp = typeof sharpLibrary;
let library: Promise<Sharp> | undefined;

function loadSharp(): Promise<Sharp> {
  library ??= import('sharp').then(
    (module) => module.default,
    (error) => {
      throw new EdgepackError('data-unreadable', `the image library 'sharp' does not load (${reasonOf(error)})`, {
        hint: 'install it with: npm i sharp — or give the data as .npy or .npz arrays',
        cause: error,
      });
    },
  );
  return library;
}

/** Version of the image library; fails where it does not load. */
export async function imageLibraryVersion(): Promise<string> {
  return (await loadSharp()).versions.sharp ?? 'unknown';
}

/** By their first bytes, so that a file's name cannot choose the decoder. */
function formatOf(bytes: Uint8Array): 'image' | 'bmp' | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 12)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff') || text.startsWith('\x89PNG') || text.startsWith('GIF8')) return 'image';
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'image';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'image';
  return text.startsWith('BM') ? 'bmp' : undefined;
}

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame) or TIFF (first page) to RGB. As the loaders that models are trained with do, it
 * ignores colour profiles and the EXIF orientation, and drops alpha.
 * @throws EdgepackError `data-unreadable`, naming the file.
 */
export async function decodeImage(bytes: Uint8Array, file: string): Promise<Pixels> {
  const format = formatOf(bytes);
  if (format !== 'image') {
    throw dataError(
      'data-unreadable',
      file,
      format === 'bmp' ? 'is a BMP image, which is not read' : 'is not an image of a kind that is read',
      'convert it to PNG, or to JPEG, WebP, GIF or TIFF',
    );
  }
  const sharp = await loadSharp();
  const maxPixels = pixelLimit(bytes.byteLength);
  try {
    const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: info.channels, data };
  } catch (error) {
    throw dataError(
      'data-unreadable',
      file,
      `is a damaged image or has more than ${maxPixels} pixels (${reasonOf(error)})`,
      'replace or remove it',
      error,
    );
  }
}
