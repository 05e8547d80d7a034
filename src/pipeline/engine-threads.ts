import { describeHost, type HostDescription } from '../runtime/host.ts';
import type { Target } from '../targets/target-schema.ts';

/** Threads of the engine: as asked for, otherwise those of the target, as far as the machine has cores for them. */
export function engineThreads(
  asked: number | undefined,
  target: Target,
  { logicalCores }: Pick<HostDescription, 'logicalCores'> = describeHost(),
): number {
  return asked ?? Math.max(1, Math.min(target.threads, logicalCores));
}
