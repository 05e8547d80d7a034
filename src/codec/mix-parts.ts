import type { BinaryCoder } from './binary-coder.ts';
import type { BlockLayout } from './block-layout.ts';
import type { ByteContext } from './byte-context.ts';
import { ByteMixingModel } from './byte-mixing-model.ts';
import { joinPlanes, splitPlanes } from './byte-planes.ts';
import { WeightMixingModel } from './weight-mixing-model.ts';

/** What both sides know of text before its first byte. */
export interface TextPrior {
  /** Learned first. */
  readonly primer: Uint8Array;
  /** Makes what follows the structure of the text. */
  readonly context: () => ByteContext;
}

/** Mixing decodes well under a megabyte a second: no stream may ask for more than this. */
export const maxMixedBytes = 1 << 20;

export interface MixedPart {
  /** Given by an encoder, filled by a decoder. */
  readonly bytes: Uint8Array;
  readonly layout: BlockLayout;
}

/** Fewer rows give the model of weights nothing to predict a row from. */
const minWeightRows = 4;

/**
 * Codes parts one after the other with the context-mixing models, which keep what they learned from part to part: matrices of 8-bit
 * numbers by the model of weights, other numbers byte by byte with the most significant first, the rest as text. `prior` is for the text.
 * `onPart` is called when a part is done.
 */
export function mixParts(
  coder: BinaryCoder,
  parts: readonly MixedPart[],
  prior?: TextPrior,
  onPart: (index: number) => void = () => {},
): void {
  const weights = new WeightMixingModel();
  const isWeights = ({ layout }: MixedPart): boolean =>
    layout.elementBytes === 1 && layout.kind !== 'bytes' && layout.rows >= minWeightRows && layout.columns >= 2;
  const other = parts.reduce((sum, part) => sum + (isWeights(part) ? 0 : part.bytes.length), 0);
  const used = parts.some((part) => part.layout.kind === 'bytes') ? prior : undefined;
  const bytes = new ByteMixingModel(other + (used?.primer.length ?? 0), used?.context());
  if (used !== undefined) bytes.prime(used.primer);
  parts.forEach((part, index) => {
    if (isWeights(part)) weights.code(coder, part.bytes, part.layout);
    else if (part.layout.kind === 'bytes') mixText(coder, bytes, part.bytes);
    else mixNumbers(coder, bytes, part.bytes, part.layout, part.layout.kind);
    onPart(index);
  });
}

function mixText(coder: BinaryCoder, model: ByteMixingModel, bytes: Uint8Array): void {
  model.beginPart(0, 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = model.code(coder, bytes[i]!);
}

function mixNumbers(
  coder: BinaryCoder,
  model: ByteMixingModel,
  bytes: Uint8Array,
  layout: BlockLayout,
  kind: 'signed' | 'unsigned' | 'float',
): void {
  const { elementBytes, rows, columns } = layout;
  model.beginPart(elementBytes, rows > 1 ? columns : 1);
  if (elementBytes === 1) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = model.code(coder, bytes[i]!);
    return;
  }
  const planes = splitPlanes(bytes, elementBytes, kind);
  for (let i = 0; i < bytes.length / elementBytes; i++) {
    for (const plane of planes) plane[i] = model.code(coder, plane[i]!);
  }
  joinPlanes(planes, kind, bytes);
}
