import type { Size } from './image-plan.ts';
import type { Pixels } from './pixels.ts';

interface Kernel {
  /** Half the width, in pixels of the larger of source and result. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const kernels = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  linear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  cubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed);
      const a = -0.5;
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const satisfies Record<string, Kernel>;

export type KernelName = 'nearest' | keyof typeof kernels;

/** Fraction bits of the fixed-point weights: 8-bit samples and a sum with overshoot fit 32 bits. */
const precisionBits = 22;

/**
 * Resamples to exactly `size`. Kernels widen when the image shrinks, so nothing aliases; every pass rounds to 8 bits. The method
 * and its rounding are Pillow's (`Image.resize`, src/libImaging/Resample.c), which most vision models are trained with.
 */
export function resample(pixels: Pixels, size: Size, kernel: KernelName): Pixels {
  if (kernel === 'nearest') return nearest(pixels, size);
  const { channels } = pixels;
  const across = alongRows(pixels, size.width, kernels[kernel]);
  const data = alongColumns(across, pixels.height, size.height, size.width * channels, kernels[kernel]);
  return { ...size, channels, data };
}

interface Window {
  readonly start: number;
  readonly weights: Int32Array;
}

/** For every position of the result: the first source position and the weights from there on, in fixed point. */
function windows(sourceSize: number, size: number, { support, weight }: Kernel): Window[] {
  const scale = sourceSize / size;
  const widening = Math.max(1, scale);
  const reach = support * widening;
  return Array.from({ length: size }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5));
    const stop = Math.min(sourceSize, Math.trunc(center + reach + 0.5));
    const raw = Array.from({ length: stop - start }, (_, j) => weight((start + j - center + 0.5) * (1 / widening)));
    const sum = raw.reduce((total, w) => total + w, 0);
    const weights = Int32Array.from(raw, (w) => {
      const fixed = (w / sum) * 2 ** precisionBits;
      return Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    return { start, weights };
  });
}

function alongRows({ data, width, height, channels }: Pixels, target: number, kernel: Kernel): Uint8Array {
  if (target === width) return data;
  const result = new Uint8Array(target * height * channels);
  windows(width, target, kernel).forEach(({ start, weights }, x) => {
    const taps = weights.length;
    for (let y = 0; y < height; y++) {
      const row = (y * width + start) * channels;
      const to = (y * target + x) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (precisionBits - 1);
        for (let k = 0, at = row + c; k < taps; k++, at += channels) sum += data[at]! * weights[k]!;
        result[to + c] = clamped(sum >> precisionBits);
      }
    }
  });
  return result;
}

function alongColumns(data: Uint8Array, height: number, target: number, rowBytes: number, kernel: Kernel): Uint8Array {
  if (target === height) return data;
  const result = new Uint8Array(target * rowBytes);
  const sums = new Int32Array(rowBytes);
  windows(height, target, kernel).forEach(({ start, weights }, y) => {
    sums.fill(1 << (precisionBits - 1));
    weights.forEach((weight, k) => {
      const row = (start + k) * rowBytes;
      for (let x = 0; x < rowBytes; x++) sums[x]! += data[row + x]! * weight;
    });
    const to = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) result[to + x] = clamped(sums[x]! >> precisionBits);
  });
  return result;
}

function clamped(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function nearest({ data, width, height, channels }: Pixels, size: Size): Pixels {
  const result = new Uint8Array(size.width * size.height * channels);
  let to = 0;
  for (let y = 0; y < size.height; y++) {
    const row = Math.min(height - 1, Math.floor(((y + 0.5) * height) / size.height)) * width;
    for (let x = 0; x < size.width; x++) {
      const at = (row + Math.min(width - 1, Math.floor(((x + 0.5) * width) / size.width))) * channels;
      for (let c = 0; c < channels; c++) result[to++] = data[at + c]!;
    }
  }
  return { ...size, channels, data: result };
}
