import { printable } from '../diagnostics/printable.ts';
import type { PackedTensor, PackResult, UnpackedTensor } from '../pipeline/api-types.ts';
import { formatBytes, formatSizeChange } from '../report/number-format.ts';
import type { Style } from './paint.ts';
import { renderTable } from './render-table.ts';

/** The result of pack and unpack, in two lines. */
export function renderPacked({ onnx, epk }: PackResult, direction: 'pack' | 'unpack', style: Style): string {
  const [from, to] = direction === 'pack' ? [onnx, epk] : [epk, onnx];
  const change = direction === 'pack' ? ` (${formatSizeChange(onnx.sizeBytes, epk.sizeBytes)})` : '';
  return (
    `${style.paint(printable(to.path, 300), 'title')}  ${formatBytes(from.sizeBytes)} → ${formatBytes(to.sizeBytes)}${change}\n` +
    `${style.paint(`The model's SHA-256 is ${onnx.sha256}; checked after writing.`, 'muted')}\n`
  );
}

/** The tensors of an `.epk`, one a line: size, element type, shape, name. */
export function renderPackedTensors(tensors: readonly PackedTensor[]): string {
  if (tensors.length === 0) return 'The file holds no tensors of 16 bytes or more.\n';
  const rows = tensors.map(({ name, dataType, shape, sizeBytes }) => {
    return [formatBytes(sizeBytes), dataType, `[${shape.join(', ')}]`, printable(name, 300)];
  });
  return `${renderTable(rows, [0], '')}\n`;
}

export function renderUnpackedTensor({ tensor, path, sizeBytes }: UnpackedTensor, style: Style): string {
  const what = `${tensor.dataType} [${tensor.shape.join(', ')}]`;
  return `${style.paint(printable(path, 300), 'title')}  ${formatBytes(sizeBytes)}: ${printable(tensor.name, 300)}, ${what}\n`;
}
