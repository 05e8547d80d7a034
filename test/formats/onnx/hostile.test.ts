import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { EdgepackError } from '../../../src/diagnostics/edgepack-error.ts';
import { decodeModel, readModel } from '../../../src/formats/onnx/read-model.ts';
import { encodeModel } from '../../../src/formats/onnx/write-model.ts';
import { verify } from '../../../src/ir/verify.ts';

const { FLOAT, INT, INTS, STRING, TENSOR, GRAPH } = onnx.AttributeProto.AttributeType;

function encode(graph: onnx.IGraphProto, rest: onnx.IModelProto = {}): Uint8Array {
  return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 17 }], graph, ...rest }).finish();
}

/** Reads and verifies; the error must be a calm one. */
function refusal(bytes: Uint8Array): EdgepackError {
  const started = performance.now();
  const before = process.memoryUsage().rss;
  try {
    verify(decodeModel(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(EdgepackError);
    const refused = error as EdgepackError;
    expect(refused.exitCode).toBe(3);
    for (const character of ['\n', '\u0007', '\u202e']) expect(refused.message).not.toContain(character);
    expect(refused.message.length).toBeLessThan(600);
    expect(refused.hint).toBeTruthy();
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20 + bytes.byteLength);
    return refused;
  }
  throw new Error('was accepted');
}

function wrap(fieldId: number, content: Uint8Array): Buffer {
  const prefix: number[] = [];
  for (let rest of [fieldId * 8 + 2, content.length]) {
    for (; rest >= 128; rest = Math.floor(rest / 128)) prefix.push((rest % 128) | 128);
    prefix.push(rest);
  }
  return Buffer.concat([Uint8Array.from(prefix), content]);
}

/** The same few bytes many times inside a graph. */
function repeated(fieldId: number, content: Uint8Array, count: number): Buffer {
  return wrap(7, Buffer.alloc(wrap(fieldId, content).length * count, wrap(fieldId, content)));
}

describe('files that are no models', () => {
  test.each([
    ['empty bytes', new Uint8Array(0), 'holds no graph'],
    ['text', Buffer.from('<!DOCTYPE html><html>not a model</html>'), 'is not a readable ONNX model'],
    ['zeros', Buffer.alloc(1000), 'is not a readable ONNX model'],
    ['a zip archive', Buffer.from('504b0304140000000800', 'hex'), 'is not a readable ONNX model'],
    ['a length past the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 0), 'says that'],
    ['a length of 2^63', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), 'says that'],
    ['an endless number', Buffer.alloc(100, 0xff), 'number of more than ten bytes'],
    ['an open group', Uint8Array.of(0x3b, 0x08, 0x01), 'group without an end'],
    ['deep groups', Buffer.alloc(1_000_000, 0x3b), 'nested deeper'],
  ])('%s', (_name, bytes, message) => {
    expect(refusal(bytes).message).toContain(message);
    expect(refusal(bytes).code).toBe('model-unreadable');
  });

  test('every truncation of a model is refused or is a shorter model', () => {
    const bytes = encode({
      name: 'g',
      node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      input: [{ name: 'x' }],
      output: [{ name: 'y' }],
      initializer: [{ name: 'w', dataType: 1, dims: [2], floatData: [1, 2] }],
    });
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeModel(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(EdgepackError);
      }
    }
  });

  test('a folder, a missing file, an empty file, a pipe and a device', () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgepack-hostile-'));
    const empty = join(folder, 'empty.onnx');
    writeFileSync(empty, '');
    const paths: [string, string][] = [
      [folder, 'model-unreadable'],
      [empty, 'model-unreadable'],
      [join(folder, 'none'), 'file-not-found'],
    ];
    if (process.platform !== 'win32') {
      spawnSync('mkfifo', [join(folder, 'pipe')]);
      paths.push([join(folder, 'pipe'), 'model-unreadable'], ['/dev/zero', 'model-unreadable']);
    }
    for (const [path, code] of paths) {
      expect(() => readModel(path)).toThrow(expect.objectContaining({ code, location: { file: path } }));
    }
    rmSync(folder, { recursive: true });
  });
});

