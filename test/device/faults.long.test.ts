import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDevice, type DeviceOptions } from '../../src/device/connect-device.ts';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { syntheticFeeds } from '../../src/evaluation/synthetic-feeds.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { seededRandom } from '../../src/runtime/seeded-random.ts';
import type { Feeds } from '../../src/tensor/nd-array.ts';
import { buildPackage } from './build-package.ts';
import { FaultProxy, type LinkFault } from './fault-proxy.ts';
import { hasSshServer, SshServer } from './ssh-server.ts';

const COUNT = Number(process.env.EDGEPACK_SSH_FAULTS ?? 17);
const SEED = Number(process.env.EDGEPACK_SSH_FAULT_SEED ?? 1);
/** How long nothing may come: longer than this machine keeps a process waiting when it is busy. */
const SILENCE_MS = 10_000;
/** A fault is told within this time, whatever it is. */
const LONGEST_MS = 120_000;
/** By then a device has noticed as well. */
const CLEAN_MS = 6 * SILENCE_MS;

const model = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));

const kinds = [
  'cut',
  'cut',
  'stall',
  'corrupt',
  'slow',
  'kill agent',
  'kill engine',
  'kill connection',
  'kill shell',
  'full disk',
  'changed host key',
  'unknown host key',
  'refused key',
  'damaged cache',
  'leftovers',
  'chatty shell',
  'interrupt',
] as const;
type Kind = (typeof kinds)[number];

