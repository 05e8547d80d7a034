import { DataType } from '../tensor/data-type.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

/** Constant integers that a Cast makes real and a Mul scales. */
export interface ScaledIntegers {
  readonly integers: Value;
  /** As many dimensions as the integers, at most one of them greater than 1. */
  readonly scales: Value;
}

/**
 * What a node scales, where it is the Mul behind the Cast of constant integers: DequantizeLinear spelled out, in the form
 * that engines compute once, when they load the model. Undefined for any other node.
 */
export function scaledIntegers(node: Node | undefined): ScaledIntegers | undefined {
  if (node?.is('Mul') !== true) return undefined;
  const cast = node.input(0)?.producer;
  const integers = cast?.is('Cast') === true ? cast.input(0) : undefined;
  const scales = node.input(1);
  const type = integers?.tensor?.dataType;
  if (integers === undefined || (type !== DataType.int8 && type !== DataType.uint8)) return undefined;
  const { dims } = integers.tensor!;
  const scaleDims = scales?.tensor?.dataType === DataType.float32 ? scales.tensor.dims : undefined;
  if (scales === undefined || scaleDims?.length !== dims.length) return undefined;
  const axes = scaleDims.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  return axes.length > 1 || axes.some((axis) => scaleDims[axis] !== dims[axis]) ? undefined : { integers, scales };
}
