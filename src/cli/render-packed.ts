import { Chalk, type ColorSupportLevel } from 'chalk';
import { printable } from '../diagnostics/printable.ts';
import { formatBytes, formatSizeChange } from '../report/number-format.ts';
import type { PackResult } from './cli-api.ts';

/** The result of pack and unpack, in two lines. */
export function renderPacked(
  { onnx, epk }: PackResult,
  direction: 'pack' | 'unpack',
  style: { readonly colorLevel: ColorSupportLevel },
): string {
  const chalk = new Chalk({ level: style.colorLevel });
  const [from, to] = direction === 'pack' ? [onnx, epk] : [epk, onnx];
  const change = direction === 'pack' ? ` (${formatSizeChange(onnx.sizeBytes, epk.sizeBytes)})` : '';
  return (
    `${chalk.bold(printable(to.path, 300))}  ${formatBytes(from.sizeBytes)} → ${formatBytes(to.sizeBytes)}${change}\n` +
    `${chalk.dim(`The model's SHA-256 is ${onnx.sha256}; checked after writing.`)}\n`
  );
}
