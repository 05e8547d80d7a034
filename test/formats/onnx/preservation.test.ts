import { onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { cloneModel } from '../../../src/formats/onnx/clone-model.ts';
import { decodeModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import type { Model } from '../../../src/ir/model.ts';
import { attr } from '../../../src/ir/node.ts';
import { tensorType } from '../../../src/ir/types.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';

function encoded(model: Model): Buffer {
  return Buffer.concat(encodeModel(model).pieces);
}

/** A length-delimited field. */
function wrap(fieldId: number, content: Uint8Array): Buffer {
  const prefix: number[] = [];
  for (let rest of [fieldId * 8 + 2, content.length]) {
    for (; rest >= 128; rest = Math.floor(rest / 128)) prefix.push((rest % 128) | 128);
    prefix.push(rest);
  }
  return Buffer.concat([Uint8Array.from(prefix), content]);
}

const unknown = (text: string) => wrap(3000, Buffer.from(text));
const float = { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, { dimValue: 4 }] } } };

/** A model with a field that no schema knows in each message, and fields in the order of their numbers otherwise. */
function modelWithUnknownFields(): Buffer {
  const m = <T>(encoder: { encode(message: T): { finish(): Uint8Array } }, message: T, text: string) =>
    Buffer.concat([encoder.encode(message).finish(), unknown(text)]);
  const attribute = m(onnx.AttributeProto, { name: 'alpha', type: 1, f: 0.25 }, 'attribute');
  const first = Buffer.concat([
    onnx.NodeProto.encode({ input: ['x'], output: ['a'], name: 'first', opType: 'LeakyRelu' }).finish(),
    wrap(5, attribute),
    wrap(6, Buffer.from('a note')),
    unknown('first'),
  ]);
  const second = m(onnx.NodeProto, { input: ['a', 'w'], output: ['y'], name: 'second', opType: 'Add' }, 'second');
  const tensor = Buffer.concat([
    Uint8Array.of(8, 4), // dims, not packed, as proto2 writes them
    m(onnx.TensorProto, { dataType: 1, floatData: [1, 2, 3, 4], name: 'w' }, 'tensor'),
  ]);
  const input = m(onnx.ValueInfoProto, { name: 'x', type: float }, 'input');
  const output = m(onnx.ValueInfoProto, { name: 'y', type: float }, 'output');
  const info = m(onnx.ValueInfoProto, { name: 'a', type: float }, 'info');
  const graph = Buffer.concat([
    wrap(1, first),
    wrap(1, second),
    wrap(2, Buffer.from('g')),
    wrap(5, tensor),
    wrap(11, input),
    wrap(12, output),
    wrap(13, info),
    unknown('graph'),
  ]);
  return Buffer.concat([
    onnx.ModelProto.encode({ irVersion: 8 }).finish(),
    wrap(7, graph),
    wrap(8, m(onnx.OperatorSetIdProto, { domain: '', version: 17 }, 'opset')),
    wrap(14, m(onnx.StringStringEntryProto, { key: 'k', value: 'v' }, 'metadata')),
    unknown('model'),
  ]);
}

const everywhere = [
  'attribute',
  'first',
  'second',
  'tensor',
  'input',
  'output',
  'info',
  'graph',
  'opset',
  'metadata',
  'model',
];

function marksIn(bytes: Buffer): string[] {
  return everywhere.filter((text) => bytes.includes(unknown(text)));
}

