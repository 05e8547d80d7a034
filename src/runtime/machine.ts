import type { BoardState } from './board-state.ts';
import type { Engine } from './engine.ts';
import type { HostDescription } from './host.ts';
import type { CpuFrequency, LoadMark } from './host-load.ts';

/** A moment of a machine that something is measured on. */
export interface MachineState {
  readonly frequency: CpuFrequency;
  readonly board: BoardState;
  /** Running processes over the last minute; undefined on Windows. */
  readonly loadAverage: number | undefined;
  readonly load: LoadMark;
}

/** Where models are run: this host, or a device. */
export interface Machine {
  readonly description: HostDescription;
  /** Of what runs the engine there. */
  readonly nodeVersion: string;
  /** Where it is, such as `ssh://raspberrypi.local`; undefined for this host. */
  readonly address: string | undefined;
  /** @throws EdgepackError `engine-missing` if the engine does not load there. */
  startEngine(): Promise<Engine>;
  /** Never fails for what cannot be found out. */
  state(engine: Engine): Promise<MachineState>;
}
