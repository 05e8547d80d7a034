// Trains the two digit classifiers of fixtures/ and writes them with their data. Run after `npm run build`; a few minutes.
//   node scripts/train-digits/run.mjs [--output fixtures] [--only dense|conv]
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeNpz } from '../write-npz.mjs';
import { PIXELS, readDigits, SIDE, splitDigits } from './digits.mjs';
import { convNetwork, exportConv } from './digits-conv.mjs';
import { denseNetwork, exportDense } from './digits-dense.mjs';
import { randomSource } from './random.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values: options } = parseArgs({
  options: { output: { type: 'string', default: join(root, 'fixtures') }, only: { type: 'string' } },
});

const { training, heldOut } = splitDigits(readDigits(), 100, randomSource(1));
mkdirSync(options.output, { recursive: true });
console.log(`${training.length} digits to train on, ${heldOut.length} held out`);

writeNpz(join(options.output, 'digits.npz'), {
  image: {
    descr: '|u1',
    shape: [heldOut.length, 1, SIDE, SIDE],
    bytes: Buffer.concat(
      heldOut.map(({ pixels }) => pixels),
      heldOut.length * PIXELS,
    ),
  },
  labels: { descr: '|u1', shape: [heldOut.length], bytes: Buffer.from(heldOut.map(({ label }) => label)) },
});

const networks = [
  { name: 'dense', build: denseNetwork, write: exportDense, epochs: 50, learningRate: 1.5e-3 },
  { name: 'conv', build: convNetwork, write: exportConv, epochs: 24, learningRate: 2e-3 },
];
for (const { name, build, write, epochs, learningRate } of networks) {
  if (options.only !== undefined && options.only !== name) continue;
  const random = randomSource(2);
  const network = build(random);
  const start = performance.now();
  const onEpoch = (epoch) => {
    if ((epoch + 1) % 4 !== 0) return;
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`digits-${name}: epoch ${epoch + 1} of ${epochs}, ${seconds} s`);
  };
  network.train(training, { epochs, learningRate, random, onEpoch });
  const path = join(options.output, `digits-${name}.onnx`);
  const sizeBytes = write(network, path);
  const correct = network.countCorrect(heldOut);
  console.log(`${path}: ${sizeBytes} bytes, ${correct} of ${heldOut.length} held-out digits right`);
}
