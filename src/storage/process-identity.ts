import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that temporary files and locks belong to. A number alone is not enough: the system gives it again. */
export interface ProcessIdentity {
  /** Of the machine, or of the container, within which process numbers are unique: 8 hexadecimal digits. */
  readonly host: string;
  readonly processId: number;
  /** Of the boot and the moment the process was started: 8 hexadecimal digits; zeros where the system does not tell. */
  readonly start: string;
}

const UNKNOWN_START = '00000000';

let own: ProcessIdentity | undefined;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    host: shortHash(`${hostname()} ${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`),
    processId: process.pid,
    start: startOf(process.pid) ?? UNKNOWN_START,
  };
  return own;
}

/** As it stands in file names; {@link parseIdentity} reads it. */
export function identityText({ host, processId, start }: ProcessIdentity = ownIdentity()): string {
  return `${host}-${processId}-${start}`;
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  const parts = /^([0-9a-f]{8})-([1-9]\d{0,9})-([0-9a-f]{8})$/.exec(text);
  return parts === null ? undefined : { host: parts[1]!, processId: Number(parts[2]), start: parts[3]! };
}

/** Whether the process still runs; undefined for one of another host, which cannot be seen from here. */
export function isAlive({ host, processId, start }: ProcessIdentity): boolean | undefined {
  if (host !== ownIdentity().host) return undefined;
  if (processId === process.pid) return start === ownIdentity().start;
  try {
    process.kill(processId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(processId);
  return now === undefined || start === UNKNOWN_START || now === start;
}

/** What tells a process from a later one of the same number: Linux by /proc, other Unix by `ps`, Windows not at all. */
function startOf(processId: number): string | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(processId)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    const text = stdout?.trim() ?? '';
    return text === '' ? undefined : shortHash(text);
  }
  return attempt(() => {
    const status = readFileSync(`/proc/${processId}/stat`, 'latin1');
    // The name of the program, in parentheses, may hold spaces; the start time is field 22, so the 20th after the name.
    const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
    return shortHash(`${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')} ${ticks}`);
  });
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