const expectedCodes: Readonly<Record<Kind, readonly string[]>> = {
  cut: ['device-failed', 'device-unreachable', 'device-unsuitable'],
  stall: ['device-failed', 'device-unreachable', 'device-unsuitable'],
  corrupt: ['device-failed', 'device-unreachable', 'device-unsuitable'],
  slow: [],
  'kill agent': ['device-failed', 'device-unreachable'],
  'kill engine': ['engine-failed'],
  'kill connection': ['device-failed', 'device-unreachable', 'device-unsuitable'],
  'kill shell': ['device-failed', 'device-unreachable', 'device-unsuitable'],
  'full disk': ['device-unsuitable'],
  'changed host key': ['device-unverified'],
  'unknown host key': ['device-unverified'],
  'refused key': ['device-unreachable'],
  'damaged cache': [],
  leftovers: [],
  'chatty shell': [],
  interrupt: ['aborted'],
};
/** Whether a disk of some bytes can be had. */
const canMount = (() => {
  if (!hasSshServer || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'edgepack-test', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();
/** What has to fail, however it comes. */
const alwaysFails: readonly Kind[] = ['changed host key', 'unknown host key', 'refused key'];

describe.skipIf(!hasSshServer)(`${COUNT} faults of devices over ssh, seed ${SEED}`, () => {
  let server: SshServer;
  let built: string;
  let expected: Feeds;
  let feeds: Feeds;
  let struck = 0;

  beforeAll(async () => {
    built = await buildPackage();
    server = await SshServer.start();
    const engine = await startEngine();
    const session = await engine.load(model);
    feeds = syntheticFeeds(session.inputs, 5, {});
    expected = await session.run(feeds);
    await engine.close();
  });
  afterAll(async () => {
    await server?.stop();
    if (built !== undefined) rmSync(built, { recursive: true, force: true });
  });

  const cases = Array.from({ length: COUNT }, (_, i) => ({ i, kind: kinds[(i + SEED) % kinds.length]! })).filter(
    ({ kind }) => canMount || kind !== 'full disk',
  );

  it.each(cases)('$i: $kind', async ({ i, kind }) => {
    const random = seededRandom(SEED * 100_003 + i);
    const started = performance.now();
    // Now and then all has to be copied anew.
    const isCold = i === 0 || random() < 0.15;
    if (isCold) rmSync(server.edgepackFolder, { recursive: true, force: true });
    else if (random() < 0.4) rmSync(join(server.edgepackFolder, 'models'), { recursive: true, force: true });
    const { outcome, undo } = await runCase(kind, random, isCold);
    const elapsedMs = performance.now() - started;
    const clean = await waitForClean();
    await undo();
    expect(elapsedMs).toBeLessThan(LONGEST_MS);
    if (alwaysFails.includes(kind)) expect(expectedCodes[kind]).toContain(outcome);
    else expect(['right', ...expectedCodes[kind]]).toContain(outcome);
    expect(clean).toEqual({ processes: [], leftovers: [] });
    if (process.env.EDGEPACK_SSH_FAULTS !== undefined) {
      console.log(`${i} ${kind}${isCold ? ', cold' : ''}: ${outcome}, ${(elapsedMs / 1000).toFixed(1)} s`);
    }
  });

  it('broke links as well', () => {
    expect(struck).toBeGreaterThan(0);
  });

  async function runCase(kind: Kind, random: () => number, isCold: boolean) {
    const undo: (() => unknown)[] = [];
    const abort = new AbortController();
    let device = server.device();
    let sshConfig = server.clientConfig;
    const within = (low: number, high: number) => Math.floor(low * (high / low) ** random());
    const later = (action: () => void, ms = within(50, 4000)) => {
      const timer = setTimeout(action, ms);
      undo.push(() => clearTimeout(timer));
    };
    /** Kills what runs on "the device" and looks like this, as soon as it is there, and a moment later. */
    const killSoon = (like: RegExp) => {
      const pause = within(1, 1500);
      const timer = setInterval(() => {
        // One of them: a shell that waits beside another has the same words.
        const found = server
          .remoteProcesses()
          .filter(({ command }) => like.test(command))
          .slice(0, 1);
        if (found.length === 0) return;
        clearInterval(timer);
        later(() => {
          for (const { id } of found) attempt(() => process.kill(id, 'SIGKILL'));
        }, pause);
      }, 100);
      undo.push(() => clearInterval(timer));
    };
    switch (kind) {
      case 'cut':
      case 'stall':
      case 'corrupt':
      case 'slow': {
        const fault: LinkFault = {
          kind,
          direction: random() < 0.5 ? 'up' : 'down',
          afterBytes: within(20, kind === 'slow' ? 2000 : isCold ? 2e7 : 50_000),
          connection: Math.floor(random() * (isCold ? 3 : 2)),
          bytesPerSecond: isCold ? within(4e6, 3e7) : within(30_000, 3_000_000),
        };
        const proxy = await FaultProxy.start(server.port, fault);
        undo.push(() => {
          if (proxy.hasStruck) struck++;
          return proxy.stop();
        });
        device = server.device(proxy.port);
        break;
      }
      case 'kill agent':
        killSoon(/^\S*node \S*device\/agent\/main\.js/);
        break;
      case 'kill engine':
        // Not the shell that copies it there: that names it as well.
        killSoon(/^\S*node .*runtime\/child\/main\.js/s);
        break;
      case 'kill shell':
        killSoon(random() < 0.7 ? /^sh -c .*device\/agent\/main\.js/s : /^sh -c /);
        break;
      case 'kill connection':
        later(() => {
          const listed = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
          const own = sessionsOf(listed, server.remoteProcesses());
          for (const id of own) attempt(() => process.kill(id, 'SIGKILL'));
        });
        break;
      case 'full disk': {
        rmSync(server.edgepackFolder, { recursive: true, force: true });
        const size = within(20_000, 120_000_000);
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'edgepack-test', server.cacheHome]);
        undo.push(() => execFileSync('umount', ['-l', server.cacheHome]));
        break;
      }
      case 'changed host key':
        server.knowHost('stranger.pub');
        undo.push(() => server.knowHost('host.pub'));
        break;
      case 'unknown host key':
        server.knowHost(undefined);
        undo.push(() => server.knowHost('host.pub'));
        break;
      case 'refused key':
        sshConfig = server.configWith('stranger.conf', [`IdentityFile ${server.path('stranger')}`]);
        writeFileSync(
          sshConfig,
          readFileSync(sshConfig, 'utf8').replace(`IdentityFile ${server.path('client')}\n`, ''),
        );
        break;
      case 'damaged cache':
        damageOneFile(server.edgepackFolder, random);
        break;
      case 'leftovers': {
        const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
        for (const name of [`runs/${dead}.abcdef`, `new-${dead}.part`]) {
          mkdirSync(join(server.edgepackFolder, name), { recursive: true });
        }
        break;
      }
      case 'chatty shell':
        writeFileSync(join(server.home, '.bashrc'), 'echo "Welcome! edgepack-probe 1"; printf "\\001\\377\\n"\n');
        undo.push(() => rmSync(join(server.home, '.bashrc')));
        break;
      case 'interrupt':
        later(() => abort.abort(new Error('aborted')));
        break;
    }
    const outcome = await measure({
      device,
      sshConfig,
      silenceMs: SILENCE_MS,
      builtFolder: built,
      signal: abort.signal,
    });
    return {
      outcome,
      undo: async () => {
        for (const action of undo) await action();
      },
    };
  }

  /** Runs and times the model: `right`, or the code of the error. */
  async function measure(options: DeviceOptions): Promise<string> {
    try {
      const machine = await connectDevice(options);
      try {
        const engine = await machine.startEngine();
        const session = await engine.load(model);
        expect(await session.run(feeds)).toEqual(expected);
        const { candidates, orders } = await engine.measureLatency([{ label: 'model', session, feeds }], {
          rounds: 8,
          turnMs: 5,
          signal: options.signal,
        });
        expect(orders).toHaveLength(8);
        const runs = new Set(candidates[0]!.roundsMs.map(({ length }) => length));
        expect(candidates[0]!.roundsMs).toHaveLength(8);
        expect(runs.size).toBe(1);
        for (const ms of candidates[0]!.roundsMs.flatMap((round) => Array.from(round))) {
          expect(ms).toBeGreaterThan(0.001);
          expect(ms).toBeLessThan(5000);
        }
        expect((await machine.state(engine)).load.logicalCores).toBe(machine.description.logicalCores);
        await engine.close();
      } finally {
        await machine.close();
      }
      return 'right';
    } catch (error) {
      if (error === options.signal?.reason) return 'aborted';
      if (error instanceof EdgepackError) {
        expect(error.message).not.toMatch(/\n/);
        return options.signal?.aborted === true ? 'aborted' : error.code;
      }
      throw error;
    }
  }

  async function waitForClean() {
    const end = performance.now() + CLEAN_MS;
    for (;;) {
      const state = { processes: server.remoteProcesses(), leftovers: server.leftovers() };
      if ((state.processes.length === 0 && state.leftovers.length === 0) || performance.now() > end) return state;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});

/** The processes of the ssh server that serve these: their parents that are called sshd. */
function sessionsOf(listed: string, remote: readonly { readonly id: number }[]): number[] {
  const parents = new Set<number>();
  for (const { id } of remote) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'latin1');
      parents.add(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended.
    }
  }
  return [...parents].filter((id) => new RegExp(`^ *${id} sshd: `, 'm').test(listed));
}

function damageOneFile(folder: string, random: () => number): void {
  if (!existsSync(folder)) return;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size > 0)
    .sort();
  const path = files[Math.floor(random() * files.length)];
  if (path === undefined) return;
  const bytes = readFileSync(path);
  bytes[Math.floor(random() * bytes.length)]! ^= 1;
  writeFileSync(path, bytes);
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It has ended.
  }
}