describe('sizes, depths and counts', () => {
  test('graphs nested in graphs', () => {
    let graph: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 5000; i++) {
      const attribute = Buffer.concat([
        onnx.AttributeProto.encode({ name: 'b', type: GRAPH }).finish(),
        wrap(6, graph),
      ]);
      graph = wrap(1, Buffer.concat([wrap(2, Buffer.from('y')), wrap(4, Buffer.from('If')), wrap(5, attribute)]));
    }
    expect(refusal(wrap(7, graph)).message).toContain('nested deeper than 100 levels');
  });

  test('types nested in types', () => {
    let type: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 5000; i++) type = wrap(4, wrap(1, type));
    expect(refusal(wrap(7, wrap(11, Buffer.concat([wrap(1, Buffer.from('x')), wrap(2, type)])))).message).toContain(
      'nested deeper',
    );
  });

  test.each<[string, () => Buffer]>([
    ['nodes', () => repeated(1, new Uint8Array(0), 4_000_000)],
    ['initializers', () => repeated(5, new Uint8Array(0), 4_000_000)],
    ['inputs', () => repeated(11, new Uint8Array(0), 4_000_000)],
    ['value_info', () => repeated(13, new Uint8Array(0), 4_000_000)],
    ['unknown fields', () => Buffer.alloc(8_000_000, Uint8Array.of(0x78, 0x00))],
    ['metadata entries', () => Buffer.alloc(8_000_000, wrap(14, new Uint8Array(0)))],
    ['names', () => wrap(7, wrap(1, Buffer.alloc(16_000_000, Uint8Array.of(0x0a, 0x00))))],
    ['attributes', () => wrap(7, wrap(1, Buffer.alloc(8_000_000, wrap(5, new Uint8Array(0)))))],
    ['attribute integers', () => wrap(7, wrap(1, wrap(5, Buffer.alloc(16_000_000, Uint8Array.of(0x40, 0x01)))))],
    ['packed attribute integers', () => wrap(7, wrap(1, wrap(5, wrap(8, Buffer.alloc(8_000_000, 1)))))],
    ['dims', () => wrap(7, wrap(5, Buffer.alloc(16_000_000, Uint8Array.of(0x08, 0x01))))],
    ['strings of a tensor', () => wrap(7, wrap(5, Buffer.alloc(16_000_000, Uint8Array.of(0x32, 0x00))))],
  ])('millions of %s', (_name, make) => {
    expect(refusal(make()).code).toBe('model-too-large');
  });

  test('tensors whose shape asks for more than the file holds', () => {
    const tensor = { name: 'bomb', dataType: 1, dims: [2 ** 20, 2 ** 19], floatData: [1] };
    expect(refusal(encode({ initializer: [tensor] }))).toMatchObject({
      code: 'model-invalid',
      location: { tensor: 'bomb' },
    });
    const node = {
      opType: 'Constant',
      name: 'n',
      output: ['c'],
      attribute: [{ name: 'value', type: TENSOR, t: tensor }],
    };
    expect(refusal(encode({ node: [node] })).location).toEqual({ node: 'n', tensor: 'bomb' });
  });

  test('packed numbers of small tensors take no more memory than they must', () => {
    const int32Data = new Array(4_000_000).fill(1);
    const bytes = encode({ initializer: [{ name: 'w', dataType: 2, dims: [int32Data.length], int32Data }] });
    int32Data.length = 0;
    const before = process.memoryUsage().rss;
    const model = decodeModel(bytes);
    expect([...model.graph.initializers][0]!.tensor!.bytes().byteLength).toBe(4_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  test('a chain of 60,000 nodes is read, verified and written in 2 s', () => {
    const count = 60_000;
    const bytes = encode({
      name: 'g',
      node: Array.from({ length: count }, (_, i) => ({ opType: 'Relu', input: [`v${i}`], output: [`v${i + 1}`] })),
      input: [{ name: 'v0' }],
      output: [{ name: `v${count}` }],
    });
    // Processor time, which other work on the machine does not count in.
    const started = process.cpuUsage();
    const model = decodeModel(bytes);
    verify(model);
    const { pieces } = encodeModel(model);
    const { user, system } = process.cpuUsage(started);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect((user + system) / 1e6).toBeLessThan(2);
  });

  test('names of 5 MB are read, and shortened in messages', () => {
    const long = 'n'.repeat(5_000_000);
    const node = { opType: 'Relu', name: long, input: ['x'], output: [long] };
    const bytes = encode({ node: [node], input: [{ name: 'x' }] });
    expect(Buffer.concat(encodeModel(decodeModel(bytes)).pieces).equals(bytes)).toBe(true);
    refusal(encode({ node: [node, node], input: [{ name: 'x' }] }));
    refusal(encode({ node: [{ ...node, input: [`${long}x`] }] }));
    refusal(encode({ initializer: [{ name: long, dataType: 1, dims: [7] }] }));
    refusal(
      encode(
        {},
        {
          opsetImport: [
            { domain: long, version: 1 },
            { domain: long, version: 2 },
          ],
        },
      ),
    );
    refusal(encode({}, { functions: [{ name: long }, { name: long }] }));
    refusal(encode({ node: [{ ...node, attribute: [{ name: long, type: INT, f: 1 }] }] }));
  });
});

describe('broken graphs', () => {
  const relu = (name: string, input: string, output: string) => ({
    opType: 'Relu',
    name,
    input: [input],
    output: [output],
  });
  const input = [{ name: 'x' }];

  test.each<[string, onnx.IGraphProto, object]>([
    [
      'a cycle',
      { node: [relu('n1', 'b', 'a'), relu('n2', 'a', 'b')] },
      { location: { node: 'n1' }, message: expect.stringContaining('cycle') },
    ],
    [
      'nodes out of order',
      { input, node: [relu('n1', 'a', 'b'), relu('n2', 'x', 'a')] },
      { location: { node: 'n1' }, message: expect.stringContaining('topological') },
    ],
    [
      'a name made twice',
      { input, node: [relu('n1', 'x', 'a'), relu('n2', 'x', 'a')] },
      { location: { node: 'n2', tensor: 'a' } },
    ],
    ['an input that a node makes', { input, node: [relu('n1', 'x', 'x')] }, { location: { node: 'n1', tensor: 'x' } }],
    ['two inputs of one name', { input: [...input, ...input] }, { location: { tensor: 'x' } }],
    ['an undefined input', { node: [relu('n1', 'ghost', 'a')] }, { location: { node: 'n1' } }],
    ['an undefined output', { output: [{ name: 'ghost' }] }, { message: expect.stringContaining("'ghost'") }],
    ['a nameless input', { input: [{}] }, { message: expect.stringContaining('without a name') }],
    [
      'a node without outputs',
      { input, node: [{ opType: 'Relu', name: 'n1', input: ['x'] }] },
      { location: { node: 'n1' } },
    ],
    [
      'a node without operator',
      { input, node: [{ name: 'n1', input: ['x'], output: ['a'] }] },
      { location: { node: 'n1' } },
    ],
    [
      'two attributes of one name',
      {
        node: [
          {
            opType: 'A',
            name: 'n1',
            output: ['a'],
            attribute: [
              { name: 'k', type: INT, i: 1 },
              { name: 'k', type: INT, i: 2 },
            ],
          },
        ],
      },
      { location: { node: 'n1' } },
    ],
    [
      'an int that is a float',
      { node: [{ opType: 'A', name: 'n1', output: ['a'], attribute: [{ name: 'k', type: INT, f: 1 }] }] },
      {
        location: { node: 'n1' },
        message: expect.stringContaining('says it is of type int but holds a value of type float'),
      },
    ],
    [
      'ints that are a string',
      {
        node: [
          { opType: 'A', name: 'n1', output: ['a'], attribute: [{ name: 'k', type: INTS, s: new Uint8Array(3) }] },
        ],
      },
      { location: { node: 'n1' } },
    ],
    [
      'a tensor that is missing',
      { node: [{ opType: 'A', name: 'n1', output: ['a'], attribute: [{ name: 'k', type: TENSOR }] }] },
      { location: { node: 'n1' } },
    ],
  ])('%s', (_name, graph, expected) => {
    expect(refusal(encode(graph))).toMatchObject({ code: 'model-invalid', ...expected });
  });

  test('a standard operator with an attribute of the wrong type', () => {
    const attribute = [{ name: 'kernel_shape', type: STRING, s: Buffer.from('3x3') }];
    const conv = (domain: string) => ({
      opType: 'Conv',
      domain,
      name: 'c',
      input: ['x', 'x'],
      output: ['y'],
      attribute,
    });
    expect(refusal(encode({ input, node: [conv('')] }))).toMatchObject({
      message: "its attribute 'kernel_shape' is of type string and must be ints",
      location: { node: 'c' },
    });
    expect(() => decodeModel(encode({ input, node: [conv('com.example')] }))).not.toThrow();
  });

  test('nodes out of order are read, as some exporters write them; cycles are not', () => {
    const unsorted = decodeModel(encode({ input, node: [relu('n1', 'a', 'b'), relu('n2', 'x', 'a')] }));
    expect(() => verify(unsorted)).toThrow(/topological/);
    expect(() =>
      decodeModel(encode({ input, node: [relu('n0', 'a', 'd'), relu('n1', 'b', 'a'), relu('n2', 'a', 'b')] })),
    ).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('cycle'),
        location: { node: expect.stringMatching(/n[12]/) },
      }),
    );
    const branch = {
      opType: 'If',
      name: 'if',
      input: ['x'],
      output: ['o'],
      attribute: [{ name: 'then_branch', type: GRAPH, g: { node: [relu('in', 'z', 'i')] } }],
    };
    expect(() => decodeModel(encode({ input, node: [branch, relu('late', 'x', 'z')] }))).not.toThrow();
    expect(() => decodeModel(encode({ input, node: [branch, relu('late', 'o', 'z')] }))).toThrow(/cycle/);
  });

  test('zero values that a writer left out are zero', () => {
    const attribute = [
      { name: 'i', type: INT },
      { name: 'f', type: FLOAT },
      { name: 's', type: STRING },
      { name: 'is', type: INTS },
    ];
    const model = decodeModel(encode({ node: [{ opType: 'A', output: ['a'], attribute }] }));
    const node = model.graph.nodes().next().value!;
    expect([node.int('i'), node.float('f'), node.string('s'), node.ints('is')]).toEqual([0, 0, '', []]);
  });

  test('an error inside a subgraph names the inner node', () => {
    const inner = { opType: 'B', name: 'inner', output: ['b'], attribute: [{ name: 'k', type: INT, f: 1 }] };
    const outer = {
      opType: 'If',
      name: 'outer',
      output: ['a'],
      attribute: [{ name: 'then_branch', type: GRAPH, g: { node: [inner] } }],
    };
    expect(refusal(encode({ node: [outer] })).location).toEqual({ node: 'inner' });
  });
});

