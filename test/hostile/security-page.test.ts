import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultLimits } from '../../src/pipeline/engine-limits.ts';
import { graphLimits } from '../../src/pipeline/refuse-large-graph.ts';

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
const mib = (bytes: number) => `${bytes / 2 ** 20} MiB`;

test.each([
  `| inputs | ${mib(defaultLimits.inputBytes)} |`,
  `| ${mib(defaultLimits.constantBytes)} + ${defaultLimits.liveBytesPerFileByte} × the file |`,
  `| ${mib(defaultLimits.liveBytes)} + ${defaultLimits.liveBytesPerInputByte} × the inputs + ${defaultLimits.liveBytesPerFileByte} × the file |`,
  `| inner values of a whole run | ${mib(defaultLimits.activationBytes)} |`,
  `| ${defaultLimits.macs.toExponential(0)} |`,
  `| ${defaultLimits.loopedNodes.toExponential(0)} |`,
  `${mib(defaultLimits.engineBytes)} + ${defaultLimits.engineBytesPerFileByte} × the file + ${defaultLimits.engineBytesPerActivationByte} × the inner values`,
  `${defaultLimits.loopSeconds} s of the processor and 1 s more for each ${defaultLimits.loopMacsPerSecond.toExponential(0)} multiply-accumulates`,
  `calls functions of its own may take ${defaultLimits.functionSeconds} s instead of ${defaultLimits.loopSeconds} s`,
  `may have ${graphLimits.nodesWithoutWeights} nodes and one more for each ${graphLimits.weightBytesPerNode} bytes of weights up to ${graphLimits.nodes} nodes`,
  `and ${graphLimits.readersOfOneValue} readers of one value`,
  `one name may have ${graphLimits.nameLength} characters and all of them together ${graphLimits.namesLength}`,
])('docs/security.md says what the code does: %s', (text) => {
  expect(page).toContain(text);
});
