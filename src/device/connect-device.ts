import { createReadStream, statSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { type Logger, silentLogger } from '../diagnostics/logger.ts';
import { type Engine, engineOn } from '../runtime/engine.ts';
import type { Machine } from '../runtime/machine.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import { addressText, parseDeviceAddress } from './device-address.ts';
import { DeviceConnection } from './device-connection.ts';
import { DeviceEngine } from './device-engine.ts';
import { type DeviceFolder, deviceRuntime, requireComplete } from './device-runtime.ts';
import { fetchNode, NODE_BYTES, NODE_PROGRAM, nodeFolder } from './node-package.ts';
import { type DeviceProbe, parseProbe } from './parse-probe.ts';
import { cleanScript, installScript, probeScript } from './remote-scripts.ts';
import { runRemote } from './run-remote.ts';
import type { SshTarget } from './ssh-command.ts';
import { tarArchive } from './tar-archive.ts';

export interface DeviceOptions {
  /** `ssh://[user@]host[:port]`. */
  readonly device: string;
  /** Another configuration of OpenSSH than the user's. */
  readonly sshConfig?: string | undefined;
  readonly logger?: Logger;
  readonly signal?: AbortSignal | undefined;
  /** How long nothing may come from the device. Default 30 s. */
  readonly silenceMs?: number;
  /** The built package whose agent is copied. Default: this one. */
  readonly builtFolder?: string;
}

/** A device that is connected. */
export interface Device extends Machine {
  readonly address: string;
  /** Ends what runs there and removes what belongs to this run. */
  close(): Promise<void>;
}

const SILENCE_MS = 30_000;

/**
 * Connects to a device with the OpenSSH client of this host, copies what it lacks to run models, and starts its agent.
 * @throws EdgepackError `usage`, `device-unreachable`, `device-unverified`, `device-unsuitable` or `device-failed`.
 */
export async function connectDevice(options: DeviceOptions): Promise<Device> {
  const { logger = silentLogger, signal, silenceMs = SILENCE_MS, builtFolder } = options;
  const target = targetOf(options);
  const runtimes = { arm64: deviceRuntime('arm64', builtFolder), x64: deviceRuntime('x64', builtFolder) };
  const known = (['arm64', 'x64'] as const).flatMap((name) => [runtimes[name].id, nodeFolder(name).id]);
  const address = addressText(target.address);
  const probe = parseProbe(
    await runRemote(target, { script: probeScript, parameters: known, silenceMs, signal }),
    address,
  );
  const { architecture } = probe;
  const install = (what: string, folder: DeviceFolder, sizeBytes: number, open: OpenInput) =>
    installFolder(target, { what, folder, sizeBytes, open, logger, signal, silenceMs });
  let node = probe.nodePath;
  if (node === undefined) {
    const folder = nodeFolder(architecture);
    if (!probe.has.has(folder.id)) await installNode(probe, install, { logger, signal });
    node = `${folder.id}/${NODE_PROGRAM}`;
  }
  const runtime = runtimes[architecture];
  requireComplete(runtime, architecture);
  if (!probe.has.has(runtime.id)) {
    requireSpace(probe, runtime.sizeBytes);
    await install('ONNX Runtime', runtime, runtime.sizeBytes, (onRead) =>
      pipeline(Readable.from(tarArchive(runtime.files, onRead)), createGzip(), () => {}),
    );
  }
  signal?.throwIfAborted();
  const connection = new DeviceConnection(target, runtime.id, node, silenceMs);
  const abort = () => void connection.close();
  signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    signal?.removeEventListener('abort', abort);
    await connection.close();
  };
  try {
    const { description, nodeVersion } = await connection.request('describe', {});
    const engines = new WeakMap<Engine, number>();
    return {
      description,
      nodeVersion,
      address,
      async startEngine() {
        const { engineId, version, processId } = await connection.request('startEngine', {});
        const engine = engineOn(new DeviceEngine(connection, engineId, processId), version);
        engines.set(engine, engineId);
        return engine;
      },
      state: async (engine) => connection.request('state', { engineId: engines.get(engine) ?? 0 }),
      close,
    };
  } catch (error) {
    await close();
    signal?.throwIfAborted();
    throw error;
  }
}

/** Removes all that edgepack keeps on a device. @returns false where a run is under way there, and nothing is removed. */
export async function cleanDevice(options: DeviceOptions): Promise<boolean> {
  const { silenceMs = SILENCE_MS, signal } = options;
  return (await runRemote(targetOf(options), { script: cleanScript, silenceMs, signal })).trim() === 'cleaned';
}

function targetOf({ device, sshConfig }: DeviceOptions): SshTarget {
  return { address: parseDeviceAddress(device), configPath: sshConfig };
}

/** Opens what is copied and tells how many of its bytes have been read. */
type OpenInput = (onRead: (bytes: number) => void) => Readable;
type Install = (what: string, folder: DeviceFolder, sizeBytes: number, open: OpenInput) => Promise<void>;

async function installNode(
  probe: DeviceProbe,
  install: Install,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { address, architecture } = probe;
  requireSpace(probe, NODE_BYTES);
  logger.info(`${address} has no Node.js 20 or newer: fetching one for it with npm`);
  const scratch = new TemporaryFolder();
  try {
    const path = await fetchNode(architecture, scratch.path, signal);
    await install('Node.js', nodeFolder(architecture), statSync(path).size, (onRead) =>
      createReadStream(path).on('data', ({ length }) => onRead(length)),
    );
  } finally {
    scratch.remove();
  }
}

function requireSpace({ address, freeBytes }: DeviceProbe, sizeBytes: number): void {
  if (freeBytes === undefined || freeBytes > sizeBytes) return;
  const [free, needed] = [freeBytes, sizeBytes].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`);
  throw new EdgepackError(
    'device-unsuitable',
    `${address}: ${free} are free for ~/.cache/edgepack, ${needed} are needed`,
    {
      hint: 'Free some space there',
    },
  );
}

interface InstallOptions {
  readonly what: string;
  readonly folder: DeviceFolder;
  readonly sizeBytes: number;
  readonly open: OpenInput;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  readonly silenceMs: number;
}

async function installFolder(target: SshTarget, options: InstallOptions): Promise<void> {
  const { what, folder, sizeBytes, open, logger, signal, silenceMs } = options;
  const progress = logger.progress(`Copying ${what} to the device, bytes`, sizeBytes);
  let readBytes = 0;
  const input = open((bytes) => {
    readBytes += bytes;
    progress.update(Math.min(readBytes, sizeBytes));
  });
  try {
    await runRemote(target, {
      script: installScript,
      parameters: [folder.id, String(Math.ceil((1.5 * silenceMs) / 1000)), ...folder.entries.flat()],
      input,
      silenceMs,
      signal,
    });
  } finally {
    progress.done();
  }
}
