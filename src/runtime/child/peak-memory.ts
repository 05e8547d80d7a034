import { readFileSync } from 'node:fs';

/**
 * The largest resident set of this process so far, in bytes. On Linux `VmHWM`, because the kernel's `ru_maxrss` begins
 * with the size of the process that started this one.
 */
export function peakMemoryBytes(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
