import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { closestName } from '../diagnostics/closest-name.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { checkValue, parseCheckedJson, readCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';
import { printablePath } from './data-error.ts';

const pixels = z.int().min(1).max(16384);
const perChannel = z.array(z.number()).min(1).max(64);

const fields = {
  resize: z
    .union([z.strictObject({ shortSide: pixels }), z.strictObject({ width: pixels, height: pixels })])
    .nullable()
    .optional()
    .describe(
      'Size before the crop: the short side with the aspect kept, or exactly width by height. null: none. Left out: chosen by the size of the model input.',
    ),
  kernel: z
    .enum(['nearest', 'box', 'linear', 'cubic', 'lanczos'])
    .optional()
    .describe('Interpolation of the resize, as Pillow does it: widened when the image shrinks. Default linear.'),
  crop: z
    .union([pixels, z.strictObject({ width: pixels, height: pixels })])
    .nullable()
    .optional()
    .describe(
      'Centre crop: a square of so many pixels, or width by height; top = floor((height - crop + 1) / 2), left likewise. null: none. Left out: the size of the model input.',
    ),
  color: z
    .enum(['rgb', 'bgr', 'gray'])
    .optional()
    .describe('Channels and their order. Default gray for models with one channel, else rgb.'),
  divide: z
    .number()
    .positive()
    .optional()
    .describe('x = (v / divide - mean[c]) / std[c] in float32, with v from 0 to 255. Default 1.'),
  mean: perChannel
    .optional()
    .describe(
      'Subtracted after the division, one number per channel in the order of `color`, or one for all. Default 0.',
    ),
  std: z
    .array(z.number().positive())
    .min(1)
    .max(64)
    .optional()
    .describe('Divided by at last, one number per channel in the order of `color`, or one for all. Default 1.'),
  layout: z.enum(['NCHW', 'NHWC']).optional().describe('Order of the axes. Default: as the shape of the model input.'),
  dtype: z
    .enum(['float32', 'float16', 'float64', 'uint8', 'int8'])
    .optional()
    .describe('Element type of the model input; where given it is checked. Default: as the model input.'),
};

/** What a `--preprocess` file or a `preprocess` setting may hold. */
export const preprocessSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Ignored; for editors.'),
    preset: z.string().optional().describe('The preset that gives what is left out here.'),
    ...fields,
  })
  .describe('How 8-bit images become the values of a model input.');

/** How 8-bit images become the values of a model input; whatever is left out is chosen by the model input. */
export type Preprocess = z.infer<typeof preprocessSchema>;

const presetsSchema = z.strictObject({ version: z.literal(1), presets: z.record(z.string(), z.strictObject(fields)) });

let presets: Readonly<Record<string, Preprocess>> | undefined;

/** The named presets, by name. */
export function preprocessPresets(): Readonly<Record<string, Preprocess>> {
  presets ??= presetsSchema.parse(
    JSON.parse(readFileSync(new URL('./preprocess-presets.json', import.meta.url), 'utf8')),
  ).presets;
  return presets;
}

/** The JSON Schema (draft 2020-12) of {@link preprocessSchema}. */
export function preprocessJsonSchema(): object {
  return z.toJSONSchema(preprocessSchema);
}

/** A {@link Preprocess} with its preset filled in, and the name it goes by in messages. */
export interface NamedPreprocess {
  readonly name: string;
  readonly settings: Omit<Preprocess, 'preset' | '$schema'>;
}

/**
 * Reads a preprocess setting: an object, the name of a preset, a JSON text or the path of a JSON file.
 * @throws EdgepackError `usage` for an unknown preset, `file-not-found` for a missing file, `config` for settings that break the schema.
 */
export function loadPreprocess(setting: Preprocess | string | Readonly<Record<string, unknown>>): NamedPreprocess {
  if (typeof setting !== 'string') {
    return filledIn(checkValue(setting, preprocessSchema, 'config', 'preprocess'), 'preprocess settings');
  }
  if (Object.hasOwn(preprocessPresets(), setting)) return preset(setting);
  if (setting.trimStart().startsWith('{')) {
    return filledIn(
      parseCheckedJson(setting, 'settings', preprocessSchema, 'config', 'preprocess'),
      'preprocess settings',
    );
  }
  if (!/[./\\]/.test(setting)) return preset(setting);
  return filledIn(readCheckedJson(setting, preprocessSchema, 'config', 'preprocess'), printablePath(setting));
}

function filledIn({ preset: base, $schema: _, ...settings }: Preprocess, name: string): NamedPreprocess {
  if (base === undefined) return { name, settings };
  if (Object.keys(settings).length === 0) return preset(base);
  return { name: `preset ${base}, changed by ${name}`, settings: { ...preset(base).settings, ...settings } };
}

/**
 * The settings of a preset.
 * @throws EdgepackError `usage` where there is no such preset.
 */
export function preset(name: string): NamedPreprocess {
  const presets = preprocessPresets();
  if (Object.hasOwn(presets, name)) return { name: `preset ${name}`, settings: presets[name]! };
  const near = closestName(name, Object.keys(presets));
  throw new EdgepackError('usage', `there is no preprocess preset '${printable(name)}'`, {
    hint: `${near === undefined ? '' : `did you mean ${near}? `}Presets: ${Object.keys(presets).join(', ')}; or give a JSON file`,
  });
}
