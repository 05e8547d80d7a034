import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { closestName } from './closest-name.ts';
import { EdgepackError, type ErrorCode } from './edgepack-error.ts';
import { printable } from './printable.ts';

/** Configurations, recipes and profiles are small; a larger file is not one. */
const defaultMaxSizeBytes = 1 << 20;

/**
 * Reads a small JSON file and checks it against a schema.
 * @throws EdgepackError `file-not-found` where there is no such file; `code` where it is not JSON, breaks the schema,
 *   or has an unknown key: the message names the file and the key, the hint the nearest known key.
 */
export function readCheckedJson<T>(
  path: string,
  schema: z.ZodType<T>,
  code: ErrorCode,
  what: string,
  maxSizeBytes = defaultMaxSizeBytes,
): T {
  let text: string;
  try {
    const status = statSync(path);
    const { size } = status;
    // A pipe or a device may never end.
    if (!status.isFile()) {
      throw new EdgepackError(code, `${what} ${printable(path)}: is not a regular file`, {
        hint: 'Name a JSON file.',
        location: { file: path },
      });
    }
    if (size > maxSizeBytes) {
      throw new EdgepackError(code, `${what} ${printable(path)}: ${size} bytes is too large, at most ${maxSizeBytes}`, {
        hint: 'Check that this is the right file.',
        location: { file: path },
      });
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof EdgepackError) throw error;
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new EdgepackError('file-not-found', `${what} ${printable(path)}: ${printable(reason, 200)}`, {
      hint: 'Check the path and the permissions.',
      location: { file: path },
      cause: error,
    });
  }
  return parseCheckedJson(text, path, schema, code, what);
}

/** As {@link readCheckedJson}, over text that is already in memory; `path` is where the text came from. */
export function parseCheckedJson<T>(
  text: string,
  path: string,
  schema: z.ZodType<T>,
  code: ErrorCode,
  what: string,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new EdgepackError(
      code,
      `${what} ${printable(path)}: not valid JSON (${printable((error as Error).message, 160)})`,
      {
        hint: 'JSON has no comments and no trailing commas; names and text are in double quotes.',
        location: { file: path },
        cause: error,
      },
    );
  }
  return checkValue(value, schema, code, `${what} ${printable(path)}`, { file: path });
}

/**
 * Checks a value against a schema and reports the first mistake in one line.
 * @throws EdgepackError with `code`; `subject` opens the message ("target my.json").
 */
export function checkValue<T>(
  value: unknown,
  schema: z.ZodType<T>,
  code: ErrorCode,
  subject: string,
  location: { file?: string } = {},
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { key, reason, hint } = describeIssue(result.error.issues[0]!, schema);
  const more = result.error.issues.length > 1 ? ` (and ${result.error.issues.length - 1} more)` : '';
  throw new EdgepackError(code, `${subject}: ${key === '' ? '' : `${key}: `}${reason}${more}`, {
    hint: hint ?? (location.file === undefined ? commandHint : schemaHint),
    location: { ...location, ...(key === '' ? {} : { key }) },
  });
}

const commandHint = '`edgepack <command> --help` lists the options and their values.';
const schemaHint = 'The folder schemas/ of the package holds the JSON Schema of such a file.';

interface Described {
  readonly key: string;
  readonly reason: string;
  readonly hint?: string;
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): Described {
  const key = keyPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0]!;
    const near = closestName(unknown, knownKeys(schema, issue.path));
    const reason = `unknown key '${printable(unknown)}'`;
    return near === undefined ? { key, reason } : { key, reason, hint: `Did you mean ${near}?` };
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const inner = [...issue.errors].sort((a, b) => deepest(b) - deepest(a))[0]?.[0];
    if (inner !== undefined && inner.path.length > 0) {
      const described = describeIssue(inner, schema);
      return { ...described, key: keyPath([...issue.path, ...inner.path]) };
    }
    return { key, reason: explainAlternatives(issue.errors) };
  }
  return { key, reason: explainIssue(issue) };
}

/** What any of several forms would have wanted; of forms of another type only where there is no nearer one. */
function explainAlternatives(alternatives: readonly (readonly z.core.$ZodIssue[])[]): string {
  const leaves = alternatives.flat().flatMap(leafIssues);
  const near = leaves.filter(({ code }) => code !== 'invalid_type');
  const reasons = new Set((near.length > 0 ? near : leaves).map(explainIssue));
  return [...reasons].map((reason, i) => (i === 0 ? reason : reason.replace(/^must be /, ''))).join(', or ');
}

function leafIssues(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  return issue.code === 'invalid_union' && issue.errors.length > 0 ? issue.errors.flat().flatMap(leafIssues) : [issue];
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function keyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${printable(String(part))}`,
    '',
  );
}

/** The keys an object schema knows at a path, as far as the path leads through plain objects and arrays. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let current: unknown = schema;
  const definition = (value: unknown) => (value as { _zod?: { def?: Record<string, unknown> } })?._zod?.def;
  const unwrap = (value: unknown): unknown => {
    let inner = value;
    for (;;) {
      const next = definition(inner)?.innerType ?? definition(inner)?.out;
      if (next === undefined) return inner;
      inner = next;
    }
  };
  for (const part of path) {
    const def = definition(unwrap(current));
    current =
      typeof part === 'number' ? def?.element : (def?.shape as Record<string, unknown> | undefined)?.[String(part)];
  }
  return Object.keys((definition(unwrap(current))?.shape as Record<string, unknown> | undefined) ?? {});
}

/** What is wrong with a value, in plain words: "must be at most 0.99", "must be one of exact, saturating-u8s8". */
export function explainIssue(issue: z.core.$ZodIssue): string {
  const counted = (limit: number | bigint, origin: string) =>
    origin === 'string' ? `${limit} characters long` : origin === 'array' ? `${limit} entries long` : String(limit);
  switch (issue.code) {
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${counted(issue.maximum, issue.origin)}`;
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${counted(issue.minimum, issue.origin)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return `must be ${article(issue.expected)}`;
    default:
      return printable(issue.message.charAt(0).toLowerCase() + issue.message.slice(1), 200);
  }
}

function article(type: string): string {
  const word = type === 'int' ? 'whole number' : type === 'string' ? 'text' : type;
  if (word === 'text' || word === 'nonoptional') return word === 'text' ? 'text' : 'there';
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}
