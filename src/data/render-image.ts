import type { ElementArray, NdArray } from '../tensor/nd-array.ts';
import { elementArrayOf } from '../tensor/nd-array.ts';
import { type SampleOrigin, sampleError } from './data-error.ts';
import type { ImagePlan, Size } from './image-plan.ts';
import { describeInput } from './input-spec.ts';
import type { Pixels } from './pixels.ts';
import { resample } from './resample.ts';

/**
 * Turns the pixels of one image into the model input that the plan is for: resize, centre crop, colour, values, layout.
 * @throws EdgepackError `data-mismatch` where the image is smaller than the crop or has another size than the input.
 */
export function renderImage(pixels: Pixels, plan: ImagePlan, origin: SampleOrigin): NdArray {
  const target = resizedSize(pixels, plan);
  const same = target.width === pixels.width && target.height === pixels.height;
  const resized = same ? pixels : resample(pixels, target, plan.kernel);
  const { width, height } = plan.crop ?? resized;
  if (width > resized.width || height > resized.height) {
    throw sampleError(
      origin,
      `is ${resized.width}x${resized.height}, smaller than the crop of ${width}x${height}`,
      'leave "resize" out of the preprocess settings, or set it to a size that the crop fits in',
    );
  }
  if (plan.size !== undefined && (plan.size.width !== width || plan.size.height !== height)) {
    throw sampleError(
      origin,
      `is ${width}x${height} where input '${plan.input.name}' takes ${describeInput(plan.input)}`,
      'set "resize" or "crop" in the preprocess settings',
    );
  }
  const data = values(resized, { width, height }, plan, origin);
  const area = plan.layout === 'NCHW' ? [plan.channels, height, width] : [height, width, plan.channels];
  const dims = plan.layout === 'flat' ? [data.length] : plan.layout === 'NHW' ? [height, width] : area;
  return { dataType: plan.input.dataType, dims: plan.batch ? [1, ...dims] : dims, data };
}

function resizedSize({ width, height }: Pixels, { resize, crop }: ImagePlan): Size {
  if (resize === null) return { width, height };
  if ('width' in resize) return resize;
  if ('shortSide' in resize) return scaled(width, height, resize.shortSide, resize.shortSide);
  if (crop !== null && crop.width === width && crop.height === height) return { width, height };
  return scaled(width, height, resize.cover.width, resize.cover.height);
}

/** The smallest size of the same aspect that covers the given one; the longer side is rounded down. */
function scaled(width: number, height: number, coverWidth: number, coverHeight: number): Size {
  return coverWidth * height >= coverHeight * width
    ? { width: coverWidth, height: Math.floor((coverWidth * height) / width) }
    : { width: Math.floor((coverHeight * width) / height), height: coverHeight };
}

/** Crops the centre, converts colour, looks every value up and lays them out. */
function values(pixels: Pixels, crop: Size, plan: ImagePlan, origin: SampleOrigin): ElementArray {
  const { data, channels: stored } = pixels;
  const { channels, tables, color } = plan;
  const { width, height } = crop;
  const area = width * height;
  const top = Math.floor((pixels.height - height + 1) / 2);
  const left = Math.floor((pixels.width - width + 1) / 2);
  const toGray = stored === 3 && channels === 1;
  const step = stored === channels ? 1 : 0;
  if (!toGray && step === 0 && stored !== 1) {
    throw sampleError(
      origin,
      `has ${stored} channels where input '${plan.input.name}' takes ${describeInput(plan.input)}`,
      'store it with the channels of the model',
    );
  }
  const output = new (elementArrayOf(plan.input.dataType)!)(area * channels) as Float32Array;
  const planar = plan.layout === 'NCHW';
  for (let c = 0; c < channels; c++) {
    const table = tables[c] as Float32Array;
    const from = color === 'bgr' ? (channels - 1 - c) * step : c * step;
    const stride = planar ? 1 : channels;
    let to = planar ? c * area : c;
    for (let y = 0; y < height; y++) {
      let at = ((top + y) * pixels.width + left) * stored + from;
      for (let x = 0; x < width; x++, at += stored, to += stride) {
        output[to] = table[toGray ? luma(data, at) : data[at]!]!;
      }
    }
  }
  return output;
}

/** ITU-R BT.601 luma of an RGB pixel in 16-bit fixed point, rounded as Pillow's `convert('L')` rounds it. */
function luma(data: Uint8Array, at: number): number {
  return (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
}
