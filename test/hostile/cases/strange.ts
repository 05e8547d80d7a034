import type { onnx } from 'onnx-proto';
import { files, handled, notLoaded, notRun, write } from '../hostile-case.ts';
import { attribute, bytes, floats, graph, ints, model, node, noise, soundGraph, value } from '../onnx-messages.ts';

const chain = (count: number, operators: readonly string[]) =>
  model(
    graph(
      Array.from({ length: count }, (_, i) =>
        node(operators[i % operators.length]!, [i === 0 ? 'x' : `v${i}`], [i === count - 1 ? 'y' : `v${i + 1}`]),
      ),
    ),
  );
const tooManyNodes = /it has \d+ nodes, more than 15\d\d/;
export const chainOf60000 = notLoaded(() => chain(60_000, ['Relu']), tooManyNodes);
export const chainOf20000Layers = notLoaded(() => chain(20_000, ['Neg', 'Abs', 'Sigmoid']), tooManyNodes);
export const chainOf1000Layers = handled(() => chain(1000, ['Neg', 'Abs', 'Sigmoid']));
export const nodesInASubgraph = notLoaded(() => {
  const relus = Array.from({ length: 12_000 }, (_, i) => node('Relu', [i === 0 ? 'x' : `t${i}`], [`t${i + 1}`]));
  const branch = (name: string, nodes: onnx.INodeProto[], output: string) =>
    attribute.graph(name, { name, node: nodes, output: [value(output, undefined)] });
  const branches = [branch('then_branch', relus, 't12000'), branch('else_branch', [node('Neg', ['x'], ['e'])], 'e')];
  const condition = { name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(1) };
  return model(graph([node('If', ['c'], ['y'], branches)], { initializer: [condition] }));
}, tooManyNodes);
/** Nodes without weights; the last reads the input, so that the others may be computed ahead. */
const ofConstants = (count: number, inputs: (before: string, i: number) => string[], opType = 'Add') =>
  model(
    graph(
      [
        ...Array.from({ length: count }, (_, i) => node(opType, inputs(i === 0 ? 'one' : `k${i}`, i), [`k${i + 1}`])),
        node('Add', ['x', `k${count}`], ['y']),
      ],
      { initializer: [floats('one', [1], [1])] },
    ),
  );