describe('unknown fields', () => {
  test('are written back as they were', () => {
    const bytes = modelWithUnknownFields();
    expect(encoded(decodeModel(bytes)).equals(bytes)).toBe(true);
  });

  test('stay with the messages that are edited', () => {
    const model = decodeModel(modelWithUnknownFields());
    const [first, second] = [...model.graph.nodes()];
    first!.name = 'renamed';
    first!.output.type = tensorType(1, [2, 4]);
    second!.setAttribute(attr.int('extra', 1));
    model.graph.inputs[0]!.name = 'z';
    model.metadata.set('new', 'entry');
    model.opsetImports.set('', 18);
    model.docString = 'changed';
    for (const value of model.graph.initializers) value.name = 'weights';
    const bytes = encoded(model);
    expect(marksIn(bytes)).toEqual(everywhere);
    const copy = decodeModel(bytes);
    expect(copy.docString).toBe('changed');
    expect([...copy.metadata]).toEqual([
      ['k', 'v'],
      ['new', 'entry'],
    ]);
    expect([...copy.graph.nodes()].map((node) => node.inputs.map((value) => value!.name))).toEqual([
      ['z'],
      ['a', 'weights'],
    ]);
  });

  test('go with what is removed', () => {
    const model = decodeModel(modelWithUnknownFields());
    const [first, second] = [...model.graph.nodes()];
    second!.setInput(0, model.graph.inputs[0]);
    model.graph.remove(first!);
    expect(marksIn(encoded(model))).toEqual(
      everywhere.filter((text) => !['attribute', 'first', 'info'].includes(text)),
    );
  });

  test('are in a clone too, which can be edited on its own', () => {
    const bytes = modelWithUnknownFields();
    const model = decodeModel(bytes);
    const clone = cloneModel(model);
    expect(encoded(clone).equals(bytes)).toBe(true);
    [...clone.graph.nodes()][0]!.name = 'other';
    for (const value of clone.graph.initializers) {
      value.name = 'w2';
      value.tensor = Tensor.float32('w2', [4], [9, 9, 9, 9]);
    }
    expect(encoded(model).equals(bytes)).toBe(true);
    expect(encoded(cloneModel(clone)).equals(encoded(clone))).toBe(true);
  });
});

describe('presence and repetition', () => {
  test('empty strings, zero numbers and empty lists that the file states are kept', () => {
    const node = { input: ['x', '', 'x'], output: ['y', ''], name: '', opType: 'Clip', domain: '', docString: '' };
    const attribute = [
      { name: 'i', type: 2, i: 0 },
      { name: 'f', type: 1, f: 0 },
      { name: 's', type: 3, s: new Uint8Array(0) },
      { name: 'none', type: 7 },
    ];
    const bytes = onnx.ModelProto.encode({
      irVersion: 0,
      producerName: '',
      docString: '',
      modelVersion: 0,
      opsetImport: [{ domain: '', version: 0 }],
      metadataProps: [{ key: 'k', value: '' }, { key: 'bare' }],
      graph: {
        name: '',
        docString: '',
        node: [{ ...node, attribute }],
        input: [{ name: 'x', docString: '' }],
        output: [{ name: 'y', type: {} }],
        initializer: [{ name: 'w', dataType: 1, dims: [0], rawData: new Uint8Array(0), docString: '' }],
      },
    }).finish();
    const sorted = onnx.ModelProto.encode(onnx.ModelProto.decode(bytes)).finish();
    const model = decodeModel(sorted);
    expect(onnx.ModelProto.decode(encoded(model))).toEqual(onnx.ModelProto.decode(sorted));
    const inputs = [...model.graph.nodes()][0]!.inputs;
    expect(inputs.map((value) => value?.name)).toEqual(['x', undefined, 'x']);
  });

  test('repeated value_info, opset and metadata entries are kept', () => {
    const info = { name: 'a', type: float };
    const model = decodeModel(
      onnx.ModelProto.encode({
        irVersion: 8,
        opsetImport: [{ domain: '', version: 9 }, { version: 9 }],
        metadataProps: [
          { key: 'k', value: 'one' },
          { key: 'k', value: 'two' },
        ],
        graph: {
          node: [
            { opType: 'Relu', input: ['x'], output: ['a'] },
            { opType: 'Relu', input: ['a'], output: ['y'] },
          ],
          input: [{ name: 'x', type: float }],
          output: [{ name: 'y', type: float }],
          valueInfo: [info, { name: 'nobody', type: float }, info, { name: 'x', type: {} }],
        },
      }).finish(),
    );
    const copy = onnx.ModelProto.decode(encoded(model));
    expect(copy.opsetImport).toHaveLength(2);
    expect(copy.metadataProps.map(({ value }) => value)).toEqual(['one', 'two']);
    expect(copy.graph!.valueInfo!.map(({ name }) => name)).toEqual(['a', 'nobody', 'a', 'x']);
  });

  test('two versions of one operator set are refused, under either name of the default one', () => {
    const opsets = (...opsetImport: onnx.IOperatorSetIdProto[]) =>
      onnx.ModelProto.encode({ irVersion: 8, opsetImport, graph: {} }).finish();
    expect(() => decodeModel(opsets({ version: 9 }, { version: 13 }))).toThrow(/two versions, 9 and 13/);
    expect(() => decodeModel(opsets({ version: 9 }, { domain: 'ai.onnx', version: 13 }))).toThrow(/two versions/);
    expect(() => decodeModel(opsets({ version: 9 }, { domain: 'ai.onnx', version: 9 }))).not.toThrow();
  });

  test('a type taken over from another value replaces the stated one', () => {
    const other = { tensorType: { elemType: 10, shape: { dim: [{ dimValue: 7 }] } } };
    const model = decodeModel(
      onnx.ModelProto.encode({
        irVersion: 8,
        graph: {
          node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
          input: [{ name: 'x', type: float }],
          output: [{ name: 'y', type: other }],
        },
      }).finish(),
    );
    const [input] = model.graph.inputs;
    model.graph.outputs[0]!.type = input!.type;
    const copy = onnx.ModelProto.decode(encoded(model));
    expect(copy.graph!.output![0]!.type!.tensorType!.elemType).toBe(1);
  });
});

