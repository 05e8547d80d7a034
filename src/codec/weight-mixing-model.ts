import type { BinaryCoder } from './binary-coder.ts';
import type { BlockLayout } from './block-layout.ts';
import { distribution, exp2, gaussian, laplacian, log2, prepareLogistic, squash, stretchTable } from './logistic.ts';
import { RecursiveLeastSquares } from './recursive-least-squares.ts';

const contexts = 3;
const inputs = 4 + contexts;
const scaleFeatures = 6;
/** Larger ones are treated as rows without structure. */
const maxKernelSize = 64;
/** Running means begin at this absolute value. */
const firstScale = 20;

/** A mean of absolute values that starts from a prior worth `weight` samples. */
function levelOf(sum: number, count: number, prior: number, weight: number): number {
  return log2((sum + weight * prior) / (count + weight));
}

/**
 * A context-mixing model of matrices of 8-bit weights. Each weight is predicted from its neighbours in the kernel, in the row and in the
 * row above (recursive least squares), its spread from the spreads of its row, column, channel, kernel position and neighbourhood; Gauss
 * and Laplace distributions around that and adaptive counts are mixed bit by bit. Slow and strong: for the tensors of small models.
 */
export class WeightMixingModel {
  readonly #probability = new Uint16Array(contexts * 16 * 256);
  readonly #seen = new Uint16Array(contexts * 16 * 256);
  readonly #input = new Float64Array(inputs);
  readonly #slot = new Int32Array(contexts);
  readonly #weightsByBit = new Float64Array(64 * inputs).fill(0.2);
  readonly #weightsByScale = new Float64Array(16 * inputs).fill(0.2);

  constructor() {
    prepareLogistic();
  }

  /** Codes a matrix of bytes: an encoder gives the bytes, a decoder an array that is filled. */
  code(coder: BinaryCoder, matrix: Uint8Array, layout: BlockLayout): void {
    const { rows, columns } = layout;
    const isKernel = layout.kernelSize <= maxKernelSize;
    const kernelSize = isKernel ? layout.kernelSize : 1;
    const kernelWidth = isKernel ? layout.kernelWidth : 1;
    const flip = layout.kind === 'signed' ? 128 : 0;
    const values = new Int16Array(matrix.length);
    const neighbours = kernelNeighbours(kernelSize, kernelWidth);
    const predictors = neighbours.map((list) => new RecursiveLeastSquares(list.length + 3));
    const around = new Float64Array(Math.max(...neighbours.map((list) => list.length)) + 3);
    const columnSum = new Float64Array(columns);
    const channelSum = new Float64Array(columns / kernelSize);
    const placeSum = new Float64Array(kernelSize);
    const placeCount = new Float64Array(kernelSize);
    const features = new Float64Array(scaleFeatures);
    const trust = Float64Array.of(0, 0.5, 0.5, 0.2, 0.1, 0.1);
    let allSum = firstScale;
    let allCount = 1;
    for (let row = 0, i = 0; row < rows; row++) {
      let rowSum = 0;
      for (let column = 0; column < columns; column++, i++) {
        const place = column % kernelSize;
        const channel = (column - place) / kernelSize;
        // Spread: the mean of all, corrected by how row, column, channel, place and neighbourhood differ from it.
        const mean = allSum / allCount;
        const level = log2(mean);
        let nearSum = 0;
        let nearCount = 0;
        for (let back = 1; back <= 4 && back <= column; back++) {
          nearSum += Math.abs(values[i - back]!) / back;
          nearCount += 1 / back;
        }
        const rowLevel = levelOf(rowSum, column, mean, 3);
        features[0] = 1;
        features[1] = rowLevel - level;
        features[2] = levelOf(columnSum[column]!, row, mean, 4) - level;
        features[3] = levelOf(channelSum[channel]!, row * kernelSize + place, mean, 3) - level;
        features[4] = levelOf(placeSum[place]!, placeCount[place]!, mean, 3) - level;
        features[5] = levelOf(nearSum, nearCount, mean, 2) - level;
        let scaleLevel = level;
        for (let k = 0; k < scaleFeatures; k++) scaleLevel += trust[k]! * features[k]!;
        scaleLevel = Math.max(-1.5, Math.min(7.2, scaleLevel));
        const scale = exp2(scaleLevel);
        // Centre.
        const list = neighbours[place]!;
        const predictor = predictors[place]!;
        let n = 0;
        for (; n < list.length; n++) around[n] = values[i - list[n]!]! / scale;
        around[n++] = channel > 0 ? values[i - kernelSize]! / scale : 0;
        around[n++] = row > 0 ? values[i - columns]! / scale : 0;
        around[n] = channel > 1 ? values[i - 2 * kernelSize]! / scale : 0;
        const predicted = predictor.predict(around) * scale;
        const centre = Number.isFinite(predicted) ? Math.max(-127, Math.min(127, predicted)) : 0;

        const symbol = this.#codeSymbol(coder, matrix[i]! ^ flip, centre, scale, scaleLevel, exp2(rowLevel));
        matrix[i] = symbol ^ flip;
        const value = symbol - 128;
        values[i] = value;
        const error = (value - centre) / scale;
        predictor.update(around, Math.max(-4, Math.min(4, error)));
        const size = Math.abs(value - centre);
        const surprise = Math.max(-1, Math.min(1.5, size / scale - 1));
        for (let k = 0; k < scaleFeatures; k++) trust[k] = trust[k]! + 0.003 * surprise * features[k]!;
        rowSum += size;
        columnSum[column] = columnSum[column]! + size;
        channelSum[channel] = channelSum[channel]! + size;
        placeSum[place] = placeSum[place]! + size;
        placeCount[place] = placeCount[place]! + 1;
        allSum += size;
        if (++allCount > 4000) {
          allSum *= 0.5;
          allCount *= 0.5;
        }
        // Means stay positive, so that their logarithms exist, however many zeros come.
        if (allSum < 0.01 * allCount) allSum = 0.01 * allCount;
      }
    }
  }