export const chainOf9000Constants = notLoaded(() => ofConstants(9000, (before) => [before, 'one']), tooManyNodes);
/** Twice as many ways through it with each node. */
export const squaresOfAConstant = handled(() => ofConstants(60, (before) => [before, before], 'Mul'));
export const castsOfAConstant = notLoaded(
  () =>
    model(
      graph(
        [
          ...Array.from({ length: 12_000 }, (_, i) =>
            node('Cast', [i === 0 ? 'one' : `k${i}`], [`k${i + 1}`], [attribute.int('to', 1)], { name: '' }),
          ),
          node('Add', ['x', 'k12000'], ['y']),
        ],
        { initializer: [floats('one', [1], [1])] },
      ),
    ),
  tooManyNodes,
);
/** 900 ways from each node to the one before. */
export const wideMaximaInARow = handled(() =>
  model(
    graph([
      node('Abs', ['x'], ['m0']),
      ...Array.from({ length: 5 }, (_, i) => node('Max', new Array(900).fill(`m${i}`), [`m${i + 1}`])),
      node('Relu', ['m5'], ['y']),
    ]),
  ),
);
export const manyInitializers = notLoaded(
  () =>
    model(
      graph([node('Relu', ['x'], ['y'])], {
        initializer: Array.from({ length: 20_000 }, (_, i) => floats(`w${i}`, [1], [i])),
      }),
    ),
  /it has 20000 initializers, more than 3156 for its 79 KiB/,
);
export const functionOf20000Nodes = notLoaded(
  () =>
    model(graph([node('F', ['x'], ['y'], [], { domain: 'd' })]), {
      opsetImport: [{ version: 17 }, { domain: 'd', version: 1 }],
      functions: [
        {
          name: 'F',
          domain: 'd',
          input: ['p'],
          output: ['q20000'],
          opsetImport: [{ version: 17 }],
          node: Array.from({ length: 20_000 }, (_, i) =>
            node('Relu', [i === 0 ? 'p' : `q${i}`], [`q${i + 1}`], [], { name: '' }),
          ),
        },
      ],
    }),
  /it has 20000 nodes, more than 1500/,
);
/** As many nodes that read the same value, and one that reads all they give. */
function fan(count: number): Uint8Array {
  const branches = Array.from({ length: count }, (_, i) => node('Add', ['x', `c${i}`], [`b${i}`]));
  const outputs = branches.map(({ output }) => output![0]!);
  return model(
    graph([...branches, node('Sum', outputs, ['y'])], {
      initializer: outputs.map((_, i) => floats(`c${i}`, [1], [i / count])),
    }),
  );
}
export const manyReaders = notLoaded(() => fan(1200), /the value 'x' is read by 1200 nodes, more than 1000/);
export const manyInputs = notLoaded(() => {
  const unused = Array.from({ length: 20_000 }, (_, i) => value(`u${i}`, [1]));
  return model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', [1, 4]), ...unused] }));
}, /its inputs are 20001, more than 1000/);
export const manyOutputs = notLoaded(() => {
  const relus = Array.from({ length: 1200 }, (_, i) => node('Relu', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`]));
  return model(graph(relus, { output: relus.map(({ output }) => value(output![0]!, undefined)) }));
}, /its outputs are 1200, more than 1000/);
export const nodeOfManyOutputs = notLoaded(() => {
  const pieces = Array.from({ length: 20_000 }, (_, i) => `o${i}`);
  return model(
    graph([node('Split', ['x'], pieces, [attribute.int('axis', 1)]), node('Relu', ['o0'], ['y'])], {
      input: [value('x', [1, 20_000])],
    }),
  );
}, /outputs of the node .* are 20000, more than 1000/);
export const hundredsOfReaders = handled(() => fan(400));
export const noNodes = handled(() => model(graph([], { output: [value('x', [1, 4])] })));
export const noNodesAtAll = handled(() => model({ name: 'nothing' }), { compress: 'either' });
export const initializerAsOutput = handled(() =>
  model(graph([], { output: [value('w', [4])], initializer: [floats('w', [4], [1, 2, 3, 4])] })),
);
export const noInputs = handled(() =>
  model(graph([node('Relu', ['w'], ['y'])], { input: [], initializer: [floats('w', [4], [1, -2, 3, -4])] })),
);
export const noOutputs = handled(() => model(graph([node('Relu', ['x'], ['y'])], { output: [] })), {
  compress: 'either',
});
export const outputTwice = handled(
  () => model(graph([node('Relu', ['x'], ['y'])], { output: [value('y', [1, 4]), value('y', [1, 4])] })),
  {
    compress: 'either',
  },
);
export const deadNodes = handled(() =>
  model(graph([node('Relu', ['x'], ['y']), node('Exp', ['x'], ['unused']), node('Log', ['unused'], ['unused2'])])),
);
export const optionalInputs = handled(() =>
  model(
    graph(
      [
        node('Clip', ['x', '', 'high'], ['c']),
        node('Resize', ['c4', '', 'scales', ''], ['r']),
        node('Reshape', ['c', 'four'], ['c4']),
        node('Relu', ['r'], ['y']),
      ],
      {
        initializer: [floats('high', [], [0.5]), floats('scales', [4], [1, 1, 2, 2]), ints('four', [1, 1, 2, 2])],
      },
    ),
  ),
);
export const unsortedNodes = handled(() => model(graph([node('Relu', ['h'], ['y']), node('Neg', ['x'], ['h'])])), {
  compress: 'either',
});
export const omittedOutputs = handled(() =>
  model(
    graph(
      [
        node('Dropout', ['x'], ['d', '']),
        node('TopK', ['d', 'k'], ['v', 'i']),
        node('Cast', ['i'], ['y'], [attribute.int('to', 1)]),
      ],
      { initializer: [ints('k', [2])] },
    ),
  ),
);
export const customDomain = notRun(
  () =>
    model(graph([node('Magic', ['x'], ['y'], [], { domain: 'com.example.\u202eevil' })]), {
      opsetImport: [{ version: 17 }, { domain: 'com.example.\u202eevil', version: 1 }],
    }),
  /Magic|com\.example/,
  'handled',
);
export const mlDomain = handled(() =>
  model(
    graph([
      node('Scaler', ['x'], ['y'], [attribute.floats('offset', [1]), attribute.floats('scale', [2])], {
        domain: 'ai.onnx.ml',
      }),
    ]),
    {
      opsetImport: [{ version: 17 }, { domain: 'ai.onnx.ml', version: 3 }],
    },
  ),
);
export const opset7 = handled(() => model(soundGraph(), { irVersion: 3, opsetImport: [{ version: 7 }] }), {
  compress: 'either',
});
export const newestOpset = handled(() => model(soundGraph(), { irVersion: 10, opsetImport: [{ version: 21 }] }));
export const initializersAsInputs = handled(() => {
  const content = soundGraph();
  return model(
    { ...content, input: [...content.input!, value('w1', [4, 8]), value('w2', [8, 3]), value('b', [3])] },
    { irVersion: 3 },
  );
});
export const defaultsOfInputs = handled(() => {
  const content = soundGraph();
  return model({ ...content, input: [...content.input!, value('w1', [4, 8])] });
});
export const symbolicEverywhere = handled(() => {
  const content = soundGraph();
  return model({
    ...content,
    input: [value('x', ['batch \u001b[31m', 4])],
    output: [value('y', ['batch \u001b[31m', 3])],
  });
});
export const unknownRank = handled(
  () => model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', undefined)] })),
  { compress: 'either' },
);
export const inputOfZeroSize = handled(
  () => model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', [0, 4])] })),
  { compress: 'either' },
);
export const half = handled(() =>
  model(
    graph(
      [
        node('Cast', ['x'], ['h'], [attribute.int('to', 10)]),
        node('Add', ['h', 'w'], ['a']),
        node('Cast', ['a'], ['y'], [attribute.int('to', 1)]),
      ],
      {
        initializer: [
          { name: 'w', dataType: 10, dims: [4], rawData: Uint8Array.of(0, 0x7c, 1, 0x7c, 0, 0x3c, 0, 0xfc) },
        ],
      },
    ),
  ),
);
export const doubles = handled(() =>
  model(
    graph([node('Mul', ['x', 'w'], ['y'])], {
      input: [value('x', [1, 4], 11)],
      output: [value('y', undefined, 11)],
      initializer: [{ name: 'w', dataType: 11, dims: [4], doubleData: [1e300, -1e-300, 0, 1] }],
    }),
  ),
);
export const booleans = handled(() =>
  model(graph([node('Not', ['x'], ['y'])], { input: [value('x', [1, 4], 9)], output: [value('y', undefined, 9)] })),
);
export const integersOnly = handled(() =>
  model(
    graph([node('Add', ['x', 'w'], ['y'])], {
      input: [value('x', [1, 4], 7)],
      output: [value('y', undefined, 7)],
      initializer: [ints('w', [2n ** 63n - 1n, -(2n ** 63n), 0, 1])],
    }),
  ),
);
export const textInput = handled(
  () => model(graph([node('Identity', ['x'], ['y'])], { input: [value('x', [1], 8)], output: [value('y', [1], 8)] })),
  { compress: 'either' },
);
export const sequenceInput = handled(
  () =>
    model(
      graph([node('SequenceAt', ['x', 'i'], ['y'])], {
        input: [{ name: 'x', type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } }],
        initializer: [ints('i', [0], [])],
      }),
    ),
  { compress: 'either' },
);
export const optionalInput = handled(
  () =>
    model(
      graph([node('OptionalGetElement', ['x'], ['y'])], {
        input: [
          {
            name: 'x',
            type: { optionalType: { elemType: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 4 }] } } } } },
          },
        ],
      }),
    ),
  { compress: 'either' },
);
export const trainingInfo = handled(() => model(soundGraph(), { trainingInfo: [{ algorithm: { name: 'sgd' } }] }), {
  compress: 'either',
});
export const hugeMetadata = handled(
  () => model(soundGraph(), { metadataProps: [{ key: 'blob', value: 'm'.repeat(10_000_000) }] }),
  { seconds: 6 },
);
export const docStringNotUtf8 = handled(() => {
  const content = soundGraph();
  return Buffer.concat([model(content), Buffer.from([0x32, 4, 0xff, 0xfe, 0xc0, 0x80])]);
});
export const wrongValueInfo = handled(() => {
  const content = soundGraph();
  return model({ ...content, valueInfo: [value('ghost', [1, 2]), value('w1', [4, 8])] });
});
export const valueInfoTwice = handled(() => {
  const content = soundGraph();
  return model({ ...content, valueInfo: [value('h', [1, 8]), value('h', [1, 8])] });
});
export const weightsSharedByManyLayers = handled(() =>
  model(
    graph(
      Array.from({ length: 50 }, (_, i) =>
        node('MatMul', [i === 0 ? 'x' : `v${i}`, 'w'], [i === 49 ? 'y' : `v${i + 1}`]),
      ),
      {
        initializer: [floats('w', [4, 4], noise(16, 0.9))],
      },
    ),
  ),
);
export const int4Weights = handled(() =>
  model(
    graph([node('DequantizeLinear', ['w', 's'], ['d']), node('MatMul', ['x', 'd'], ['y'])], {
      initializer: [
        { name: 'w', dataType: 22, dims: [4, 3], rawData: Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc) },
        floats('s', [], [0.1]),
      ],
    }),
    { irVersion: 10, opsetImport: [{ version: 21 }] },
  ),
);
export const randomOperators = handled(
  () =>
    model(
      graph([node('RandomUniformLike', ['x'], ['r'], [attribute.float('seed', 1)]), node('Add', ['x', 'r'], ['y'])]),
    ),
  { check: 'escaped' },
);
export const capturedInBranches = handled(() => {
  const inner = (op: string, out: string): onnx.IGraphProto => ({
    name: out,
    node: [node(op, ['h', 'w'], [out])],
    output: [value(out, [1, 8])],
  });
  return model(
    graph(
      [
        node('Relu', ['x'], ['h']),
        node(
          'If',
          ['c'],
          ['y'],
          [attribute.graph('then_branch', inner('MatMul', 't')), attribute.graph('else_branch', inner('MatMul', 'e'))],
        ),
      ],
      {
        output: [value('y', [1, 8])],
        initializer: [floats('w', [4, 8], noise(32)), { name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(0) }],
      },
    ),
  );
});
export const quantizedBias = handled(() =>
  model(
    graph([node('DequantizeLinear', ['w', 's'], ['d']), node('Add', ['x', 'd'], ['y'])], {
      initializer: [
        { name: 'w', dataType: 6, dims: [4], int32Data: [1, 2 ** 31 - 1, -(2 ** 31), 0] },
        floats('s', [], [1e-9]),
        bytes('unused', [1], [1]),
      ],
    }),
  ),
);
export const twiceIntoOneFolder = files(
  (folder) => write(folder, { 'model.onnx': model(soundGraph()), 'out/report.json': 'mine' }),
  [
    {
      args: ['compress', 'model.onnx', '-o', 'out'],
      outcome: 'refused',
      exitCode: 2,
      says: /already there/,
      engine: true,
    },
  ],
);
