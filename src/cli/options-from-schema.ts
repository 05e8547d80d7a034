import { Option } from 'commander';
import type { z } from 'zod';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { explainIssue } from '../diagnostics/parse-checked-json.ts';
import { printable } from '../diagnostics/printable.ts';

/** What a schema cannot say about an option: its short flag and the word for its value in the help. */
export interface OptionHint {
  readonly short?: string;
  readonly value?: string;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly defaultValue?: unknown;
  readonly element?: z.ZodType;
}

const definition = (schema: z.ZodType) => schema._zod.def as unknown as Definition;

/**
 * Command-line options for the fields of an object schema: `maxAccuracyDrop` becomes `--max-accuracy-drop <number>`,
 * with the field's description, default and check. Booleans are flags; arrays may be given several times.
 */
export function optionsFromSchema(
  schema: z.ZodObject,
  hints: Readonly<Record<string, OptionHint>> = {},
): readonly Option[] {
  return Object.entries(schema.shape).map(([key, field]) => optionFor(key, field as z.ZodType, hints[key] ?? {}));
}

function optionFor(key: string, field: z.ZodType, hint: OptionHint): Option {
  const { inner, fallback } = unwrap(field);
  const def = definition(inner);
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const head = hint.short === undefined ? flag : `${hint.short}, ${flag}`;
  const shown =
    fallback === undefined || fallback === false || isEmpty(fallback) ? '' : ` (default: ${String(fallback)})`;
  const description = (field.description ?? '').replace(/\.$/, '');
  if (def.type === 'boolean') return new Option(head, `${description}${shown}`);
  const values = def.type === 'enum' ? Object.values(def.entries ?? {}) : [];
  const repeatable = def.type === 'array';
  const word = hint.value ?? (def.type === 'number' ? 'number' : def.type === 'enum' ? 'name' : 'text');
  const choices = values.length > 0 ? ` (${values.join(', ')})` : '';
  const option = new Option(
    `${head} <${word}>`,
    `${description}${choices}${repeatable ? ' (repeatable)' : ''}${shown}`,
  );
  if (values.length > 0) option.choices(values);
  option.argParser((text: string, previous: unknown) => {
    const value = def.type === 'number' ? toNumber(text) : text;
    const result = (repeatable ? definition(inner).element! : inner).safeParse(value);
    if (!result.success) {
      const reason = explainIssue(result.error.issues[0]!);
      throw new EdgepackError('usage', `${flag} ${printable(text)}: ${reason}`, {
        hint: `${description}.`,
        location: { key },
      });
    }
    return repeatable ? [...((previous as unknown[] | undefined) ?? []), result.data] : result.data;
  });
  return option;
}

/** The type of a field without "optional" and "default"; of a union the part a command line can write: text. */
function unwrap(field: z.ZodType): { inner: z.ZodType; fallback: unknown } {
  let inner = field;
  let fallback: unknown;
  for (;;) {
    const def = definition(inner);
    if (def.type === 'default') fallback = def.defaultValue;
    if (def.type === 'union') inner = def.options?.find((option) => definition(option).type === 'string') ?? inner;
    if (def.innerType === undefined) return { inner, fallback };
    inner = def.innerType;
  }
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
