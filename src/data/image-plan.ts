import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { DataType, dataTypeName, isFloat } from '../tensor/data-type.ts';
import { numberToBfloat16, numberToFloat16 } from '../tensor/float16.ts';
import type { ElementArray } from '../tensor/nd-array.ts';
import { describeInput, type InputSpec } from './input-spec.ts';
import { type NamedPreprocess, type Preprocess, preset } from './preprocess.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The axes of a model input that takes images. `flat` is [N, height * width * channels], `NHW` has no channel axis. */
export interface ImageAxes {
  readonly layout: 'NCHW' | 'NHWC' | 'NHW' | 'flat';
  readonly batch: boolean;
  readonly channels: number;
  /** The size the input asks for; undefined where it is symbolic. */
  readonly size: Size | undefined;
}

/** Preprocess settings with nothing left out; `mean` and `std` have one number per channel. */
export interface UsedPreprocess {
  readonly resize: NonNullable<Preprocess['resize']> | null;
  readonly kernel: NonNullable<Preprocess['kernel']>;
  readonly crop: Size | null;
  readonly color: 'rgb' | 'bgr' | 'gray' | 'as stored';
  readonly divide: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout: ImageAxes['layout'];
  readonly dtype: string;
}

/** Everything that is decided before the first image is read. */
export interface ImagePlan extends ImageAxes {
  readonly input: InputSpec;
  /** `fit`: images of another size are scaled to cover `cover` and cropped to `size`. */
  readonly resize: NonNullable<Preprocess['resize']> | { readonly cover: Size } | null;
  readonly crop: Size | null;
  readonly kernel: NonNullable<Preprocess['kernel']>;
  readonly color: UsedPreprocess['color'];
  /** By channel: the value that each of 0..255 becomes, in the element type of the input. */
  readonly tables: readonly ElementArray[];
  /** The settings as they are used, for the report. */
  readonly settings: UsedPreprocess;
  readonly description: string;
}

/** True for inputs that 8-bit images can be turned into. */
export function takesImages(spec: InputSpec): boolean {
  const byteTyped = spec.dataType === DataType.uint8 || spec.dataType === DataType.int8;
  return byteTyped
    ? spec.shape.length >= 3 && spec.shape.length <= 4
    : isFloat(spec.dataType) && axesOf(spec, {}) !== undefined;
}

/**
 * Decides how images become the values of `input`. What the settings leave out follows the input's shape; where there are no
 * settings at all, the values' scale is assumed and the description says so.
 * @param stored the channels of the source, where it is an array; images have 3.
 * @throws EdgepackError `data-mismatch` where settings and input contradict each other.
 */
export function planImages(input: InputSpec, named: NamedPreprocess | undefined, stored?: number): ImagePlan {
  const assumed = named ?? assumedPreprocess(input, stored);
  const settings = assumed.settings;
  const mismatch = (what: string, hint: string) =>
    new EdgepackError(
      'data-mismatch',
      `${assumed.name}: ${what}, but input '${printable(input.name)}' is ${describeInput(input)}`,
      {
        hint,
      },
    );
  const axes = axesOf(input, settings, stored);
  if (axes === undefined) throw mismatch('makes images', 'give the inputs as .npy or .npz arrays of the right shape');
  if (settings.dtype !== undefined && settings.dtype !== dataTypeName(input.dataType)) {
    throw mismatch(`dtype is ${settings.dtype}`, 'leave dtype out');
  }
  const batch = input.shape[0];
  if (axes.batch && typeof batch === 'number' && batch !== 1) {
    throw mismatch(
      'makes one image at a time',
      `the model takes ${batch} samples at a time; export it with a symbolic batch dimension or a batch of 1`,
    );
  }
  const color = settings.color ?? (axes.channels === 1 ? 'gray' : axes.channels === 3 ? 'rgb' : undefined);
  if (color === undefined ? stored !== axes.channels : (color === 'gray' ? 1 : 3) !== axes.channels) {
    throw mismatch(
      color === undefined ? 'images have 1 or 3 channels' : `color is ${color}`,
      'set color to fit the model',
    );
  }
  const { resize, crop } = sizesOf(settings, axes, mismatch);
  const used: UsedPreprocess = {
    resize:
      resize !== null && 'cover' in resize ? { shortSide: Math.min(resize.cover.width, resize.cover.height) } : resize,
    kernel: settings.kernel ?? 'linear',
    crop,
    color: color ?? 'as stored',
    divide: settings.divide ?? 1,
    mean: perChannel(settings.mean ?? [0], 'mean', axes.channels, mismatch),
    std: perChannel(settings.std ?? [1], 'std', axes.channels, mismatch),
    layout: axes.layout,
    dtype: dataTypeName(input.dataType),
  };
  const plan = {
    ...axes,
    input,
    resize,
    crop,
    kernel: used.kernel,
    color: used.color,
    tables: used.mean.map((mean, c) => valueTable(used.divide, mean, used.std[c]!, input, mismatch)),
    settings: used,
  };
  return { ...plan, description: describe(plan, assumed.name, named === undefined) };
}

