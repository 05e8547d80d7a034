import { printable } from '../diagnostics/printable.ts';
import type { ReportExecution } from './execution-schema.ts';
import { formatFactor } from './number-format.ts';

const NAMES: Readonly<Record<ReportExecution['shipped'], string>> = {
  int8: 'int8',
  mixed: 'int8, some layers in float',
  weights: 'int8 weights, computed in float',
  float: 'float',
  original: 'the original as it came',
};

const VERDICTS: Readonly<Record<ReportExecution['variants'][number]['verdict'], string>> = {
  faster: 'faster',
  'not-slower': 'not slower',
  slower: 'slower',
  undecided: 'not told apart, counts as slower',
};

/** The variants that were compared with the original, as rows of a table: what, time, interval, verdict, shipped. */
export function executionRows({ variants, shipped }: ReportExecution): readonly (readonly string[])[] {
  const rows = variants.map((variant) => [
    variant.detail === '' ? NAMES[variant.execution] : `${NAMES[variant.execution]}: ${printable(variant.detail, 80)}`,
    formatFactor(variant.ratio),
    `${variant.ratioLow.toFixed(2)} to ${formatFactor(variant.ratioHigh)}`,
    VERDICTS[variant.verdict],
    variant.shipped ? 'shipped' : '',
  ]);
  // It is what the others were compared with.
  return shipped === 'original' ? [...rows, [NAMES.original, '1 ×', '', '', 'shipped']] : rows;
}

export const executionHeader = ['variant', 'time / original', '95 %', 'verdict', ''] as const;

/** Where the figures come from, and why not from elsewhere. */
export function executionSource({ evidence }: ReportExecution): string {
  return [evidence.label, ...evidence.notes].map((text) => printable(text, 300)).join('; ');
}
