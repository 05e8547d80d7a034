import { type Content, elementCountOf, forEachCoordinate, MAX_CONTENT_ELEMENTS, stridesOf } from './content.ts';
import { opaqueDim, type SymbolicDim, type SymbolicShape, sameDim } from './dim-expression.ts';

/** The shape of shapes broadcast together (NumPy's rule, ONNX "multidirectional"); undefined where they cannot be. */
export function broadcastShapes(shapes: readonly (SymbolicShape | undefined)[]): SymbolicShape | undefined {
  let result: SymbolicDim[] | undefined;
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    if (result === undefined) {
      result = [...shape];
      continue;
    }
    const rank: number = Math.max(result.length, shape.length);
    const merged: SymbolicDim[] = [];
    for (let i = 0; i < rank; i++) {
      const a: SymbolicDim = result[i - rank + result.length] ?? 1;
      const b: SymbolicDim = shape[i - rank + shape.length] ?? 1;
      const dim = broadcastDim(a, b);
      if (dim === undefined) return undefined;
      merged.push(dim);
    }
    result = merged;
  }
  return result;
}

function broadcastDim(a: SymbolicDim, b: SymbolicDim): SymbolicDim | undefined {
  if (sameDim(a, b)) return a;
  if (a === 1) return b;
  if (b === 1) return a;
  // A fixed dimension other than 1 decides: the other one is the same or 1.
  if (typeof a === 'number') return typeof b === 'number' ? undefined : a;
  if (typeof b === 'number') return b;
  return opaqueDim('broadcast', ...[a, b].sort((x, y) => (x.key < y.key ? -1 : 1)));
}

/** Applies a function to the elements of contents broadcast together. */
export function mapContents(
  contents: readonly (Content | undefined)[],
  apply: (elements: readonly (SymbolicDim | undefined)[]) => SymbolicDim | undefined,
): Content | undefined {
  if (contents.some((content) => content === undefined)) return undefined;
  const known = contents as readonly Content[];
  const dims = broadcastShapes(known.map((content) => content.dims)) as number[] | undefined;
  if (dims === undefined || elementCountOf(dims) > MAX_CONTENT_ELEMENTS) return undefined;
  const strides = known.map((content) => {
    const own = stridesOf(content.dims);
    return dims.map((_, axis) => {
      const at = axis - dims.length + content.dims.length;
      return at < 0 || content.dims[at] === 1 ? 0 : own[at]!;
    });
  });
  const elements: (SymbolicDim | undefined)[] = [];
  forEachCoordinate(dims, (coordinate) => {
    elements.push(
      apply(
        known.map(
          (content, i) => content.elements[coordinate.reduce((sum, c, axis) => sum + c * strides[i]![axis]!, 0)],
        ),
      ),
    );
  });
  return { dims, elements };
}
