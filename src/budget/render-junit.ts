import type { Budgets } from './budget-schema.ts';
import type { CheckItem, CheckResult } from './check-schema.ts';
import { escapeXml } from './escape-xml.ts';
import { severityOf } from './judge.ts';

/**
 * A check as JUnit XML, the form that CI servers read: one test case per limit. A failed limit is a failure, one that could not
 * be judged an error, one without baseline skipped; warnings pass and say so in the output.
 */
export function renderJunit({ subject, items }: CheckResult, undecided?: Budgets['undecided']): string {
  const count = (matches: (item: CheckItem) => boolean) => items.filter(matches).length;
  const isFailure = (item: CheckItem) => item.outcome !== 'refused' && severityOf(item, undecided) === 'error';
  const totals = `tests="${items.length}" failures="${count(isFailure)}" errors="${count(({ outcome }) => outcome === 'refused')}"`;
  const skipped = `skipped="${count(({ outcome }) => outcome === 'skipped')}"`;
  const suite = escapeXml(`${subject.model} for ${subject.target}`);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="edgepack check" ${totals} time="0">`,
    `  <testsuite name="${suite}" ${totals} ${skipped} time="0">`,
  ];
  for (const item of items) {
    const place =
      item.config.file === null ? '' : ` file="${escapeXml(item.config.file)}" line="${item.config.line ?? 1}"`;
    const open = `    <testcase classname="edgepack.${suite}" name="${escapeXml(`${item.metric} ${item.kind}`)}" time="0"${place}`;
    const inner = innerOf(item, isFailure(item));
    lines.push(inner === undefined ? `${open}/>` : `${open}>`);
    if (inner !== undefined) lines.push(`      ${inner}`, '    </testcase>');
  }
  lines.push('  </testsuite>', '</testsuites>', '');
  return lines.join('\n');
}

function innerOf(item: CheckItem, isFailure: boolean): string | undefined {
  const message = `message="${escapeXml(item.message)}"`;
  const details = escapeXml([item.message, ...detailsOf(item)].join('\n'));
  if (item.outcome === 'refused') return `<error ${message} type="refused">${details}</error>`;
  if (isFailure) return `<failure ${message} type="${item.outcome}">${details}</failure>`;
  if (item.outcome === 'skipped') return `<skipped ${message}/>`;
  return item.outcome === 'passed' ? undefined : `<system-out>${escapeXml(`warning: ${item.message}`)}</system-out>`;
}

/** What explains a judgement, a line each: the layers and the place of the limit. */
export function detailsOf({ responsible, config }: CheckItem): string[] {
  const place =
    config.file === null
      ? config.key
      : `${config.file}${config.line === null ? '' : `:${config.line}`} (${config.key})`;
  return [...responsible.map(({ name, detail }) => `${name}: ${detail}`), `limit set in ${place}`];
}
