import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { CaseFolder, runCommand } from './command-run.ts';
import { expectOutcome } from './expect-outcome.ts';
import { findCases } from './find-cases.ts';
import { write as writeFiles } from './hostile-case.ts';
import { model, soundGraph } from './onnx-messages.ts';

/** What a sound model takes; hostile ones may take so much more, beside the size of their file. */
const idle = { toolBytes: 0, engineBytes: 0, cpuMs: 0 };
const ALLOWED_BYTES = 200 * 2 ** 20;
/** Time of the processor; a slow one is given as much longer as it needs for the sound model. */
const ALLOWED_MS = 2000;
const USUAL_MS = 1000;

const all = await findCases();
const isWhole = process.env.EDGEPACK_HOSTILE === 'all';
/** Every bomb, packed ones too; of what is refused in the fast tests by the same lines, some. EDGEPACK_HOSTILE=all runs all. */
const cases = all.filter(
  ({ name }, i) => isWhole || /^(bombs|loops|packed\/(zerosOf|fileOf|sectionOf|many))/.test(name) || i % 16 === 0,
);
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
  const folder = new CaseFolder();
  writeFiles(folder.path, { 'model.onnx': model(soundGraph()) });
  const sound = await runCommand(['compress', 'model.onnx'], folder.path, folder.temporary, 60_000);
  expect(sound.exitCode).toBe(0);
  Object.assign(idle, {
    toolBytes: sound.toolPeakBytes,
    engineBytes: sound.enginePeakBytes,
    cpuMs: sound.cpuMs,
  });
  folder.remove();
});
afterAll(() => engine.close());

/** The compressed model gives what the original gives, up to the rounding of int8 weights; NaN stays NaN. */
async function expectSameOutputs(folder: string): Promise<void> {
  const original = await engine.load(join(folder, 'model.onnx'));
  const compressed = await engine.load(join(folder, 'out', 'model.onnx'));
  const feeds = syntheticFeeds(original.inputs, 1);
  const [before, after] = [await original.run(feeds), await compressed.run(feeds)];
  expect(Object.keys(after)).toEqual(Object.keys(before));
  for (const [name, { dims, data }] of Object.entries(before)) {
    expect(after[name]!.dims).toEqual(dims);
    const numbers = Array.from(data, Number);
    const largest = Math.max(...numbers.map((number) => (Number.isFinite(number) ? Math.abs(number) : 0)));
    for (const [i, number] of numbers.entries()) {
      const other = Number(after[name]!.data[i]);
      if (Number.isFinite(number)) expect(Math.abs(other - number)).toBeLessThanOrEqual(0.05 * largest + 1e-30);
      else expect(other).toBe(number);
    }
  }
  await original.release();
  await compressed.release();
}

describe.skipIf(process.platform !== 'linux')('hostile files, through the built program', () => {
  test.each(cases.map((hostile) => [hostile.name, hostile] as const))('%s', async (_name, { write, commands }) => {
    const folder = new CaseFolder();
    try {
      write(folder.path);
      for (const command of commands.filter(({ rare }) => isWhole || rare !== true)) {
        const before = folder.snapshot();
        const slack = Math.max(1, idle.cpuMs / USUAL_MS);
        const limitMs = Math.max(ALLOWED_MS, (command.seconds ?? 0) * 1000) * slack;
        const result = await runCommand(command.args, folder.path, folder.temporary, 2 * limitMs);
        expectOutcome(command, result, before, folder);
        expect(result.cpuMs, command.args.join(' ')).toBeLessThan(limitMs);
        const fileBytes = folder.sizeBytes();
        expect(result.toolPeakBytes).toBeLessThan(idle.toolBytes + ALLOWED_BYTES + fileBytes);
        expect(result.enginePeakBytes).toBeLessThan(idle.engineBytes + ALLOWED_BYTES + fileBytes);
        if (command.check === 'same-outputs' && result.exitCode === 0 && !command.args.includes('--allow-links')) {
          await expectSameOutputs(folder.path);
        }
      }
    } finally {
      folder.remove();
    }
  });
});
