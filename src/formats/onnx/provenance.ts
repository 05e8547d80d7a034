import type { Graph } from '../../ir/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Node } from '../../ir/node.ts';
import type { Attribute, ValueType } from '../../ir/types.ts';
import type { Value } from '../../ir/value.ts';
import type { Tensor, TensorData } from '../../tensor/tensor.ts';
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  TypeProto,
  ValueInfoProto,
} from './proto.ts';

/** The `value_info`-like records a value came with, by the list of its graph that carried them. */
export interface ValueInfoOrigins {
  input?: ValueInfoProto;
  output?: ValueInfoProto;
  info?: ValueInfoProto;
}

/**
 * Remembers from which message each part of the IR was read. The writer starts from that message, so that whatever the
 * IR does not model (unknown fields, doc strings, presence of empty fields, storage forms) goes out as it came in.
 * Immutable parts that are unchanged are the same object and are written back as they were.
 */
export const provenance = {
  model: new WeakMap<Model, ModelProto>(),
  graph: new WeakMap<Graph, GraphProto>(),
  node: new WeakMap<Node, NodeProto>(),
  attribute: new WeakMap<Attribute, AttributeProto>(),
  tensor: new WeakMap<Tensor, TensorProto>(),
  type: new WeakMap<ValueType, TypeProto>(),
  value: new WeakMap<Value, ValueInfoOrigins>(),
  /** Types that no record states: those of initializers, taken from their content. */
  derivedType: new WeakSet<ValueType>(),
  /** Models of which some tensor lies in another file. */
  external: new WeakSet<Model>(),
  /** Externally stored elements of tensors that the IR does not show (functions, sparse tensors, training graphs). */
  hiddenData: new WeakMap<Model, ReadonlyMap<TensorProto, TensorData>>(),
};
