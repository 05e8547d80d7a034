import { printable } from '../diagnostics/printable.ts';
import type { PackResult } from '../pipeline/api-types.ts';
import { formatBytes, formatSizeChange } from '../report/number-format.ts';
import type { Style } from './paint.ts';

/** The result of pack and unpack, in two lines. */
export function renderPacked({ onnx, epk }: PackResult, direction: 'pack' | 'unpack', style: Style): string {
  const [from, to] = direction === 'pack' ? [onnx, epk] : [epk, onnx];
  const change = direction === 'pack' ? ` (${formatSizeChange(onnx.sizeBytes, epk.sizeBytes)})` : '';
  return (
    `${style.paint(printable(to.path, 300), 'title')}  ${formatBytes(from.sizeBytes)} → ${formatBytes(to.sizeBytes)}${change}\n` +
    `${style.paint(`The model's SHA-256 is ${onnx.sha256}; checked after writing.`, 'muted')}\n`
  );
}
