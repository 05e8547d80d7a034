import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileLayer } from '../../src/storage/file-layer.ts';
import { OutputSet } from '../../src/storage/output-set.ts';
import { identityText } from '../../src/storage/process-identity.ts';

const names = ['model.onnx', 'data/model.data', 'report.md', 'report.json'];
const seal = 'report.json';

let root: string;
let out: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'output-set-'));
  out = join(root, 'out');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function writeOld(): void {
  for (const name of names) {
    mkdirSync(join(out, 'data'), { recursive: true });
    writeFileSync(join(out, name), `old ${name}`);
  }
}

function writeNew(files?: FileLayer): void {
  const set = new OutputSet(out, files);
  try {
    for (const name of names) set.add(name, [Buffer.from('new '), Buffer.from(name)]);
    set.commit({ force: true });
  } finally {
    set.close();
  }
}

/** 'old' or 'new' for a whole set; otherwise what is there. */
function stateOf(): string {
  const found = names.map((name) => {
    try {
      const text = readFileSync(join(out, name), 'utf8');
      return text === `old ${name}` ? 'old' : text === `new ${name}` ? 'new' : `broken ${text}`;
    } catch {
      return 'none';
    }
  });
  return new Set(found).size === 1 ? found[0]! : found.join(' ');
}

/** Everything below the root that is not an output. */
function leftovers(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split('\\').join('/'))
    .filter((name) => !['out', 'out/data', ...names.map((output) => `out/${output}`)].includes(name));
}

/** The disk without flushing, which takes longer than all the rest; what it is for, no test can see. */
const unflushed: FileLayer = { ...fs, fsyncSync: () => undefined };

const changing = ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'linkSync', 'mkdirSync', 'renameSync', 'rmSync'];

class Killed extends Error {}

/**
 * The disk, on which the n-th changing call fails: `full` once, `fullForGood` and all after it, `killed` as if the process
 * were no more: nothing after it has an effect.
 */
function failingAt(n: number, manner: 'full' | 'fullForGood' | 'killed') {
  let calls = 0;
  const files: Record<string, unknown> = { ...fs };
  for (const name of changing) {
    files[name] = (...args: unknown[]) => {
      calls++;
      if (calls === n && manner === 'killed' && name === 'writeSync') {
        // Half of the piece arrives.
        const piece = args[1] as Uint8Array;
        fs.writeSync(args[0] as number, piece, 0, piece.byteLength >> 1);
      }
      if (calls === n || (calls > n && manner === 'killed')) {
        throw manner === 'killed' ? new Killed() : Object.assign(new Error('full'), { code: 'ENOSPC' });
      }
      const frees = name === 'rmSync' || name === 'closeSync' || name === 'renameSync';
      if (calls > n && manner === 'fullForGood' && !frees) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return (unflushed as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args);
    };
  }
  return { files: files as FileLayer, count: () => calls };
}

function asOfDeadProcess(): void {
  // What was "killed" bears the identity of this process, which lives: give it that of one that ended.
  const dead = identityText().replace(/-\d+-/, `-${deadProcessId}-`);
  const rename = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) rename(path);
      else if (/lock$|journal$/.test(entry.name)) {
        writeFileSync(path, readFileSync(path, 'utf8').replace(identityText(), dead));
      }
      fs.renameSync(path, join(folder, entry.name.replace(identityText(), dead)));
    }
  };
  rename(root);
}
const deadProcessId = spawnSync(process.execPath, ['-e', '']).pid;

describe.each([
  ['over an old set', true],
  ['into a new folder', false],
])('%s', (_, hasOld) => {
  const before = hasOld ? 'old' : 'none';

  test('the new set is there, and nothing else', () => {
    if (hasOld) writeOld();
    writeNew();
    expect(stateOf()).toBe('new');
    expect(leftovers()).toEqual([]);
  });

  test.each(['full', 'fullForGood'] as const)('an error at any call (%s): old or new, whole, at once', (manner) => {
    const seen = new Set<string>();
    for (let n = 1; ; n++) {
      rmSync(out, { recursive: true, force: true });
      if (hasOld) writeOld();
      const { files, count } = failingAt(n, manner);
      let error: unknown;
      try {
        writeNew(files);
      } catch (caught) {
        error = caught;
      }
      if (count() < n) break;
      const state = stateOf();
      seen.add(state);
      if (error === undefined) expect(state, `call ${n}`).toBe('new');
      else expect(error).toMatchObject({ code: 'output-unwritable' });
      expect([before, 'new'], `call ${n}`).toContain(state);
      asOfDeadProcess();
      writeNew(unflushed);
      expect(stateOf()).toBe('new');
      expect(leftovers(), `call ${n}`).toEqual([]);
    }
    expect([...seen].sort()).toEqual([before, 'new'].sort());
  });

  test('a kill at any call: never a mix; whole where the seal is; whole for the next run, which leaves nothing', () => {
    const states = new Set<string>();
    for (let n = 1; ; n++) {
      rmSync(out, { recursive: true, force: true });
      if (hasOld) writeOld();
      const { files, count } = failingAt(n, 'killed');
      try {
        writeNew(files);
      } catch (error) {
        expect(error).toBeInstanceOf(Killed);
      }
      if (count() < n) break;
      const state = stateOf();
      states.add(state);
      expect(state.includes('old') && state.includes('new'), `call ${n}: ${state}`).toBe(false);
      expect(state).not.toContain('broken');
      if (!hasOld || existsSync(join(out, seal))) expect([before, 'new'], `call ${n}`).toContain(state);
      asOfDeadProcess();
      // Opening it is enough to make it whole.
      const next = new OutputSet(out, unflushed);
      expect([before, 'new'], `call ${n}, recovered`).toContain(stateOf());
      next.close();
      writeNew(unflushed);
      expect(stateOf()).toBe('new');
      expect(leftovers(), `call ${n}`).toEqual([]);
    }
    expect(states).toContain(before);
    expect(states).toContain('new');
    expect(states.size).toBeGreaterThanOrEqual(hasOld ? 8 : 2);
  });
});

