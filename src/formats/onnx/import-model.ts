import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import { Model, type ModelFunction } from '../../ir/model.ts';
import { checkFunctions } from './check-functions.ts';
import { GraphImporter } from './import-graph.ts';
import type { TensorImporter } from './import-tensor.ts';
import type { ModelProto, NodeProto } from './proto.ts';
import { provenance } from './provenance.ts';
import { longToInt } from './tensor-data.ts';

const utf8 = new TextDecoder();

/**
 * Builds the IR of a decoded model. Names are resolved as the specification says: a subgraph sees the values of the
 * graphs around it.
 * @throws EdgepackError `model-invalid` where a name is defined twice or a tensor states an impossible shape.
 */
export function importModel(proto: ModelProto, importTensor: TensorImporter): Model {
  if (proto.graph === undefined) {
    throw new EdgepackError('model-unreadable', 'holds no graph', {
      hint: 'check that the file is an ONNX model and was copied whole',
    });
  }
  checkFunctions(proto);
  const graph = new GraphImporter(importTensor).graph(proto.graph);
  const model = new Model(
    graph,
    importOpsets(proto),
    proto.irVersion === undefined ? 0 : Number(longToInt(proto.irVersion)),
  );
  model.producerName = proto.producerName ?? '';
  model.producerVersion = proto.producerVersion ?? '';
  model.domain = proto.domain ?? '';
  model.docString = decodeDocString(proto);
  for (const { key, value } of proto.metadataProps ?? []) model.metadata.set(key ?? '', value ?? '');
  model.functions = (proto.functions ?? []).map(
    (fn): ModelFunction => ({
      domain: fn.domain ?? '',
      name: fn.name ?? '',
      overload: fn.overload ?? '',
      opTypes: [...new Set((fn.node ?? []).map((node) => node.opType ?? ''))],
      operators: operatorsOf(fn.node ?? []),
    }),
  );
  provenance.model.set(model, proto);
  return model;
}

function operatorsOf(nodes: readonly NodeProto[]): ModelFunction['operators'] {
  const operators: { domain: string; opType: string }[] = [];
  const pending = [...nodes].reverse();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    operators.push({ domain: node.domain ?? '', opType: node.opType ?? '' });
    for (const { g, graphs } of node.attribute ?? []) {
      for (const graph of g === undefined ? (graphs ?? []) : [g, ...(graphs ?? [])]) {
        for (const inner of [...(graph.node ?? [])].reverse()) pending.push(inner);
      }
    }
  }
  return operators;
}

/** The doc string as text; bytes that are no UTF-8 are replaced, and kept in the message. */
export function decodeDocString(proto: ModelProto): string {
  return utf8.decode(proto.docString);
}

function importOpsets(proto: ModelProto): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const opset of proto.opsetImport ?? []) {
    const domain = opset.domain ?? '';
    const version = opset.version === undefined ? 0 : Number(longToInt(opset.version));
    const same = domain === '' ? 'ai.onnx' : domain === 'ai.onnx' ? '' : domain;
    const before = opsets.get(domain) ?? opsets.get(same);
    if (before !== undefined && before !== version) {
      throw new EdgepackError(
        'model-invalid',
        `imports the operator set '${printable(domain)}' in two versions, ${before} and ${version}`,
        { hint: 'export the model again' },
      );
    }
    opsets.set(domain, version);
  }
  return opsets;
}
