import type { Model } from '../ir/model.ts';
import { placeQuantization } from '../passes/quantize/placement.ts';
import { storageChoices } from '../passes/quantize/storage-choices.ts';
import { storedWeights } from '../passes/quantize/stored-weights.ts';

/** What the weights of a float model take in an `.epk` once they are int8, about: their entropy, from an even selection. */
export function codedWeightBytes(model: Model): number {
  const weights = storedWeights(placeQuantization(model));
  return weights.reduce((sum, { tensor, layout }) => {
    const [plain] = storageChoices(tensor.toFloat32(), layout, { prunable: false, wideSteps: false });
    return sum + plain!.bits / 8;
  }, 0);
}
