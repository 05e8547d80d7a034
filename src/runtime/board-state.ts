import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a board tells of its heat and power. `undefined` means not known, never fine. */
export interface BoardState {
  readonly temperatureC: number | undefined;
  /** What slows a Raspberry Pi down, as its firmware tells; undefined elsewhere. */
  readonly throttling: Throttling | undefined;
}

export interface Throttling {
  readonly now: readonly ThrottlingCause[];
  readonly sinceBoot: readonly ThrottlingCause[];
}

/** In the order of the bits of `vcgencmd get_throttled`: 0 to 3 for now, 16 to 19 for since boot. */
const causes = ['under-voltage', 'frequency-capped', 'throttled', 'soft-temperature-limit'] as const;
export type ThrottlingCause = (typeof causes)[number];

const THERMAL = '/sys/class/thermal';
/** Names of the zones that are the processor's, the best first; boards without one of these have their first zone read. */
const cpuZones = [/^cpu[-_]?thermal/i, /^x86_pkg_temp$/, /cpu/i, /soc/i];
/** The driver of the Raspberry Pi's firmware has the same number. */
const FIRMWARE = '/sys/devices/platform/soc/soc:firmware/get_throttled';

/** Reads `throttled=0x50005` of `vcgencmd get_throttled`, or the driver's bare hexadecimal number. */
export function parseThrottling(text: string): Throttling | undefined {
  const digits = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})\s*$/i.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  const bits = Number.parseInt(digits, 16);
  const at = (first: number) => causes.filter((_, i) => (bits >>> (first + i)) & 1);
  return { now: at(0), sinceBoot: at(16) };
}

/** Never fails: what cannot be found out is undefined. */
export function readBoardState(): BoardState {
  return { temperatureC: readTemperature(), throttling: readThrottling() };
}

function readTemperature(): number | undefined {
  return attempt(() => {
    const zones = readdirSync(THERMAL)
      .filter((name) => /^thermal_zone\d+$/.test(name))
      .sort((a, b) => Number(a.slice(12)) - Number(b.slice(12)))
      .map((name) => ({ name, type: readFileSync(`${THERMAL}/${name}/type`, 'utf8').trim() }));
    const zone = cpuZones.map((like) => zones.find(({ type }) => like.test(type))).find(Boolean) ?? zones[0];
    if (zone === undefined) return undefined;
    const degrees = Number(readFileSync(`${THERMAL}/${zone.name}/temp`, 'utf8')) / 1000;
    return degrees > -60 && degrees < 200 ? degrees : undefined;
  });
}

function readThrottling(): Throttling | undefined {
  const fromDriver = attempt(() => parseThrottling(readFileSync(FIRMWARE, 'utf8')));
  if (fromDriver !== undefined || process.platform !== 'linux') return fromDriver;
  return attempt(() => {
    const printed = execFileSync('vcgencmd', ['get_throttled'], {
      encoding: 'utf8',
      timeout: 2000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return parseThrottling(printed);
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
