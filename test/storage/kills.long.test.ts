import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtProgram } from '../built-program.ts';
import { type KillPlan, killManners, leftoversOf, type RunEnd, randomOf, runAndKill, stateOf } from './kill-runs.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const model = join(project, 'fixtures', 'digits-dense.onnx');
const stem = 'digits-dense';
const count = Number(process.env.EDGEPACK_KILLS ?? 12);
const firstSeed = Number(process.env.EDGEPACK_KILL_SEED ?? 1);

let root: string;
let program: string;
let env: NodeJS.ProcessEnv;
/** Hashes of the two sets of outputs that runs alternate between. */
const sets: Record<string, readonly string[]> = {};
let usualMs = 0;

const optionsOf = { a: [], b: ['--sparsity', '0.5'] } as const;
type SetName = keyof typeof optionsOf;

function commandFor(set: SetName, output: string): string[] {
  return [
    process.execPath,
    program,
    'compress',
    model,
    '--threads',
    '1',
    '--allow-slower',
    '-q',
    '-f',
    '-o',
    output,
    ...optionsOf[set],
  ];
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'kills-'));
  program = builtProgram(join(root, 'program'));
  mkdirSync(join(root, 'tmp'));
  env = {
    ...process.env,
    TMPDIR: join(root, 'tmp'),
    TEMP: join(root, 'tmp'),
    TMP: join(root, 'tmp'),
  };
  for (const set of ['a', 'b'] as const) {
    const end = await runAndKill(commandFor(set, join(root, set)), env);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    sets[set] = [`${stem}.onnx`, `${stem}.epk`].map((name) =>
      createHash('sha256')
        .update(readFileSync(join(root, set, name)))
        .digest('hex'),
    );
    usualMs = end.durationMs;
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('runs that are killed', () => {
  test(`${count} of them, from seed ${firstSeed}: the set of one run, whole, and nothing else after the next`, async () => {
    const output = join(root, 'out');
    const begin = fileURLToPath(new URL('./begin-run.mjs', import.meta.url));
    const dist = pathToFileURL(join(root, 'program', 'dist')).href;
    const tally: Record<string, number> = {};
    let current: SetName = 'a';
    cpSync(join(root, 'a'), output, { recursive: true });
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const random = randomOf(seed);
      const label = `seed ${seed}`;
      const next: SetName = current === 'a' ? 'b' : 'a';
      const isFresh = random() < 0.2;
      if (isFresh) rmSync(output, { recursive: true, force: true });
      const before = isFresh ? 'none' : current;
      const signal = killManners[random() < 0.6 ? 0 : random() < 0.5 ? 1 : 2]!;
      // A half of the kills falls into the moment in which files are put in place.
      const isAimed = random() < 0.5;
      const pattern = random() < 0.5 ? /journal$/ : /report\.json\.edgepack.*\.new$/;
      const plan = isAimed
        ? { signal, onceSeen: { folder: output, pattern, thenMs: random() ** 3 * 2 } }
        : { signal, afterMs: random() * usualMs * 1.2 };
      const end = await runAndKill(commandFor(next, output), env, plan);
      const state = await stateOf(output, stem, sets);
      const key = `${signal}${isAimed ? ' aimed' : ''}: ${state === before ? 'old' : state === next ? 'new' : state}`;
      tally[key] = (tally[key] ?? 0) + 1;
      checkEnd(end, signal, label);
      const isPartial = state.startsWith('partial') && signal === 'SIGKILL' && !isFresh;
      if (isPartial) expect(state, label).not.toContain('report.json');
      else expect([before, next], `${label}, ${signal}`).toContain(state);
      if (signal !== 'SIGKILL' && end.signal === null) {
        expect(existsSync(output) ? leftoversOf(output, stem) : [], label).toEqual([]);
      }
      // The next run, as far as it has begun: a set that is whole, and nothing of the killed run is left.
      const begun = await runAndKill([process.execPath, begin, dist, output], env);
      expect(begun, label).toMatchObject({ code: 0, stderr: '' });
      const recovered = await stateOf(output, stem, sets);
      // A kill behind the journal leaves what the next run completes, be it that the old set is still whole.
      expect(signal === 'SIGKILL' && state !== 'none' ? [isPartial ? next : state, next] : [state], label).toContain(
        recovered,
      );
      expect(existsSync(output) ? leftoversOf(output, stem) : [], label).toEqual([]);
      expect(
        readdirSync(root)
          .filter((name) => name !== 'out')
          .sort(),
        label,
      ).toEqual(['a', 'b', 'program', 'tmp']);
      // The engine's process, which nobody killed, removes its own as soon as it finds itself alone.
      await expect
        .poll(() => readdirSync(join(root, 'tmp')).filter((name) => name.startsWith('edgepack-')), {
          message: label,
          timeout: 10_000,
        })
        .toEqual([]);
      if (recovered === next) current = next;
      if (recovered === 'none' || seed % 10 === 0) {
        const last = await runAndKill(commandFor(next, output), env);
        expect(last, label).toMatchObject({ code: 0, stderr: '' });
        expect(await stateOf(output, stem, sets), label).toBe(next);
        expect(leftoversOf(output, stem), label).toEqual([]);
        current = next;
      }
      console.log(`${label}: ${key}`);
    }
    console.log(tally);
  });

  test(`${count} of a program that does nothing but write a set`, async () => {
    const output = join(root, 'plain');
    const names = ['model.onnx', 'model.epk', 'report.md', 'report.json'];
    const module = pathToFileURL(join(root, 'program', 'dist', 'storage', 'output-set.js')).href;
    const writer = fileURLToPath(new URL('./write-set.mjs', import.meta.url));
    const write = (letter: string, plan?: KillPlan) =>
      runAndKill([process.execPath, writer, module, output, letter], env, plan);
    const found = () => {
      const letters = names.map((name) => {
        if (!existsSync(join(output, name))) return '-';
        const bytes = readFileSync(join(output, name), 'latin1');
        return bytes === bytes[0]!.repeat(200_000) ? bytes[0]! : '!';
      });
      return new Set(letters).size === 1 ? letters[0]! : letters.join('');
    };
    const { durationMs } = await write('a');
    let current = 'a';
    const tally: Record<string, number> = {};
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const random = randomOf(seed);
      const next = current === 'a' ? 'b' : 'a';
      const pattern = random() < 0.7 ? /journal$/ : /edgepack.*new$/;
      const aimed = { onceSeen: { folder: output, pattern, thenMs: random() ** 3 * 2 } };
      const plan = random() < 0.75 ? aimed : { afterMs: random() * durationMs };
      await write(next, { signal: 'SIGKILL', ...plan });
      const state = found();
      const kind = state === current ? 'old' : state === next ? 'new' : 'partial';
      tally[kind] = (tally[kind] ?? 0) + 1;
      expect(state, `seed ${seed}`).toMatch(/^(a|b|-|[a-]{3}-|[b-]{3}-)$/);
      // The next run, whatever it writes, finds a set that is whole.
      expect((await write(next)).stderr, `seed ${seed}`).toBe('');
      expect(found(), `seed ${seed}`).toBe(next);
      expect(readdirSync(output).sort(), `seed ${seed}`).toEqual([...names].sort());
      current = next;
    }
    rmSync(output, { recursive: true });
    console.log(tally);
  });

  test('temporary folders of a run that was killed go with the next run', async () => {
    const output = join(root, 'temporary');
    const ours = () => readdirSync(join(root, 'tmp')).filter((name) => name.startsWith('edgepack-'));
    const onceSeen = { folder: join(root, 'tmp'), pattern: /^edgepack-/, thenMs: 0 };
    const end = await runAndKill(commandFor('a', output), env, { signal: 'SIGKILL', onceSeen });
    expect(end.signal).toBe('SIGKILL');
    expect(ours()).not.toEqual([]);
    expect(await runAndKill(commandFor('a', output), env)).toMatchObject({ code: 0, stderr: '' });
    expect(ours()).toEqual([]);
    expect(await stateOf(output, stem, sets)).toBe('a');
    rmSync(output, { recursive: true });
  });

  test('a second Ctrl-C ends a run at once; what it leaves goes with the next run', async () => {
    const output = join(root, 'insisted');
    cpSync(join(root, 'a'), output, { recursive: true });
    for (const afterMs of [0.3, 0.5, 0.7].map((share) => share * usualMs)) {
      const end = await runAndKill(commandFor('b', output), env, { signal: 'SIGINT', afterMs, again: true });
      expect(end.code === 130 || end.signal === 'SIGINT' || end.code === 0).toBe(true);
      expect(end.durationMs).toBeLessThan(afterMs + 1500);
      expect(['a', 'b']).toContain(await stateOf(output, stem, sets));
    }
    expect(await runAndKill(commandFor('b', output), env)).toMatchObject({ code: 0, stderr: '' });
    expect(await stateOf(output, stem, sets)).toBe('b');
    expect(leftoversOf(output, stem)).toEqual([]);
    rmSync(output, { recursive: true });
  });

  test('two at once into one folder: one is refused in one line, the set is of the other', async () => {
    for (const output of [join(root, 'a'), join(root, 'fresh')]) {
      const ends = await Promise.all((['a', 'b'] as const).map((set) => runAndKill(commandFor(set, output), env)));
      expect(ends.map(({ code }) => code).sort()).toEqual([0, 2]);
      const refused = ends.find(({ code }) => code === 2)!;
      expect(refused.stderr).toMatch(/another edgepack run \(process \d+\) is writing into this folder/);
      expect(refused.stderr.trimEnd().split('\n')).toHaveLength(2);
      expect(await stateOf(output, stem, sets)).toBe(ends[0]!.code === 0 ? 'a' : 'b');
      expect(leftoversOf(output, stem)).toEqual([]);
    }
  });
});

function checkEnd({ code, signal, stderr }: RunEnd, sent: NodeJS.Signals, label: string): void {
  // A run that was done already, or that was killed before it listened, ended otherwise.
  if (code === 0 || signal === sent) return;
  expect(code, label).toBe(sent === 'SIGINT' ? 130 : 143);
  expect(stderr, label).toBe('interrupted\n');
}