describe('two runs', () => {
  test.each([true, false])('the second is refused in one line (folder exists: %s)', (hasOld) => {
    if (hasOld) writeOld();
    const first = new OutputSet(out);
    expect(() => new OutputSet(out)).toThrow(
      expect.objectContaining({
        code: 'output-busy',
        message: `another edgepack run (process ${process.pid}) is writing into this folder`,
      }),
    );
    first.add(seal, [Buffer.from('new')]);
    first.commit({ force: true });
    first.close();
    new OutputSet(out).close();
  });

  test('a lock of a process whose number lives on in another is stale, one of another host is not', () => {
    writeOld();
    const lock = join(out, '.edgepack-lock');
    const [host, , start] = identityText().split('-');
    writeFileSync(lock, `${host}-${process.pid}-${start === '00000001' ? '00000002' : '00000001'} 0\n`);
    new OutputSet(out).close();
    writeFileSync(lock, `00000000-${process.pid}-${start} 0\n`);
    expect(() => new OutputSet(out)).toThrow(/of another host/);
    const longAgo = new Date(Date.now() - 11 * 60_000);
    fs.utimesSync(lock, longAgo, longAgo);
    new OutputSet(out).close();
    expect(leftovers()).toEqual([]);
  });

  test('a run that lost its lock does not commit', () => {
    writeOld();
    const set = new OutputSet(out);
    set.add(seal, [Buffer.from('new')]);
    writeFileSync(join(out, '.edgepack-lock'), 'somebody else');
    expect(() => set.commit({ force: true })).toThrow(expect.objectContaining({ code: 'output-busy' }));
    set.close();
    expect(stateOf()).toBe('old');
  });
});

describe('refused', () => {
  test('existing files without force', () => {
    writeOld();
    const set = new OutputSet(out);
    set.add(seal, [Buffer.from('new')]);
    expect(() => set.commit()).toThrow(expect.objectContaining({ code: 'output-exists' }));
    set.close();
    expect(stateOf()).toBe('old');
    expect(leftovers()).toEqual([]);
  });

  test('a folder in the place of a file', () => {
    mkdirSync(join(out, seal), { recursive: true });
    const set = new OutputSet(out);
    set.add(seal, [Buffer.from('new')]);
    expect(() => set.commit({ force: true })).toThrow(/EISDIR/);
    set.close();
    expect(readdirSync(out)).toEqual([seal]);
  });

  test('a journal that names files outside of the folder', () => {
    writeOld();
    writeFileSync(join(root, 'secret'), 'x');
    const id = 'edgepack-00000000-1-00000000-000000000000';
    const sha256 = createHash('sha256').update('x').digest('hex');
    const file = { name: '../secret', sizeBytes: 1, sha256, replaces: true };
    writeFileSync(join(out, '.edgepack-journal'), JSON.stringify({ version: 1, id, files: [file] }));
    expect(() => new OutputSet(out)).toThrow(/journal/);
    expect(readFileSync(join(root, 'secret'), 'utf8')).toBe('x');
  });

  test('a folder that was made meanwhile, as for a cache, takes the set as any other folder does', () => {
    const set = new OutputSet(out);
    for (const name of names) set.add(name, [Buffer.from(`new ${name}`)]);
    mkdirSync(join(out, 'cache'), { recursive: true });
    set.commit();
    set.close();
    expect(stateOf()).toBe('new');
    expect(leftovers()).toEqual(['out/cache']);
  });

  test('what somebody put into a folder that was made meanwhile is not overwritten', () => {
    const set = new OutputSet(out);
    for (const name of names) set.add(name, [Buffer.from(`new ${name}`)]);
    writeOld();
    expect(() => set.commit()).toThrow('is already there');
    set.close();
    expect(stateOf()).toBe('old');
    expect(leftovers()).toEqual([]);
  });

  test('folders that had to be made go again when nothing is written', () => {
    new OutputSet(join(root, 'a', 'b', 'out')).close();
    expect(readdirSync(root)).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('on file systems of their own', () => {
  function withMount(options: string, action: () => void): void {
    mkdirSync(out, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', out]).status !== 0) return;
    try {
      action();
    } finally {
      spawnSync('umount', ['-l', out]);
    }
  }

  test('full at any byte', () => {
    withMount('size=64k', () => {
      for (let ballastKiB = 24; ballastKiB <= 64; ballastKiB += 4) {
        writeOld();
        try {
          writeFileSync(join(out, 'ballast'), new Uint8Array(ballastKiB * 1024));
        } catch {
          // As much as there is room for.
        }
        let failed = false;
        try {
          writeNew();
        } catch (error) {
          expect(error).toMatchObject({ code: 'output-unwritable', message: 'cannot be written (ENOSPC)' });
          failed = true;
        }
        expect(stateOf()).toBe(failed ? 'old' : 'new');
        expect(failed || ballastKiB < 60).toBe(true);
        expect(leftovers()).toEqual(['out/ballast']);
      }
    });
  });

  test('read-only', () => {
    withMount('size=64k', () => {
      writeOld();
      expect(spawnSync('mount', ['-o', 'remount,ro', out]).status).toBe(0);
      expect(() => writeNew()).toThrow(expect.objectContaining({ message: 'cannot be written (EROFS)' }));
      expect(stateOf()).toBe('old');
    });
  });
});
