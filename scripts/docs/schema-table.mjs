import { z } from 'zod';
import { code, prose, table } from './markdown.mjs';

/** A table of the fields of an object schema: name, type, default, meaning. */
export function schemaTable(schema, { heading = 'key', defaults = {} } = {}) {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  const rows = Object.entries(properties)
    .filter(([key]) => key !== '$schema')
    .map(([key, field]) => [
      code(key),
      typeText(field),
      defaultText(field.default ?? defaults[key], required.includes(key)),
      prose(field.description ?? ''),
    ]);
  return table([heading, 'type', 'default', 'meaning'], rows);
}

/**
 * A table of what an object of a schema holds: name, type, meaning. Fields of fields stand by their path ("cpu.cores"),
 * down to `depth` levels.
 */
export function contentTable(schema, { io = 'output', heading = 'field', depth = 2 } = {}) {
  const rowsOf = ({ properties }, path, level) =>
    Object.entries(properties).flatMap(([key, field]) => {
      const object = field.properties ? field : field.anyOf?.find(({ properties }) => properties !== undefined);
      const row = [code(`${path}${key}`), typeText(field), prose(field.description ?? '')];
      if (key === '$schema') return [];
      if (object === undefined || level >= depth) return [row];
      return [row, ...rowsOf(object, `${path}${key}.`, level + 1)];
    });
  return table([heading, 'type', 'meaning'], rowsOf(z.toJSONSchema(schema, { io }), '', 1));
}

/** The type of a field in one short text: `"a"` or `"b"`, number 0 to 1, list of text. */
function typeText(field) {
  if (field.const !== undefined) return code(JSON.stringify(field.const));
  if (field.enum !== undefined) return field.enum.map((value) => code(value)).join(', ');
  const branches = field.anyOf ?? field.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(typeText))].join(' or ');
  if (Array.isArray(field.type)) return field.type.map((type) => typeText({ ...field, type })).join(' or ');
  switch (field.type) {
    case 'array':
      return `list of ${typeText(field.items ?? {})}`;
    case 'integer':
      return `whole number${range(field)}`;
    case 'number':
      return `number${range(field)}`;
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    default:
      return field.type ?? 'any';
  }
}

function range({ minimum, exclusiveMinimum, maximum }) {
  const low = minimum ?? exclusiveMinimum;
  const has = (limit) => limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  if (has(low) && has(maximum)) return ` ${low} to ${maximum}`;
  if (minimum !== undefined && has(minimum)) return `, at least ${minimum}`;
  if (has(exclusiveMinimum)) return `, above ${exclusiveMinimum}`;
  return has(maximum) ? `, at most ${maximum}` : '';
}

function defaultText(value, isRequired) {
  if (value === undefined) return isRequired ? 'required' : '';
  if (Array.isArray(value) && value.length === 0) return 'none';
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return 'none';
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}
