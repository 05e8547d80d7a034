import type { Option } from 'commander';
import { compressOptionsSchema } from '../pipeline/compress-options.ts';
import { optionsFromSchema } from './options-from-schema.ts';

/** `--allow-links`, for every command that reads a model. */
export function allowLinksOption(): Option {
  return optionsFromSchema(compressOptionsSchema.pick({ allowLinks: true }))[0]!;
}
