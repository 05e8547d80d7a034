import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { WireCursor, WireType } from './wire-cursor.ts';

/** Where the elements of one tensor lie in the bytes of an ONNX file. */
export interface InitializerLocation {
  /** The tensor's name; for a tensor in an attribute without one, the first output of its node. Not always unique. */
  readonly name: string;
  /** First byte of the elements, from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /** Element type as the file states it (`TensorProto.DataType`). */
  readonly dataType: number;
  /** Shape as the file states it. Nothing says that it fits `byteLength`: an untrusted file may lie. */
  readonly dims: readonly number[];
}

/** Shorter data is not worth a stream of its own. */
const MIN_BYTES = 16;
/** Same limit as the decoder's. */
const MAX_DEPTH = 100;
/** Longer shapes come back cut: no tensor of this world has them. */
const MAX_RANK = 64;

type Walk = (cursor: WireCursor, depth: number, context: string) => void;

/**
 * Finds the elements of every tensor of at least 16 bytes in an ONNX file: initializers, sparse initializers and
 * attribute tensors, in the main graph, subgraphs, functions and training graphs. Elements are in `raw_data`, or in
 * packed `float_data` or `double_data`, which hold the same little-endian bytes. Only the structure is walked; nothing
 * is decoded or copied. The ranges are disjoint and in file order.
 * @throws EdgepackError `model-unreadable` where the bytes are no protobuf message.
 */
export function locateInitializers(bytes: Uint8Array): InitializerLocation[] {
  const found: InitializerLocation[] = [];

  const walk = (
    start: number,
    end: number,
    depth: number,
    context: string,
    fields: ReadonlyMap<number, Walk>,
  ): void => {
    if (depth > MAX_DEPTH) {
      throw new EdgepackError('model-unreadable', `is nested deeper than ${MAX_DEPTH} levels`, {
        hint: 'no exporter writes such a model; check where the file comes from',
      });
    }
    const cursor = new WireCursor(bytes, start, end);
    while (cursor.next()) {
      if (cursor.wireType === WireType.bytes) fields.get(cursor.fieldId)?.(cursor, depth, context);
    }
  };
  const into =
    (fields: () => ReadonlyMap<number, Walk>): Walk =>
    (cursor, depth, context) =>
      walk(cursor.start, cursor.end, depth + 1, context, fields());
  const tensor: Walk = (cursor, _depth, context) => {
    const location = readTensor(bytes, cursor.start, cursor.end, context);
    if (location !== undefined) found.push(location);
  };

  const sparseTensor = new Map<number, Walk>([
    [1, tensor],
    [2, tensor],
  ]);
  const sparse = into(() => sparseTensor);
  const attribute: ReadonlyMap<number, Walk> = new Map<number, Walk>([
    [5, tensor],
    [6, into(() => graph)],
    [10, tensor],
    [11, into(() => graph)],
    [22, sparse],
    [23, sparse],
  ]);
  const nodeAttributes = new Map([[5, into(() => attribute)]]);
  const node: Walk = (cursor, depth) =>
    walk(cursor.start, cursor.end, depth + 1, firstOutput(bytes, cursor.start, cursor.end), nodeAttributes);
  const graph: ReadonlyMap<number, Walk> = new Map<number, Walk>([
    [1, node],
    [5, tensor],
    [15, sparse],
  ]);
  const trainingInfo = new Map([
    [1, into(() => graph)],
    [2, into(() => graph)],
  ]);
  const functionProto = new Map<number, Walk>([
    [7, node],
    [11, into(() => attribute)],
  ]);
  const model = new Map<number, Walk>([
    [7, into(() => graph)],
    [20, into(() => trainingInfo)],
    [25, into(() => functionProto)],
  ]);
  walk(0, bytes.byteLength, 0, '', model);
  return found;
}

function firstOutput(bytes: Uint8Array, start: number, end: number): string {
  const cursor = new WireCursor(bytes, start, end);
  while (cursor.next()) {
    if (cursor.fieldId === 2 && cursor.wireType === WireType.bytes) return text(cursor);
  }
  return '';
}

function readTensor(
  bytes: Uint8Array,
  start: number,
  end: number,
  fallbackName: string,
): InitializerLocation | undefined {
  const cursor = new WireCursor(bytes, start, end);
  const dims: number[] = [];
  let dataType = 0;
  let name = '';
  let offset = 0;
  let byteLength = 0;
  while (cursor.next()) {
    const isBytes = cursor.wireType === WireType.bytes;
    const isVarint = cursor.wireType === WireType.varint;
    if (cursor.fieldId === 1 && isVarint) addDim(dims, cursor.value);
    else if (cursor.fieldId === 1 && isBytes) readPackedDims(cursor, dims);
    else if (cursor.fieldId === 2 && isVarint) dataType = cursor.value;
    else if (cursor.fieldId === 8 && isBytes) name = text(cursor);
    else if (isBytes && (cursor.fieldId === 9 || cursor.fieldId === 4 || cursor.fieldId === 10)) {
      if (cursor.end - cursor.start < byteLength) continue;
      offset = cursor.start;
      byteLength = cursor.end - cursor.start;
    }
  }
  if (byteLength < MIN_BYTES) return undefined;
  return { name: name === '' ? fallbackName : name, offset, byteLength, dataType, dims };
}

function addDim(dims: number[], dim: number): void {
  if (dims.length < MAX_RANK) dims.push(dim);
}

function readPackedDims(cursor: WireCursor, dims: number[]): void {
  let value = 0;
  let scale = 1;
  for (let i = cursor.start; i < cursor.end; i++) {
    const byte = cursor.bytes[i]!;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) {
      addDim(dims, value);
      value = 0;
      scale = 1;
    }
  }
}

function text(cursor: WireCursor): string {
  return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + cursor.start, cursor.end - cursor.start).toString();
}