function axesOf(input: InputSpec, settings: Preprocess, stored = 3): ImageAxes | undefined {
  const { shape } = input;
  const size = (height: InputSpec['shape'][number], width: InputSpec['shape'][number]): Size | undefined =>
    typeof height === 'number' && typeof width === 'number' ? { width, height } : undefined;
  const wanted = settings.color === undefined ? undefined : settings.color === 'gray' ? 1 : 3;
  const isChannels = (dim: InputSpec['shape'][number]) => dim === 1 || dim === 3 || (dim === stored && dim <= 4);
  if (shape.length === 4) {
    const layout = settings.layout ?? (isChannels(shape[3]) && !isChannels(shape[1]) ? 'NHWC' : 'NCHW');
    const [channels, height, width] =
      layout === 'NCHW' ? [shape[1], shape[2], shape[3]] : [shape[3], shape[1], shape[2]];
    return {
      layout,
      batch: true,
      channels: typeof channels === 'number' ? channels : (wanted ?? stored),
      size: size(height, width),
    };
  }
  if (shape.length === 3) {
    const [first, second, third] = shape;
    if (first === 1 || typeof first !== 'number') {
      return { layout: 'NHW', batch: true, channels: 1, size: size(second, third) };
    }
    if (isChannels(first)) return { layout: 'NCHW', batch: false, channels: first, size: size(second, third) };
    if (isChannels(third)) {
      return { layout: 'NHWC', batch: false, channels: third as number, size: size(first, second) };
    }
  }
  if (shape.length === 2 && typeof shape[1] === 'number' && (shape[0] === 1 || typeof shape[0] !== 'number')) {
    for (const channels of wanted === undefined ? [1, 3] : [wanted]) {
      const side = Math.sqrt(shape[1] / channels);
      if (Number.isInteger(side)) return { layout: 'flat', batch: true, channels, size: { width: side, height: side } };
    }
  }
  return undefined;
}

function assumedPreprocess(input: InputSpec, stored?: number): NamedPreprocess {
  if (input.dataType === DataType.uint8) return preset('raw-0-255');
  if (input.dataType === DataType.int8) return { name: 'values less 128', settings: { mean: [128] } };
  const axes = axesOf(input, {}, stored);
  if (axes?.channels !== 3 || axes.layout === 'flat') return preset('scale-0-1');
  return preset(axes.layout === 'NCHW' ? 'imagenet-torch' : 'imagenet-tf');
}

type Mismatch = (what: string, hint: string) => EdgepackError;

function sizesOf(settings: Preprocess, axes: ImageAxes, mismatch: Mismatch): Pick<ImagePlan, 'resize' | 'crop'> {
  const { size } = axes;
  const square = settings.crop;
  const crop =
    square === undefined ? (size ?? null) : typeof square === 'number' ? { width: square, height: square } : square;
  const made = crop ?? (settings.resize != null && 'width' in settings.resize ? settings.resize : undefined);
  if (size !== undefined && made !== undefined && (made.width !== size.width || made.height !== size.height)) {
    throw mismatch(
      `makes images of ${made.width}x${made.height}`,
      'leave crop and resize out, or fit them to the model',
    );
  }
  if (settings.resize !== undefined) return { resize: settings.resize, crop };
  if (crop === null) return { resize: size ?? null, crop };
  // 256 for 224, as most ImageNet models are evaluated; thumbnails (CIFAR, digits) fill the input.
  const margin = Math.min(crop.width, crop.height) >= 128 ? 256 / 224 : 1;
  return {
    resize: { cover: { width: Math.ceil(crop.width * margin), height: Math.ceil(crop.height * margin) } },
    crop,
  };
}

function perChannel(values: readonly number[], key: string, channels: number, mismatch: Mismatch): number[] {
  if (values.length === 1) return new Array(channels).fill(values[0]!);
  if (values.length === channels) return [...values];
  throw mismatch(
    `${key} has ${values.length} numbers`,
    `give ${key} one number, or one for each of ${channels} channels`,
  );
}

/** `(v / divide - mean) / std`, every step rounded to float32, for v in 0..255. */
function valueTable(divide: number, mean: number, std: number, input: InputSpec, mismatch: Mismatch): ElementArray {
  const f = Math.fround;
  const values = Float32Array.from({ length: 256 }, (_, v) => f(f(f(v / f(divide)) - f(mean)) / f(std)));
  if (input.dataType === DataType.float32) return values;
  if (input.dataType === DataType.float64) return Float64Array.from(values);
  if (input.dataType === DataType.float16) return Uint16Array.from(values, numberToFloat16);
  if (input.dataType === DataType.bfloat16) return Uint16Array.from(values, numberToBfloat16);
  const table = input.dataType === DataType.uint8 ? Uint8Array.from(values) : Int8Array.from(values);
  if (values.some((value, v) => table[v] !== value)) {
    throw mismatch('makes values that are no integers of that type', 'use raw-0-255, or a mean of 128 for int8');
  }
  return table;
}

function describe(plan: Omit<ImagePlan, 'description'>, name: string, assumed: boolean): string {
  const { resize, crop, settings, size } = plan;
  const parts: string[] = [plan.color];
  if (resize !== null && 'cover' in resize) {
    const { width, height } = resize.cover;
    const target = width === height ? `short side to ${width}` : `cover ${width}x${height}`;
    parts.push(`images of another size: ${target} (${plan.kernel})`);
  } else if (resize !== null && 'shortSide' in resize) {
    parts.push(`short side to ${resize.shortSide} (${plan.kernel})`);
  } else if (resize !== null) {
    parts.push(`resize to ${resize.width}x${resize.height} (${plan.kernel})`);
  }
  if (crop !== null) parts.push(`centre crop ${crop.width}x${crop.height}`);
  if (crop === null && resize === null) parts.push(size === undefined ? 'any size' : 'size as stored');
  const same = (values: readonly number[]) => (new Set(values).size === 1 ? values[0] : `[${values.join(', ')}]`);
  parts.push(`(v / ${settings.divide} - ${same(settings.mean)}) / ${same(settings.std)}`);
  parts.push(`${settings.layout} ${settings.dtype}`);
  return `${assumed ? `no preprocess given, assumed ${name}` : name}: ${parts.join(', ')}`;
}
