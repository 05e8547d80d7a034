import { printable } from '../diagnostics/printable.ts';
import type { Machine } from '../runtime/machine.ts';
import type { Target } from '../targets/target-schema.ts';
import type { Warning } from './run-steps.ts';

/** Told where a machine cannot be the target's: it runs other code. */
export function otherArchitecture(
  { architecture }: Pick<Machine['description'], 'architecture'>,
  target: Target,
): string | undefined {
  if (architecture === target.architecture) return undefined;
  return `it runs ${printable(architecture, 20)} code, and ${target.displayName} ${target.architecture}`;
}

/** Told of a device that is not what it is measured for. */
export function otherDeviceWarnings(machine: Machine, target: Target): Warning[] {
  const other = otherArchitecture(machine.description, target);
  if (other === undefined) return [];
  const message = `${machine.address} is not a ${target.displayName}: ${other}; what is measured there is not its latency`;
  return [{ code: 'other-device', message }];
}