  #codeSymbol(
    coder: BinaryCoder,
    wanted: number,
    centre: number,
    scale: number,
    scaleLevel: number,
    rowScale: number,
  ): number {
    const input = this.#input;
    const slots = this.#slot;
    const probability = this.#probability;
    const byBit = this.#weightsByBit;
    const byScale = this.#weightsByScale;
    const scaleClass = Math.max(0, Math.min(15, Math.round(scaleLevel * 2.1)));
    const centreClass = Math.max(0, Math.min(15, Math.round((centre / scale) * 4) + 8));
    const offCentre = Math.min(7, Math.floor(Math.abs(centre / scale) * 6));
    const scaleSet = scaleClass * inputs;
    const origin = 128.5 + centre;
    const narrow = 1 / scale;
    const byRow = 1 / rowScale;
    // Distribution functions at the lower and upper end of what is still possible.
    let laplaceLow = 0;
    let laplaceHigh = 1;
    let gaussLow = 0;
    let gaussHigh = 1;
    let rowLow = 0;
    let rowHigh = 1;
    let node = 1;
    let low = 0;
    for (let shift = 7; shift >= 0; shift--) {
      const middle = low + (1 << shift);
      const x = middle - origin;
      const laplaceMiddle = distribution(laplacian, x * narrow);
      const gaussMiddle = distribution(gaussian, x * narrow);
      const rowMiddle = distribution(gaussian, x * byRow);
      const pLaplace = (laplaceHigh - laplaceMiddle + 1e-7) / (laplaceHigh - laplaceLow + 2e-7);
      const pGauss = (gaussHigh - gaussMiddle + 1e-7) / (gaussHigh - gaussLow + 2e-7);
      const pRow = (rowHigh - rowMiddle + 1e-7) / (rowHigh - rowLow + 2e-7);
      input[0] = stretchTable[(pLaplace * 4095.99) | 0]!;
      input[1] = stretchTable[(pGauss * 4095.99) | 0]!;
      input[2] = stretchTable[(pRow * 4095.99) | 0]!;
      input[3] = 0.3;
      slots[0] = node;
      slots[1] = ((16 + scaleClass) << 8) | node;
      slots[2] = ((32 + centreClass) << 8) | node;
      for (let k = 0; k < contexts; k++) {
        const slot = slots[k]!;
        if (this.#seen[slot] === 0) {
          probability[slot] = Math.max(64, Math.min(65472, Math.floor((pLaplace + pGauss) * 32768)));
        }
        input[4 + k] = stretchTable[probability[slot]! >>> 4]!;
      }
      const bitSet = ((7 - shift) * 8 + offCentre) * inputs;
      let dotBit = 0;
      let dotScale = 0;
      for (let k = 0; k < inputs; k++) {
        dotBit += byBit[bitSet + k]! * input[k]!;
        dotScale += byScale[scaleSet + k]! * input[k]!;
      }
      const p = Math.max(4, Math.min(65532, Math.floor(squash((dotBit + dotScale) / 2) * 65536)));
      const bit = coder.code((wanted >>> shift) & 1, p);
      const errorBit = (bit - squash(dotBit)) * 0.006;
      const errorScale = (bit - squash(dotScale)) * 0.006;
      for (let k = 0; k < inputs; k++) {
        byBit[bitSet + k] = byBit[bitSet + k]! + errorBit * input[k]!;
        byScale[scaleSet + k] = byScale[scaleSet + k]! + errorScale * input[k]!;
      }
      const target = bit ? 65472 : 64;
      for (let k = 0; k < contexts; k++) {
        const slot = slots[k]!;
        const seen = this.#seen[slot]!;
        probability[slot] = probability[slot]! + Math.trunc((target - probability[slot]!) / (seen + 4));
        if (seen < 400) this.#seen[slot] = seen + 1;
      }
      node = (node << 1) | bit;
      if (bit) {
        low = middle;
        laplaceLow = laplaceMiddle;
        gaussLow = gaussMiddle;
        rowLow = rowMiddle;
      } else {
        laplaceHigh = laplaceMiddle;
        gaussHigh = gaussMiddle;
        rowHigh = rowMiddle;
      }
    }
    return node & 255;
  }
}

/** For each place of a kernel, how far back the nearest earlier places of the same kernel lie (at most 10). */
function kernelNeighbours(kernelSize: number, kernelWidth: number): number[][] {
  return Array.from({ length: kernelSize }, (_, place) => {
    const x = place % kernelWidth;
    const y = (place - x) / kernelWidth;
    const found: { back: number; distance: number }[] = [];
    for (let other = Math.max(0, place - 5 * kernelWidth); other < place; other++) {
      const dx = (other % kernelWidth) - x;
      const dy = Math.floor(other / kernelWidth) - y;
      found.push({ back: place - other, distance: dx * dx + dy * dy });
    }
    found.sort((a, b) => a.distance - b.distance || a.back - b.back);
    return found.slice(0, 10).map((neighbour) => neighbour.back);
  });
}
