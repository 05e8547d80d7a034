import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import type { DeviceArchitecture } from './device-runtime.ts';

/** What a device is and has, as its shell told. */
export interface DeviceProbe {
  readonly address: string;
  readonly architecture: DeviceArchitecture;
  /** Of a Node.js that can run the agent. */
  readonly nodePath: string | undefined;
  /** The folders of ours that are there and intact. */
  readonly has: ReadonlySet<string>;
  readonly freeBytes: number | undefined;
}

const MIN_NODE_MAJOR = 20;

/**
 * Reads what the probe printed; what a login shell prints before it is left out.
 * @throws EdgepackError `device-unsuitable` where models cannot be run there, `device-failed` where the answer is none.
 */
export function parseProbe(text: string, address: string): DeviceProbe {
  const lines = text.split(/\r?\n/);
  const start = lines.lastIndexOf('edgepack-probe 1');
  const own = start < 0 ? [] : lines.slice(start + 1);
  if (!own.includes('end') && !own.includes('unwritable')) {
    throw new EdgepackError('device-failed', `${address}: its shell does not answer as it should`, {
      hint: 'Check that "ssh" runs commands there, such as "ssh <host> uname -a"',
    });
  }
  const all = (key: string) =>
    own.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const unsuitable = (reason: string, hint: string) =>
    new EdgepackError('device-unsuitable', `${address}: ${reason}`, { hint });
  const [system = ''] = all('system');
  if (system !== 'Linux') {
    throw unsuitable(`runs ${printable(system, 40) || 'an unknown system'}`, 'devices are measured that run Linux');
  }
  const lacks = all('lacks').map((name) => printable(name, 20));
  if (lacks.length > 0) throw unsuitable(`lacks ${lacks.join(', ')}`, 'Install it, or BusyBox');
  if (own.includes('libc musl')) {
    throw unsuitable('its C library is musl', 'ONNX Runtime for Node.js needs a system with glibc, such as Debian');
  }
  const [machine = ''] = all('machine');
  const [bits = ''] = all('bits');
  const architecture = ({ aarch64: 'arm64', arm64: 'arm64', x86_64: 'x64' } as const)[machine];
  if (architecture === undefined || bits === '32') {
    const what = architecture === undefined ? printable(machine, 40) : `${printable(machine, 40)} with a 32-bit system`;
    throw unsuitable(
      `its architecture is ${what}`,
      'ONNX Runtime for Node.js comes for 64-bit ARM and x86: on a 64-bit board install a 64-bit system',
    );
  }
  if (own.includes('unwritable')) {
    throw unsuitable('the folder ~/.cache/edgepack cannot be made', 'Check whose it is, and whether the disk is full');
  }
  const node = all('node').find((line) => {
    const [, major, itsArchitecture] = /^(\d+)\.[^ /]*\/(\w+) \/./.exec(line) ?? [];
    return Number(major) >= MIN_NODE_MAJOR && itsArchitecture === architecture;
  });
  const free = Number(all('free')[0] ?? Number.NaN);
  return {
    address,
    architecture,
    nodePath: node?.slice(node.indexOf(' ') + 1),
    has: new Set(all('has')),
    freeBytes: Number.isFinite(free) ? free * 1024 : undefined,
  };
}
