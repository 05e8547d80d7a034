import type { Logger } from '../diagnostics/logger.ts';
import { startEngine } from './engine.ts';
import { describeHost } from './host.ts';
import type { Machine } from './machine.ts';
import { machineState } from './machine-state.ts';

/** This host, as a machine to measure on. */
export function localMachine(logger: Logger): Machine {
  return {
    description: describeHost(),
    nodeVersion: process.versions.node,
    address: undefined,
    startEngine: () => startEngine({ logger }),
    state: async ({ processId }) => machineState(processId),
  };
}
