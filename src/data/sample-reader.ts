import type { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { DataType, dataTypeName } from '../tensor/data-type.ts';
import type { Feeds, NdArray } from '../tensor/nd-array.ts';
import { castElements } from './cast-elements.ts';
import { dataError, type SampleOrigin, sampleError } from './data-error.ts';
import { type ImagePlan, planImages, takesImages } from './image-plan.ts';
import { describeInput, describeShape, fitShape, type InputSpec } from './input-spec.ts';
import type { RawArray } from './npy-array.ts';
import type { Pixels } from './pixels.ts';
import type { NamedPreprocess } from './preprocess.ts';
import { renderImage } from './render-image.ts';

/** Turns stored arrays into feeds: 8-bit images by the preprocess settings, everything else by a checked cast. */
export class SampleReader {
  readonly #inputs: readonly InputSpec[];
  readonly #preprocess: NamedPreprocess | undefined;
  readonly #plans = new Map<string, ImagePlan>();

  constructor(inputs: readonly InputSpec[], preprocess: NamedPreprocess | undefined) {
    this.#inputs = inputs;
    this.#preprocess = preprocess;
  }

  /** How a sample such as this is read: by which plan, for inputs that take it as an image. */
  plansFor(sample: ReadonlyMap<string, RawArray>): ReadonlyMap<string, ImagePlan> {
    const plans = new Map<string, ImagePlan>();
    for (const input of this.#inputs) {
      const image = this.#asImage(input, sample.get(input.name)!);
      if (image !== undefined) plans.set(input.name, image.plan);
    }
    return plans;
  }

  feed(sample: ReadonlyMap<string, RawArray>, origin: SampleOrigin): Feeds {
    const feeds: Record<string, NdArray> = {};
    for (const input of this.#inputs) {
      const raw = sample.get(input.name)!;
      const image = this.#asImage(input, raw);
      feeds[input.name] = image === undefined ? fed(input, raw, origin) : renderImage(image.pixels, image.plan, origin);
    }
    checkSymbols(this.#inputs, feeds, origin);
    return feeds;
  }

  #asImage(input: InputSpec, raw: RawArray): { plan: ImagePlan; pixels: Pixels } | undefined {
    if (raw.dataType !== DataType.uint8 || !takesImages(input)) return undefined;
    const dims = raw.dims.length === 4 && raw.dims[0] === 1 ? raw.dims.slice(1) : raw.dims;
    const order = pixelOrder(dims, input);
    if (order !== undefined) {
      const plan = this.#plan(input, order.channels);
      return { plan, pixels: { ...order, data: order.planar ? interleaved(raw.bytes, order.channels) : raw.bytes } };
    }
    if (dims.length !== 1 || input.shape.length !== 2 || input.shape[1] !== dims[0] || this.#preprocess === undefined) {
      return undefined;
    }
    const plan = this.#plan(input, undefined);
    return plan.size === undefined
      ? undefined
      : { plan, pixels: { ...plan.size, channels: plan.channels, data: raw.bytes } };
  }

  #plan(input: InputSpec, channels: number | undefined): ImagePlan {
    const key = `${channels} ${input.name}`;
    const plan = this.#plans.get(key) ?? planImages(input, this.#preprocess, channels);
    this.#plans.set(key, plan);
    return plan;
  }
}

/** Where rows, columns and channels are in an 8-bit array; undefined where it does not look like an image. */
function pixelOrder(dims: readonly number[], input: InputSpec) {
  const [first = 0, second = 0, third] = dims;
  if (first * second * (third ?? 1) === 0) return undefined;
  if (dims.length === 2) return { height: first, width: second, channels: 1, planar: false };
  if (dims.length !== 3 || third === undefined) return undefined;
  const channels = input.shape.length === 4 ? [input.shape[1], input.shape[3]] : [];
  const isChannels = (dim: number) => dim === 1 || dim === 3 || channels.includes(dim);
  if (isChannels(third) && !(third !== 1 && third !== 3 && isChannels(first))) {
    return { height: first, width: second, channels: third, planar: false };
  }
  return isChannels(first) ? { height: second, width: third, channels: first, planar: true } : undefined;
}

function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  const result = new Uint8Array(planes.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) result[i * channels + c] = planes[c * area + i]!;
  }
  return result;
}

function fed(input: InputSpec, raw: RawArray, origin: SampleOrigin): NdArray {
  const name = printable(input.name);
  const dims = fitShape(input, raw.dims, origin.index === undefined);
  if (dims === undefined) {
    const [batch] = input.shape;
    const fixed =
      typeof batch === 'number' && batch > 1 && fitShape({ ...input, shape: [1, ...input.shape.slice(1)] }, raw.dims);
    throw sampleError(
      origin,
      `is ${dataTypeName(raw.dataType)} ${describeShape(raw.dims)}, which does not fit input '${name}' of ${describeInput(input)}`,
      fixed
        ? `the model takes ${batch} samples at a time; export it with a symbolic batch dimension or a batch of 1`
        : wrongShapeHint(input, raw),
    );
  }
  const data = castElements(raw, input.dataType);
  if (typeof data === 'string') {
    throw sampleError(
      origin,
      `does not go into input '${name}' of ${describeInput(input)}: ${data}`,
      'fix or convert the array, e.g. array.astype(...)',
    );
  }
  return { dataType: input.dataType, dims, data };
}

function wrongShapeHint(input: InputSpec, raw: RawArray): string {
  if (raw.dims.length === input.shape.length && fitShape(input, raw.dims, true) !== undefined) {
    return 'give a folder with one file per sample: then the first dimension may be of any size';
  }
  return 'store the samples along the first axis, each in the shape of the input; 8-bit images may be height x width x channels';
}

/** Names that exporters give to every dimension they know nothing of: they do not say that sizes are the same. */
const UNNAMED = /^[?*_.-]*$|^(unk|unknown|none|null|dynamic)$/i;

/** Dimensions of the same name must have the same size in every input. */
function checkSymbols(inputs: readonly InputSpec[], feeds: Feeds, origin: SampleOrigin): void {
  const seen = new Map<string, { size: number; input: string }>();
  for (const input of inputs) {
    input.shape.forEach((dim, axis) => {
      if (typeof dim !== 'string' || UNNAMED.test(dim)) return;
      const size = feeds[input.name]!.dims[axis]!;
      const other = seen.get(dim);
      if (other === undefined) seen.set(dim, { size, input: input.name });
      else if (other.size !== size) {
        throw sampleError(
          origin,
          `has ${printable(dim)} = ${other.size} in '${printable(other.input)}' but ${size} in '${printable(input.name)}'`,
          'store both inputs in the same length',
        );
      }
    });
  }
}

/** A preprocess setting that nothing could be applied to is a mistake, not a detail. */
export function preprocessUnused(preprocess: NamedPreprocess, file: string, stored: RawArray): EdgepackError {
  return dataError(
    'data-mismatch',
    file,
    `holds ${dataTypeName(stored.dataType)} ${describeShape(stored.dims)} samples, to which ${preprocess.name} does not apply: it is for 8-bit images`,
    'leave --preprocess out, or store the images as uint8',
  );
}
