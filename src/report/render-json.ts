import { type Report, reportSchema } from './report-schema.ts';

/**
 * `report.json`: checked against the schema, keys in the order of the schema, two spaces, one line feed at the end.
 * @throws ZodError where the report breaks its own schema, which is a mistake of the caller.
 */
export function renderJson(report: Report): string {
  return `${JSON.stringify(reportSchema.parse(report), null, 2)}\n`;
}
