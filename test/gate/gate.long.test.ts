import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckItem } from '../../src/budget/check-schema.ts';
import { check } from '../../src/index.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { convolutions, damaged, digitsFile, grown, readDigits } from './regressions.ts';

/** `npm run test:gate` makes 20; each is a regression, or a repetition, of its own. */
const RUNS = Number(process.env.EDGEPACK_GATE_RUNS ?? 2);
const fixture = readFileSync(fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url)));
const runs = Array.from({ length: RUNS }, (_, i) => i + 1);
const digits = readDigits(300);

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-gate-'));
  engine = await startEngine();
  writeFileSync(file('main.onnx'), fixture);
  writeFileSync(file('digits.npz'), digitsFile(digits));
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Judges `bytes` against a baseline and tells how it went. */
async function gate(
  bytes: Uint8Array,
  baseline: string,
  budgets: Parameters<typeof check>[1]['budgets'],
  options: Partial<Parameters<typeof check>[1]> = {},
): Promise<{ status: string; items: readonly CheckItem[] }> {
  writeFileSync(file('now.onnx'), bytes);
  const result = await check(file('now.onnx'), { budgets, baseline: file(baseline), threads: 1, ...options });
  for (const { metric, outcome, message } of result.items) say(`    ${outcome}: ${metric}: ${message}`);
  return result;
}

const size = { size: { file: { maxIncrease: '0.5%' }, epk: { maxIncrease: '0.5%' } } };
const accuracy = { accuracy: { top1: { maxDrop: 0.5 } } };
const latency = { latency: { host: { maxIncrease: '5%' } } };
/** On a busy machine it takes longer until an interval decides. */
const maxSeconds = 120;
const data = () => ({ evaluation: file('digits.npz') });

describe(`the gate, in ${RUNS} of ${RUNS} runs`, () => {
  it('catches 1 % in size', async () => {
    for (const seed of runs) {
      const { status, items } = await gate(grown(fixture, 0.01, seed), 'main.onnx', size);
      expect([status, ...items.map(({ outcome }) => outcome)]).toEqual(['failed', 'failed', 'failed']);
      expect(items[0]!.responsible[0]!.name).toBe(`left_over_${seed}`);
    }
  });

  it('catches 1 point in accuracy', async () => {
    for (const seed of runs) {
      const { bytes, lostPoints } = await damaged(fixture, 1, seed, digits, engine);
      say(`  seed ${seed}: ${lostPoints.toFixed(2)} points lost`);
      expect(lostPoints).toBeLessThan(1.3);
      expect((await gate(bytes, 'main.onnx', accuracy, data())).status).toBe('failed');
    }
  });

  it('passes an unchanged model: size and accuracy', async () => {
    for (const _ of runs) {
      const { status, items } = await gate(fixture, 'main.onnx', { ...size, ...accuracy }, data());
      expect([status, ...items.map(({ outcome }) => outcome)]).toEqual(['passed', 'passed', 'passed', 'passed']);
    }
  });

  it('catches 10 % in latency', async () => {
    writeFileSync(file('layers.onnx'), convolutions(10));
    for (const seed of runs) {
      const { status, items } = await gate(convolutions(11), 'layers.onnx', latency, { seed, maxSeconds });
      expect([status, items[0]!.outcome]).toEqual(['failed', 'failed']);
    }
  });

  it('passes an unchanged model: latency', async () => {
    writeFileSync(file('layers.onnx'), convolutions(10));
    for (const seed of runs) {
      const { status, items } = await gate(convolutions(10), 'layers.onnx', latency, { seed, maxSeconds });
      expect([status, items[0]!.outcome]).toEqual(['passed', 'passed']);
    }
  });
});