describe('functions', () => {
  const call = (name: string, output = 'y') => ({ opType: name, domain: 'd', input: ['x'], output: [output] });
  const fn = (name: string, node: onnx.INodeProto[]) => ({ name, domain: 'd', input: ['x'], output: ['y'], node });

  test('that call themselves, directly, through others or in a subgraph', () => {
    expect(refusal(encode({}, { functions: [fn('f', [call('f')])] })).message).toBe("the function 'd.f' calls itself");
    expect(refusal(encode({}, { functions: [fn('f', [call('g')]), fn('g', [call('f')])] })).message).toContain(
      'calls itself',
    );
    const branch = {
      ...call('If'),
      domain: '',
      attribute: [{ name: 'then_branch', type: GRAPH, g: { node: [call('f', 'z')] } }],
    };
    expect(refusal(encode({}, { functions: [fn('f', [branch])] })).message).toContain('calls itself');
  });

  test('that stand for billions of nodes', () => {
    const functions = Array.from({ length: 40 }, (_, i) =>
      fn(`f${i}`, [call(`f${i + 1}`, 'a'), call(`f${i + 1}`, 'y')]),
    );
    functions.push(fn('f40', [{ opType: 'Relu', input: ['x'], output: ['y'] }]));
    expect(refusal(encode({ input: [{ name: 'x' }], node: [call('f0')] }, { functions })).code).toBe('model-too-large');
  });

  test('that call each other very deep', () => {
    const functions = Array.from({ length: 20_000 }, (_, i) => fn(`f${i}`, [call(`f${i + 1}`)]));
    expect(refusal(encode({}, { functions })).code).toBe('model-too-large');
  });

  test('that are defined twice or promise what they do not make', () => {
    const body = [{ opType: 'Relu', input: ['x'], output: ['y'] }];
    expect(refusal(encode({}, { functions: [fn('f', body), fn('f', body)] })).message).toContain('twice');
    expect(refusal(encode({}, { functions: [fn('f', [])] })).message).toContain("graph output 'y' is not defined");
  });

  test('that are sound pass and are listed', () => {
    const functions = [fn('f', [call('g')]), fn('g', [{ opType: 'Relu', input: ['x'], output: ['y'] }])];
    const bytes = encode({ input: [{ name: 'x' }], node: [call('f')] }, { functions });
    expect(decodeModel(bytes).functions.map(({ name, opTypes }) => [name, opTypes])).toEqual([
      ['f', ['g']],
      ['g', ['Relu']],
    ]);
  });
});
