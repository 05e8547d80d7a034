/**
 * What the benchmark holds the recipes to. Accuracy is compared sample by sample: b samples right before and wrong after,
 * c the other way round; a loss within two standard errors of the bar is not told from it.
 */
const accuracyPoints = {
  efficientnet_lite0: 1,
  minilm_banking77: 1,
  resnet8_cifar10: 0.5,
  resnet20_cifar10: 0.5,
  mnist_cntk: 0.1,
  'digits-dense': 0.5,
  'digits-conv': 0.5,
};
/** How much smaller the default recipe's `.epk` is than the accurate one's, and on how many models of the zoo at least. */
const balancedShare = 0.85;
const balancedModels = 3;
/** `--max-accuracy-drop` where nobody gives one. */
const defaultLimitPoints = 1;
const convolutional = new Set(['efficientnet_lite0', 'resnet8_cifar10', 'resnet20_cifar10', 'mnist_cntk']);
const fasterThanFloat = new Set(['efficientnet_lite0', 'resnet20_cifar10']);
const smallModels = new Set(['resnet8_cifar10', 'mnist_cntk']);
const minimumAgreement = { minilm_banking77: 0.97 };
const maximumOnnxBytes = { resnet8_cifar10: 92_000 };

/**
 * The bars that apply to a row; `peer` is ONNX Runtime's min-max quantization of the same model in the same run, where it ran.
 * @returns {{ what: string, value: number, limit: number, holds: boolean }[]}
 */
export function barsFor(row, peer) {
  const bars = [];
  const atMost = (what, value, limit) => {
    if (value != null && limit != null) bars.push({ what, value, limit, relation: '<=', holds: value <= limit });
  };
  const atLeast = (what, value, limit) => {
    if (value != null && limit != null) bars.push({ what, value, limit, relation: '>=', holds: value >= limit });
  };
  atMost('.epk / xz -9e of the .onnx', ratio(row.epkBytes, row.onnxXzBytes), smallModels.has(row.model) ? 0.9 : 1);
  const lossBar = (points) => {
    const { b, c } = row.paired;
    const noise = (2 * Math.sqrt(b + c)) / row.evaluationSamples;
    atMost('accuracy lost, (b - c) / n', (b - c) / row.evaluationSamples, points / 100 + noise);
  };
  if (row.recipe === 'balanced') {
    if (row.paired != null) lossBar(defaultLimitPoints);
    if (row.model === 'efficientnet_lite0') atMost("seconds / peer's", ratio(row.seconds, peer?.seconds), 4);
  }
  if (row.recipe !== 'accurate') return bars;

  const points = accuracyPoints[row.model];
  if (row.paired != null && points !== undefined) lossBar(points + (row.target === 'generic-x64' ? 0.3 : 0));
  atLeast('agreement', row.exact?.agreement, minimumAgreement[row.model]);
  if (convolutional.has(row.model)) {
    atLeast('integer share, Conv', row.integerShare?.conv, 0.98);
    atLeast('integer share, Gemm', row.integerShare?.gemm, 0.98);
  }
  atMost('.onnx bytes', row.onnxBytes, maximumOnnxBytes[row.model]);
  if (fasterThanFloat.has(row.model)) atMost('latency / float', row.latency?.ratioToFloat, 1);
  if (peer !== undefined) {
    const ours = row.sameScript;
    if (minimumAgreement[row.model] === undefined)
      atLeast("agreement, peer's exact", ours?.exact.agree, peer.exact.agree);
    atLeast("SQNR dB, peer's exact", ours?.exact.sqnr_db, peer.exact.sqnr_db);
    atMost("latency / peer's int8", row.latency?.ratioToPeer, 1 / 0.95);
    if (row.model === 'efficientnet_lite0') {
      atMost("seconds / peer's", ratio(row.seconds, peer.seconds), 0.7);
      atMost("peak memory / peer's", ratio(row.peakMemoryMib, peer.peakMemoryMib), 1.3);
    }
  }
  return bars;
}

/** Fewer weights than this are coded before the compiler has warmed up. */
const minTimedWeightBytes = 1e6;

/** The bars of a file as .epk, from a row of epk.mjs. */
export function epkBars({ model, kind, epkBytes, xzBytes, speed }) {
  const bars = [];
  if (xzBytes != null) {
    const limit = kind === 'int8' && smallModels.has(model) ? 0.9 : 1;
    const value = epkBytes / xzBytes;
    bars.push({ what: '.epk / xz -9e of the .onnx', value, limit, relation: '<=', holds: value <= limit });
  }
  if (speed != null && speed.weightBytes >= minTimedWeightBytes) {
    const { encode, decode } = speed;
    bars.push({ what: 'weights, MB/s encoded', value: encode, limit: 40, relation: '>=', holds: encode >= 40 });
    bars.push({ what: 'weights, MB/s decoded', value: decode, limit: 100, relation: '>=', holds: decode >= 100 });
  }
  return bars;
}

/**
 * The bar over all models: on how many the default recipe's `.epk` is at least 15 % smaller than the accurate one's. None where
 * fewer models of the zoo were measured than the bar asks for.
 */
export function balancedBars(rows) {
  const of = (model, recipe) => rows.find((row) => row.model === model && row.recipe === recipe);
  const models = Object.keys(accuracyPoints).filter((model) => !model.startsWith('digits-'));
  const shares = models.map((model) => ratio(of(model, 'balanced')?.epkBytes, of(model, 'accurate')?.epkBytes));
  const measured = shares.filter((share) => share !== null);
  if (measured.length < balancedModels) return [];
  const value = measured.filter((share) => share <= balancedShare).length;
  const what = `models whose .epk is at least 15 % smaller than accurate's, of ${measured.length}`;
  return [{ what, value, limit: balancedModels, relation: '>=', holds: value >= balancedModels }];
}

export function ratio(a, b) {
  return a == null || b == null || b === 0 ? null : a / b;
}
