import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';

/** A dimension: fixed, named (symbolic), or unknown. */
export type Dim = number | string | undefined;
/** Dimensions of a tensor; undefined where not even the rank is known. */
export type Shape = readonly Dim[];

export interface TensorType {
  readonly kind: 'tensor' | 'sparse-tensor';
  readonly elemType: number;
  readonly shape: Shape | undefined;
}

/** The type of a value. Types are immutable: a changed type is a new object. */
export type ValueType =
  | TensorType
  | { readonly kind: 'sequence' | 'optional'; readonly elementType: ValueType | undefined }
  | { readonly kind: 'map'; readonly keyType: number; readonly valueType: ValueType | undefined }
  | { readonly kind: 'opaque' }
  | { readonly kind: 'unknown' };

/** An integer attribute: a number where it is safe, a bigint beyond 2^53. */
export type Int = number | bigint;

interface AttributeValues {
  float: number;
  int: Int;
  string: Uint8Array;
  tensor: Tensor;
  graph: Graph;
  floats: readonly number[];
  ints: readonly Int[];
  strings: readonly Uint8Array[];
  tensors: readonly Tensor[];
  graphs: readonly Graph[];
  /** Kinds kept but not looked into: sparse tensors, type protos, references to function attributes. */
  opaque: undefined;
}

/** A named constant property of a node. Immutable, but for the graphs inside. */
export type Attribute = {
  [Kind in keyof AttributeValues]: {
    readonly name: string;
    readonly kind: Kind;
    readonly value: AttributeValues[Kind];
  };
}[keyof AttributeValues];

export type AttributeKind = Attribute['kind'];

export function tensorType(elemType: number, shape: Shape | undefined): TensorType {
  return { kind: 'tensor', elemType, shape };
}