describe('text that is not UTF-8', () => {
  const bad = Uint8Array.of(0x66, 0xff, 0xfe);

  test('survives in doc strings', () => {
    const bytes = Buffer.concat([
      onnx.ModelProto.encode({ irVersion: 8 }).finish(),
      wrap(6, bad),
      wrap(
        7,
        Buffer.concat([
          wrap(1, Buffer.concat([wrap(2, Buffer.from('y')), wrap(4, Buffer.from('Op')), wrap(6, bad)])),
          wrap(10, bad),
        ]),
      ),
    ]);
    expect(encoded(decodeModel(bytes)).equals(bytes)).toBe(true);
  });

  test.each([
    ['node name', wrap(1, Buffer.concat([wrap(2, Buffer.from('y')), wrap(3, bad), wrap(4, Buffer.from('Op'))]))],
    ['node output', wrap(1, wrap(2, bad))],
    ['graph name', wrap(2, bad)],
    ['initializer name', wrap(5, wrap(8, bad))],
    ['input name', wrap(11, wrap(1, bad))],
  ])('is refused in a %s', (_name, graph) => {
    expect(() => decodeModel(wrap(7, graph))).toThrow(expect.objectContaining({ code: 'model-invalid' }));
    expect(() => decodeModel(wrap(7, graph))).toThrow(/is not valid UTF-8 \(at byte \d+\)/);
  });

  test('valid text of any script is kept', () => {
    const names = ['\u6a21\u578b', 'mod\u00e8le', '\ud83d\ude00', '\u202eabc', 'e\u0301', '\ufeffbom'];
    const bytes = onnx.ModelProto.encode({
      irVersion: 8,
      graph: { node: names.map((name) => ({ opType: 'Op', output: [name] })) },
    }).finish();
    const model = decodeModel(bytes);
    expect([...model.graph.nodes()].map((node) => node.output.name)).toEqual(names);
    expect(encoded(model).equals(bytes)).toBe(true);
  });
});
