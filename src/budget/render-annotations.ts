import { printable } from '../diagnostics/printable.ts';
import type { Budgets } from './budget-schema.ts';
import type { CheckResult } from './check-schema.ts';
import { severityOf } from './judge.ts';

/**
 * Workflow commands of GitHub Actions, one a line, that show each limit that was not met beside its line in the configuration.
 * @param relativePath gives a file's path from the root of the repository, with slashes.
 */
export function renderAnnotations(
  { items, subject }: CheckResult,
  relativePath: (file: string) => string,
  undecided?: Budgets['undecided'],
): string {
  return items
    .map((item) => {
      const severity = severityOf(item, undecided);
      if (severity === 'none') return '';
      const { file, line } = item.config;
      const place = file === null ? '' : `file=${property(relativePath(file))},line=${line ?? 1},`;
      const title = property(`${printable(subject.model)} for ${subject.target}: ${item.metric}`);
      const why = item.responsible.map(({ name, detail }) => `${name}: ${detail}`);
      const text = [printable(item.message, 500), ...why].join('\n');
      return `::${severity === 'error' ? 'error' : 'warning'} ${place}title=${title}::${data(text)}\n`;
    })
    .join('');
}

/** A line feed in the text would start a new command. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
