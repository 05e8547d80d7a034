import { loadavg, platform } from 'node:os';
import { readBoardState } from './board-state.ts';
import { markLoad, readCpuFrequency } from './host-load.ts';
import type { MachineState } from './machine.ts';

/** The state of the machine this runs on. */
export function machineState(engineProcessId: number): MachineState {
  return {
    frequency: readCpuFrequency(),
    board: readBoardState(),
    loadAverage: platform() === 'win32' ? undefined : loadavg()[0],
    load: markLoad(engineProcessId),
  };
}
