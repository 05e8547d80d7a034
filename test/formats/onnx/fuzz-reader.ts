import fc from 'fast-check';
import type { onnx } from 'onnx-proto';
import onnxProto from 'onnx-proto';
import { EdgepackError } from '../../../src/diagnostics/edgepack-error.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { printModel } from '../../../src/ir/print.ts';
import { verify } from '../../../src/ir/verify.ts';

/** A number that readers get wrong, or any. */
const oddInteger = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    2,
    7,
    8,
    127,
    128,
    255,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 32,
    2 ** 40,
    2 ** 53,
    -(2 ** 53),
  ),
  fc.nat(100),
);
const name = fc.constantFrom('', 'x', 'y', 'w', 'a', 'b', 'c', '\u202e', 'x'.repeat(300));
const bytes = fc.uint8Array({ maxLength: 24 });

const tensor: fc.Arbitrary<onnx.ITensorProto> = fc.record(
  {
    name,
    dataType: fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      oddInteger.map((value) => value | 0),
    ),
    dims: fc.array(oddInteger, { maxLength: 4 }),
    rawData: bytes,
    floatData: fc.array(fc.float(), { maxLength: 4 }),
    int32Data: fc.array(fc.integer(), { maxLength: 4 }),
    int64Data: fc.array(oddInteger, { maxLength: 4 }),
    stringData: fc.array(bytes, { maxLength: 3 }),
    dataLocation: fc.constantFrom(0, 1),
    externalData: fc.array(
      fc.record({ key: fc.constantFrom('location', 'offset', 'k'), value: fc.constantFrom('../w', 'w', '-1') }),
      {
        maxLength: 3,
      },
    ),
  },
  { requiredKeys: [] },
);

const { graph } = fc.letrec<{ graph: onnx.IGraphProto; node: onnx.INodeProto; attribute: onnx.IAttributeProto }>(
  (tie) => ({
    attribute: fc.record(
      {
        name,
        type: fc.integer({ min: 0, max: 16 }),
        refAttrName: name,
        f: fc.float(),
        i: oddInteger,
        s: bytes,
        t: tensor,
        g: tie('graph'),
        ints: fc.array(oddInteger, { maxLength: 4 }),
        floats: fc.array(fc.float(), { maxLength: 4 }),
        strings: fc.array(bytes, { maxLength: 2 }),
        tensors: fc.array(tensor, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    node: fc.record(
      {
        opType: fc.constantFrom('', 'Relu', 'Add', 'If', 'Loop', 'Constant', 'F', 'Conv'),
        domain: fc.constantFrom('', 'ai.onnx', 'd'),
        name,
        input: fc.array(name, { maxLength: 4 }),
        output: fc.array(name, { maxLength: 3 }),
        attribute: fc.array(tie('attribute'), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    graph: fc.record(
      {
        name,
        node: fc.array(tie('node'), { maxLength: 4, depthIdentifier: 'graph' }),
        initializer: fc.array(tensor, { maxLength: 2 }),
        sparseInitializer: fc.array(
          fc.record({ values: tensor, indices: tensor, dims: fc.array(oddInteger, { maxLength: 3 }) }),
          {
            maxLength: 1,
          },
        ),
        input: fc.array(valueInfo(), { maxLength: 3 }),
        output: fc.array(valueInfo(), { maxLength: 3 }),
        valueInfo: fc.array(valueInfo(), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  }),
);

function valueInfo(): fc.Arbitrary<onnx.IValueInfoProto> {
  const dim = fc.oneof(fc.record({ dimValue: oddInteger }), fc.record({ dimParam: name }), fc.constant({}));
  const tensorType = fc.record(
    { elemType: oddInteger.map((value) => value | 0), shape: fc.record({ dim: fc.array(dim, { maxLength: 4 }) }) },
    { requiredKeys: [] },
  );
  const type = fc.oneof(
    fc.record({ tensorType }),
    fc.record({ sparseTensorType: tensorType }),
    fc.record({ sequenceType: fc.record({ elemType: fc.record({ tensorType }) }) }),
    fc.constant({}),
  );
  return fc.record({ name, type }, { requiredKeys: [] });
}

/** Messages of the right form with contents that make no sense. */
export const oddModel: fc.Arbitrary<Uint8Array> = fc
  .record(
    {
      irVersion: oddInteger,
      opsetImport: fc.array(fc.record({ domain: fc.constantFrom('', 'ai.onnx', 'd'), version: oddInteger }), {
        maxLength: 3,
      }),
      metadataProps: fc.array(fc.record({ key: name, value: name }), { maxLength: 3 }),
      graph,
      functions: fc.array(
        fc.record({
          name: fc.constantFrom('F', 'Relu'),
          domain: fc.constantFrom('', 'd'),
          output: fc.array(name, { maxLength: 1 }),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  )
  .map((model) => onnxProto.onnx.ModelProto.encode(model).finish());

/** Edits of a file's bytes: replaced, removed, inserted and repeated ranges. */
export function damaged(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.tuple(fc.nat(original.length), fc.nat(8), fc.uint8Array({ maxLength: 8 }), fc.nat(3));
  return fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    let result = Buffer.from(original);
    for (const [at, length, insert, kind] of edits) {
      const start = Math.min(at, result.length);
      const end = Math.min(start + (kind === 0 ? insert.length : length), result.length);
      const middle =
        kind === 3
          ? Buffer.concat([result.subarray(start, end), result.subarray(start, end)])
          : kind === 1
            ? []
            : insert;
      result = Buffer.concat([
        result.subarray(0, start),
        Uint8Array.from(middle),
        result.subarray(kind === 2 ? start : end),
      ]);
    }
    return result;
  });
}

/**
 * Everything the reader side does with a file. Fails where anything but a known error comes out, where a model that
 * was accepted is not written and read back as the same model, or where it takes long.
 */
export function exerciseReader(file: Uint8Array): 'accepted' | 'refused' {
  const started = performance.now();
  try {
    const model = decodeModel(file);
    printModel(model);
    const copy = decodeModel(Buffer.concat(encodeModel(model).pieces));
    if (printModel(copy) !== printModel(model)) throw new Error('the copy is another model');
    locateInitializers(file);
    verify(model);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof EdgepackError)) throw error;
    if (/[\n\r]/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
    return 'refused';
  } finally {
    const durationMs = performance.now() - started;
    // biome-ignore lint/correctness/noUnsafeFinally: a slow file is the failure to report
    if (durationMs > 2000) throw new Error(`took ${durationMs} ms`);
  }
}
