import type { Node } from '../ir/node.ts';
import { scaledIntegers } from '../ir/scaled-integers.ts';
import type { Value } from '../ir/value.ts';
import { DataType, packedByteLength } from '../tensor/data-type.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A constant that reaches a node: directly, or through nodes that only carry or dequantize it. */
export interface ConstantSource {
  /** The initializer, or the output of the Constant, that holds it. */
  readonly value: Value;
  readonly tensor: Tensor;
  /** The DequantizeLinear it goes through, or the Mul that scales it behind a Cast. */
  readonly dequantizer: Node | undefined;
}

/** The constant that a value holds; undefined where it is computed from inputs. */
export function constantSource(start: Value | undefined): ConstantSource | undefined {
  let value = start;
  let dequantizer: Node | undefined;
  for (let step = 0; step < 8 && value !== undefined; step++) {
    if (value.tensor !== undefined) return { value, tensor: value.tensor, dequantizer };
    const producer: Node | undefined = value.producer;
    if (producer === undefined) return undefined;
    if (producer.is('Constant')) {
      const tensor = producer.tensor('value');
      return tensor === undefined ? undefined : { value, tensor, dequantizer };
    }
    if (isDequantizer(producer) || scaledIntegers(producer) !== undefined) dequantizer ??= producer;
    else if (!producer.is('Identity', 'QuantizeLinear', 'Cast')) return undefined;
    value = producer.input(0);
  }
  return undefined;
}

/**
 * The constant that a node takes, as {@link constantSource}; of a Gather from a quantized table, with the DequantizeLinear that
 * follows it where that has one scale for all, or one per column.
 */
export function takenConstant(node: Node, slot: number): ConstantSource | undefined {
  const source = constantSource(node.input(slot));
  if (source === undefined || source.dequantizer !== undefined || slot !== 0 || !node.is('Gather')) return source;
  const follower = node.output.consumers.find((reader) => isDequantizer(reader) && reader.input(0) === node.output);
  const scale = constantSource(follower?.input(1))?.tensor;
  const rank = source.tensor.dims.length;
  const isByColumn = follower?.int('axis', 1) === -1 && rank > 1 && node.int('axis', 0) === 0;
  return scale?.elementCount === 1 || isByColumn ? { ...source, dequantizer: follower } : source;
}

export function isDequantizer(node: Node | undefined): boolean {
  return node?.opType === 'DequantizeLinear' && (node.is('DequantizeLinear') || node.domain === 'com.microsoft');
}

export function isQuantizer(node: Node | undefined): boolean {
  return node?.opType === 'QuantizeLinear' && (node.is('QuantizeLinear') || node.domain === 'com.microsoft');
}

/** The numbers that a layer computes with: dequantized where it says so. Undefined for types that have no numbers here. */
export function realNumbers({ tensor, dequantizer }: ConstantSource): Float32Array | Float64Array | undefined {
  const stored = storedNumbers(tensor);
  if (stored === undefined || dequantizer === undefined) return stored;
  const scale = constantSource(dequantizer.input(1))?.tensor;
  const zeroPoint = constantSource(dequantizer.input(2))?.tensor;
  if (scale === undefined || (dequantizer.input(2) !== undefined && zeroPoint === undefined)) return undefined;
  return dequantize(tensor, stored, scale, zeroPoint, dequantizer);
}

function dequantize(
  tensor: Tensor,
  stored: Float32Array | Float64Array,
  scale: Tensor,
  zeroPoint: Tensor | undefined,
  node: Node,
): Float32Array | undefined {
  const scales = storedNumbers(scale);
  const zeros = zeroPoint === undefined ? undefined : storedNumbers(zeroPoint);
  if (scales === undefined || scales.length === 0 || (zeroPoint !== undefined && zeros?.length !== scales.length)) {
    return undefined;
  }
  const result = new Float32Array(stored.length);
  const rank = tensor.dims.length;
  const stated = node.int('axis', 1);
  const axis = node.is('Mul') ? scale.dims.findIndex((size) => size !== 1) : stated < 0 ? stated + rank : stated;
  const block = node.int('block_size', 0);
  const size = tensor.dims[axis] ?? 1;
  const inner = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const groups = block > 0 ? Math.ceil(size / block) : size;
  const outer = size * inner === 0 ? 0 : stored.length / (size * inner);
  const isScalar = scales.length === 1;
  if (!isScalar && scales.length !== (block > 0 ? outer * groups * inner : size)) return undefined;
  for (let i = 0; i < stored.length; i++) {
    let at = 0;
    if (!isScalar) {
      const along = Math.floor(i / inner) % size;
      const outside = Math.floor(i / (inner * size));
      at = block > 0 ? (outside * groups + Math.floor(along / block)) * inner + (i % inner) : along;
    }
    result[i] = (stored[i]! - (zeros?.[at] ?? 0)) * scales[at]!;
  }
  return result;
}

function storedNumbers(tensor: Tensor): Float32Array | Float64Array | undefined {
  const { dataType, elementCount } = tensor;
  if (tensor.byteLength !== packedByteLength(dataType, elementCount)) return undefined;
  if (dataType === DataType.int4 || dataType === DataType.uint4) return nibbles(tensor);
  if (dataType === DataType.string || !hasNumbers.has(dataType)) return undefined;
  const isWide = dataType === DataType.float64 || dataType === DataType.int64 || dataType === DataType.uint64;
  if (isWide || dataType === DataType.int32 || dataType === DataType.uint32) {
    return Float64Array.from(tensor.toArray() as ArrayLike<number | bigint>, Number);
  }
  return tensor.toFloat32();
}

const hasNumbers: ReadonlySet<number> = new Set([
  DataType.float32,
  DataType.float16,
  DataType.bfloat16,
  DataType.float64,
  DataType.int8,
  DataType.uint8,
  DataType.int16,
  DataType.uint16,
  DataType.int32,
  DataType.uint32,
  DataType.int64,
  DataType.uint64,
  DataType.bool,
]);

function nibbles(tensor: Tensor): Float32Array {
  const bytes = tensor.bytes();
  const isSigned = tensor.dataType === DataType.int4;
  return Float32Array.from({ length: tensor.elementCount }, (_, i) => {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    return isSigned && nibble > 7 ? nibble - 16 : nibble;
  });
}
