import type { onnx } from 'onnx-proto';
import { type HostileCase, handled, notRun, refused } from '../hostile-case.ts';
import { attribute, bool, floats, graph, ints, model, node, noise, value } from '../onnx-messages.ts';

const { int, graph: subgraph, tensor } = attribute;
const one = floats('one', [1], [1]);
const bomb = (
  nodes: onnx.INodeProto[],
  initializer: onnx.ITensorProto[],
  says: RegExp,
  rest: onnx.IGraphProto = {},
): HostileCase => notRun(() => model(graph(nodes, { initializer, ...rest })), says);
const tooLarge = /MiB|memory|multiply-accumulates/;
const sum = (input: string) => [
  node('ReduceSum', [input], ['r'], [int('keepdims', 0)]),
  node('Add', ['x', 'r'], ['y']),
];

const filled = (shape: number[], says = /./) =>
  bomb([node('ConstantOfShape', ['s'], ['big']), ...sum('big')], [ints('s', shape)], says);
export const constantOfShape = filled([2 ** 20, 2 ** 10], tooLarge);
export const constantOfShapeOverflows = filled([2 ** 31, 2 ** 31, 2 ** 31]);
export const constantOfShapeNegative = filled([-1, 4]);
export const expandAConstant = bomb(
  [node('Expand', ['one', 's'], ['big']), ...sum('big')],
  [one, ints('s', [2 ** 15, 2 ** 15])],
  tooLarge,
);
export const expandTheInput = bomb(
  [node('Reshape', ['x', 'c'], ['col']), node('Expand', ['col', 's'], ['big']), ...sum('big')],
  [ints('c', [4, 1]), ints('s', [4, 2 ** 28])],
  tooLarge,
);
export const tileAConstant = bomb(
  [node('Tile', ['one', 's'], ['big']), ...sum('big')],
  [one, ints('s', [2 ** 30])],
  tooLarge,
);
export const tileTheInput = bomb(
  [node('Tile', ['x', 's'], ['big']), ...sum('big')],
  [ints('s', [2 ** 14, 2 ** 14])],
  tooLarge,
);
export const padAConstant = bomb(
  [node('Pad', ['one', 's'], ['big']), ...sum('big')],
  [one, ints('s', [0, 2 ** 30])],
  tooLarge,
);
export const padTheInput = bomb(
  [node('Pad', ['x', 's'], ['big']), ...sum('big')],
  [ints('s', [0, 0, 2 ** 14, 2 ** 14])],
  tooLarge,
);
export const rangeOfIntegers = bomb(
  [node('Range', ['a', 'b', 'c'], ['big']), node('Cast', ['big'], ['f'], [int('to', 1)]), ...sum('f')],
  [ints('a', [0], []), ints('b', [2 ** 40], []), ints('c', [1], [])],
  tooLarge,
);
const floatRange = (step: number, says: RegExp) =>
  bomb(
    [node('Range', ['a', 'b', 'c'], ['big']), ...sum('big')],
    [floats('a', [], [0]), floats('b', [], [1e9]), floats('c', [], [step])],
    says,
  );
export const rangeOfFloats = floatRange(0.001, tooLarge);
export const rangeOfNoStep = floatRange(0, /./);
export const resizeTheInput = bomb(
  [node('Resize', ['x', '', 's'], ['big']), ...sum('big')],
  [floats('s', [4], [1, 1, 30_000, 30_000])],
  tooLarge,
  { input: [value('x', [1, 1, 2, 2])] },
);
export const oneHot = bomb(
  [node('OneHot', ['i', 'depth', 'v'], ['big']), ...sum('big')],
  [
    ints(
      'i',
      Array.from({ length: 1000 }, (_, k) => k),
    ),
    ints('depth', [2 ** 24], []),
    floats('v', [2], [0, 1]),
  ],
  tooLarge,
);
/** A column of ones by its own row. */
const columnByRow = (operator: string) =>
  bomb(
    [
      node('ConstantOfShape', ['s'], ['col'], [tensor('value', { dataType: 1, dims: [1], floatData: [1] })]),
      node('Transpose', ['col'], ['row']),
      node(operator, ['col', 'row'], ['big']),
      ...sum('big'),
    ],
    [ints('s', [50_000, 1])],
    tooLarge,
  );
export const outerProduct = columnByRow('MatMul');
export const broadcast = columnByRow('Mul');
const doubling = (from: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    node('Concat', [i === 0 ? from : `d${i}`, i === 0 ? from : `d${i}`], [`d${i + 1}`], [int('axis', 0)]),
  );
