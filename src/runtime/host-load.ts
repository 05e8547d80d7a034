import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Where the time of this host's cores has gone since it started, in milliseconds over all cores. */
export interface CpuTimes {
  readonly totalMs: number;
  readonly busyMs: number;
  /** Taken by the hypervisor for other guests; undefined where the system does not say. */
  readonly stealMs: number | undefined;
}

/** A moment: two of them tell what went on in between. */
export interface LoadMark {
  readonly cpu: CpuTimes | undefined;
  readonly logicalCores: number;
  /** Processor time of this process and of the engine's; undefined where not known. */
  readonly ownMs: number | undefined;
}

/** What went on beside the measurement. `undefined` means not known. */
export interface HostLoad {
  /** Cores that other processes kept busy on average; may count the system's work for ours. */
  readonly otherBusyCores: number | undefined;
  /** Share of all processor time that the hypervisor gave to other guests, in [0, 1]. */
  readonly stealShare: number | undefined;
}

export interface CpuFrequency {
  /** Linux' frequency governor, such as `performance` or `ondemand`. */
  readonly governor: string | undefined;
  /** Of the first core, at the moment. */
  readonly currentMhz: number | undefined;
  readonly maxMhz: number | undefined;
}

/** Linux counts in hundredths of a second here, on every architecture it shares with Node.js. */
const MS_PER_TICK = 10;

/** Reads the first line of Linux' `/proc/stat`. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const fields = /^cpu +([\d ]+)$/m.exec(text)?.[1]?.trim().split(/ +/).map(Number);
  if (fields === undefined || fields.length < 8) return undefined;
  // user nice system idle iowait irq softirq steal; guest time is in user already.
  const total = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  const [idle, waiting, steal] = [fields[3]!, fields[4]!, fields[7]!];
  return {
    totalMs: total * MS_PER_TICK,
    busyMs: (total - idle - waiting - steal) * MS_PER_TICK,
    stealMs: steal * MS_PER_TICK,
  };
}

/** Processor time of a process from Linux' `/proc/<pid>/stat`; the name in parentheses may hold anything. */
export function parseProcessMs(text: string): number | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks * MS_PER_TICK : undefined;
}

/** Marks the moment. Never fails: what cannot be found out is undefined. */
export function markLoad(engineProcessId: number): LoadMark {
  const engineMs = readParsed(`/proc/${engineProcessId}/stat`, parseProcessMs);
  const { user, system } = process.cpuUsage();
  return {
    cpu: readParsed('/proc/stat', parseCpuTimes) ?? portableCpuTimes(),
    logicalCores: cpus().length,
    ownMs: engineMs === undefined ? undefined : engineMs + (user + system) / 1000,
  };
}

/** What went on between two moments. */
export function loadBetween(before: LoadMark, after: LoadMark): HostLoad {
  if (before.cpu === undefined || after.cpu === undefined) return { otherBusyCores: undefined, stealShare: undefined };
  const totalMs = after.cpu.totalMs - before.cpu.totalMs;
  if (!(totalMs > 0)) return { otherBusyCores: undefined, stealShare: undefined };
  const wallMs = totalMs / after.logicalCores;
  const stealMs = (after.cpu.stealMs ?? Number.NaN) - (before.cpu.stealMs ?? Number.NaN);
  const ownMs = (after.ownMs ?? Number.NaN) - (before.ownMs ?? Number.NaN);
  const otherMs = after.cpu.busyMs - before.cpu.busyMs - ownMs;
  return {
    otherBusyCores: Number.isNaN(otherMs) ? undefined : Math.max(0, otherMs / wallMs),
    stealShare: Number.isNaN(stealMs) ? undefined : Math.max(0, Math.min(1, stealMs / totalMs)),
  };
}

/** Frequency and governor of the first core, as far as the system tells. */
export function readCpuFrequency(): CpuFrequency {
  const folder = '/sys/devices/system/cpu/cpu0/cpufreq';
  const mhz = (name: string) =>
    readParsed(`${folder}/${name}`, (text) => {
      const khz = Number(text);
      return khz > 0 ? khz / 1000 : undefined;
    });
  return {
    governor: readParsed(`${folder}/scaling_governor`, (text) => text.trim() || undefined),
    currentMhz: mhz('scaling_cur_freq') ?? readParsed('/proc/cpuinfo', currentMhzOf),
    maxMhz: mhz('cpuinfo_max_freq'),
  };
}

function currentMhzOf(text: string): number | undefined {
  const mhz = Number(/^cpu MHz\s*:\s*([\d.]+)$/m.exec(text)?.[1]);
  return mhz > 0 ? mhz : undefined;
}

function portableCpuTimes(): CpuTimes | undefined {
  const times = cpus().map((cpu) => cpu.times);
  if (times.length === 0) return undefined;
  const sum = (pick: (time: (typeof times)[number]) => number) => times.reduce((total, time) => total + pick(time), 0);
  const busyMs = sum(({ user, nice, sys, irq }) => user + nice + sys + irq);
  return { totalMs: busyMs + sum(({ idle }) => idle), busyMs, stealMs: undefined };
}

function readParsed<T>(path: string, parse: (text: string) => T | undefined): T | undefined {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
