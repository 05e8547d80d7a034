import { z } from 'zod';

/** Options of every command that can run models on a device. */
export const deviceOptions = {
  device: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Also run the models there: ssh://user@host or ssh://user@host:port, by keys.'),
  sshConfig: z
    .string()
    .min(1)
    .optional()
    .describe('Configuration of OpenSSH to reach the device with, as for ssh -F; by default your own.'),
};