export const constantsThatDouble = bomb([...doubling('one', 31), ...sum('d31')], [one], tooLarge);
export const inputsThatDouble = bomb([...doubling('x', 29), ...sum('d29')], [], tooLarge);
export const constantsThatDoubleUnseen = bomb(
  [
    // How long the result of NonZero is cannot be told from shapes.
    node('NonZero', ['one'], ['n']),
    node('Cast', ['n'], ['f'], [int('to', 1)]),
    node('Add', ['f', 'one'], ['g']),
    node('Reshape', ['g', 'flat'], ['start']),
    ...doubling('start', 31),
    ...sum('d31'),
  ],
  [one, ints('flat', [-1])],
  tooLarge,
);
export const shapeFromTheInput = bomb(
  [
    node('ReduceMax', ['x'], ['m'], [int('keepdims', 0)]),
    node('Abs', ['m'], ['am']),
    node('Ceil', ['am'], ['c']),
    node('Mul', ['c', 'many'], ['size']),
    node('Cast', ['size'], ['i'], [int('to', 7)]),
    node('Reshape', ['i', 'flat'], ['shape']),
    node('ConstantOfShape', ['shape'], ['big']),
    ...sum('big'),
  ],
  [floats('many', [], [2e9]), ints('flat', [1])],
  tooLarge,
);
export const einsumOuterProduct = bomb(
  [
    node('Reshape', ['x', 'flat'], ['v']),
    node(
      'Einsum',
      Array(16).fill('v'),
      ['big'],
      [attribute.string('equation', `${[...'abcdefghijklmnop'].join(',')}->abcdefghijklmnop`)],
    ),
    ...sum('big'),
  ],
  [ints('flat', [-1])],
  /./,
);
export const hugeInput = notRun(
  () => model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', [1, 3, 100_000, 100_000])] })),
  tooLarge,
);
export const hugeInputOverflows = notRun(
  () => model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', [2 ** 31, 2 ** 31, 2 ** 31])] })),
  tooLarge,
);
export const negativeInput = handled(
  () => model(graph([node('Relu', ['x'], ['y'])], { input: [value('x', [1, -4])] })),
  { compress: 'either' },
);
export const hugeConvTranspose = bomb(
  [node('ConvTranspose', ['x', 'w'], ['big'], [attribute.ints('strides', [20_000, 20_000])]), ...sum('big')],
  [floats('w', [1, 1, 1, 1], [1])],
  tooLarge,
  { input: [value('x', [1, 1, 2, 2])] },
);
const square = node(
  'ConstantOfShape',
  ['s'],
  ['m0'],
  [tensor('value', { dataType: 1, dims: [1], floatData: [0.001] })],
);
const products = (count: number) =>
  Array.from({ length: count }, (_, i) => node('MatMul', [`m${i}`, 'm0'], [`m${i + 1}`]));
export const constantProducts = bomb([square, ...products(200), ...sum('m200')], [ints('s', [2048, 2048])], tooLarge);
export const productsOfTheInput = bomb(
  [node('Reshape', ['x', 'col'], ['c']), node('Expand', ['c', 's'], ['m0']), ...products(400), ...sum('m400')],
  [ints('s', [4, 2048, 2048]), ints('col', [4, 1, 1])],
  tooLarge,
);

export const branchesNested30Deep = handled(() => {
  let content: onnx.IGraphProto = {
    name: 'deepest',
    node: [node('Relu', ['x'], ['o0'])],
    output: [value('o0', [1, 4])],
  };
  for (let depth = 1; depth <= 30; depth++) {
    const other = {
      name: `else${depth}`,
      node: [node('Neg', ['x'], [`e${depth}`])],
      output: [value(`e${depth}`, [1, 4])],
    };
    content = {
      name: `then${depth}`,
      node: [node('If', ['c'], [`o${depth}`], [subgraph('then_branch', content), subgraph('else_branch', other)])],
      output: [value(`o${depth}`, [1, 4])],
    };
  }
  return model(graph([...content.node!, node('Identity', ['o30'], ['y'])], { initializer: [bool('c', true)] }));
});
export const foldingThatPaysNothing = handled(() =>
  model(
    graph(
      [
        node('ConstantOfShape', ['s'], ['big'], [tensor('value', { dataType: 1, dims: [1], floatData: [1] })]),
        ...sum('big'),
      ],
      {
        initializer: [ints('s', [1000, 1000])],
      },
    ),
  ),
);
export const recursionByManyInputs = handled(() =>
  model(
    graph([node('Sum', new Array(5000).fill('x'), ['s']), node('Mul', ['s', 'w'], ['y'])], {
      initializer: [floats('w', [4], noise(4))],
    }),
  ),
);
export const thousandDimsOfData = refused(
  () =>
    model(
      graph([node('Add', ['x', 'w'], ['y'])], {
        initializer: [{ name: 'w', dataType: 1, dims: new Array(100).fill(1), floatData: [1] }],
      }),
    ),
  /100 dimensions/,
);
export const poolWithAHugeWindow = bomb(
  [
    node(
      'AveragePool',
      ['x'],
      ['y'],
      [attribute.ints('kernel_shape', [3000, 3000]), attribute.ints('pads', [1500, 1500, 1499, 1499])],
    ),
  ],
  [],
  /multiply-accumulates/,
  { input: [value('x', [1, 1, 2000, 2000])] },
);
export const textThatDoubles = notRun(
  () =>
    model(
      graph(
        [
          ...Array.from({ length: 32 }, (_, i) => node('StringConcat', [`t${i}`, `t${i}`], [`t${i + 1}`])),
          node('Equal', ['t32', 't0'], ['same']),
          node('Cast', ['same'], ['f'], [int('to', 1)]),
          ...sum('f'),
        ],
        { initializer: [{ name: 't0', dataType: 8, dims: [1], stringData: [Buffer.from('text')] }] },
      ),
      { opsetImport: [{ version: 20 }] },
    ),
  /memory/,
);
export const treeOfHugeTargets = notRun(
  () =>
    model(
      graph([
        node(
          'TreeEnsembleRegressor',
          ['x'],
          ['y'],
          [
            int('n_targets', 2 ** 31 - 1),
            ...['nodes_treeids', 'nodes_nodeids', 'nodes_featureids', 'nodes_truenodeids', 'nodes_falsenodeids'].map(
              (name) => attribute.ints(name, [0]),
            ),
            ...['target_treeids', 'target_nodeids', 'target_ids'].map((name) => attribute.ints(name, [0])),
            attribute.floats('nodes_values', [0]),
            attribute.floats('target_weights', [1]),
            attribute.strings('nodes_modes', ['LEAF']),
          ],
          { domain: 'ai.onnx.ml' },
        ),
      ]),
      { opsetImport: [{ version: 17 }, { domain: 'ai.onnx.ml', version: 3 }] },
    ),
  /memory/,
);
