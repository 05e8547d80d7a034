import { z } from 'zod';
import { deviceOptions } from './device-options.ts';

const calibratedPrecisions = ['fp32', 'int8'] as const;

/** What reference networks are measured in. */
export type CalibratedPrecision = (typeof calibratedPrecisions)[number];

/** Options of `targets calibrate`, in the order of the help text. */
export const calibrateOptionsSchema = z
  .strictObject({
    device: deviceOptions.device.describe('The device to measure: ssh://user@host or ssh://user@host:port, by keys.'),
    sshConfig: deviceOptions.sshConfig,
    host: z
      .boolean()
      .default(false)
      .describe('Measure this very machine instead: it is such a device, or stands for one of its kind.'),
    threads: z
      .union([
        z.string().regex(/^[1-9]\d{0,2}(,[1-9]\d{0,2}){0,7}$/, 'must be counts such as 4 or 1,4'),
        z.array(z.int().min(1).max(999)).min(1).max(8),
      ])
      .optional()
      .describe('Threads of the engine, one count or several; by default those of the target.'),
    precision: z
      .union([
        z.string().regex(/^(fp32|int8)(,(fp32|int8))?$/, 'must be fp32, int8 or fp32,int8'),
        z.array(z.enum(calibratedPrecisions)).min(1).max(2),
      ])
      .default('fp32,int8')
      .describe('What the networks are measured in: fp32, int8 or fp32,int8.'),
    board: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe('What is measured, as "Raspberry Pi 4B, 1.8 GHz, fan"; by default the name of its processor.'),
    maxSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(20)
      .describe('Time for the rounds of each network, over all precisions and numbers of threads.'),
    output: z
      .string()
      .min(1)
      .optional()
      .describe('File to write instead of the one in your folder of calibrations, from where predictions take it.'),
    dryRun: z.boolean().default(false).describe('Say what would be measured and written; reach for nothing.'),
    force: z
      .boolean()
      .default(false)
      .describe('Calibrate in spite of a throttled, busy or unlikely board, and replace what is in the way.'),
  })
  .describe('Options of edgepack targets calibrate.');

/** Options as a caller gives them: one of `device` and `host`, everything else may be left out. */
export type CalibrateOptions = z.input<typeof calibrateOptionsSchema>;
export type ResolvedCalibrateOptions = z.output<typeof calibrateOptionsSchema>;
