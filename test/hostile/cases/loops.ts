import type { onnx } from 'onnx-proto';
import { digits, digitsModel, files, handled, notRun, write } from '../hostile-case.ts';
import { attribute, bool, floats, graph, ints, model, node, value } from '../onnx-messages.ts';

const { int, graph: subgraph, tensor } = attribute;
const one = floats('one', [1], [1]);

/** A loop whose body adds one to what it carries and says whether it goes on. */
function loop(
  trips: onnx.ITensorProto | undefined,
  start: onnx.ITensorProto | undefined,
  goOn: onnx.INodeProto[],
  extra: onnx.INodeProto[] = [],
  scan: string[] = [],
): onnx.IGraphProto {
  return graph(
    [
      node(
        'Loop',
        [trips?.name ?? '', start?.name ?? '', 'x'],
        ['y', ...scan.map((name) => `all_${name}`)],
        [
          subgraph('body', {
            name: 'body',
            input: [value('i', [], 7), value('c_in', [], 9), value('v', undefined)],
            output: [value('c_out', [], 9), value('v_out', undefined), ...scan.map((name) => value(name, undefined))],
            node: [...goOn, node('Add', ['v', 'one'], ['v_out']), ...extra],
          }),
        ],
      ),
    ],
    { initializer: [one, ...[trips, start].filter((item) => item !== undefined)] },
  );
}
const always = [node('Identity', ['c_in'], ['c_out'])];
const trips = (count: number | bigint) => ints('trips', [count], []);
const endless = /loop|no answer|time/i;
export const loopOf2To62 = notRun(() => model(loop(trips(2n ** 62n), bool('go', true), always)), endless);
export const loopOfABillion = notRun(() => model(loop(trips(1_000_000_000), bool('go', true), always)), endless);
export const loopWithoutEnd = notRun(() => model(loop(undefined, bool('go', true), always)), endless);
export const loopWithoutAnything = notRun(() => model(loop(undefined, undefined, always)), endless);
export const loopWhileTrue = notRun(
  () => model(loop(undefined, bool('go', true), [node('Constant', [], ['c_out'], [tensor('value', bool('', true))])])),
  endless,
);
export const loopWhileSmaller = notRun(
  () =>
    model(
      loop(undefined, bool('go', true), [
        node('ReduceMax', ['v'], ['most'], [int('keepdims', 0)]),
        node('Constant', [], ['limit'], [tensor('value', floats('', [], [1e30]))]),
        node('Less', ['most', 'limit'], ['c_out']),
      ]),
    ),
  endless,
);
/** Each round makes 4 MiB of zeros, and all are kept. */
const collecting = (rounds: number) =>
  notRun(() => {
    const piece = [
      node('Constant', [], ['many'], [tensor('value', ints('', [1024, 1024]))]),
      node('ConstantOfShape', ['many'], ['piece']),
    ];
    return model(loop(trips(rounds), bool('go', true), always, piece, ['piece']));
  }, /loop|no answer|time|memory/i);
export const loopThatCollects = collecting(100_000_000);
export const loopThatCollectsQuickly = collecting(400);
export const loopsInLoops = notRun(() => {
  let inner: onnx.INodeProto[] = [node('Add', ['v0', 'one'], ['out0'])];
  for (let depth = 1; depth <= 8; depth++) {
    inner = [
      node(
        'Loop',
        ['trips', '', `v${depth}`],
        [`out${depth}`],
        [
          subgraph('body', {
            name: `body${depth}`,
            input: [value(`i${depth}`, [], 7), value(`c${depth}`, [], 9), value(`v${depth - 1}`, undefined)],
            output: [value(`d${depth}`, [], 9), value(`out${depth - 1}`, undefined)],
            node: [node('Identity', [`c${depth}`], [`d${depth}`]), ...inner],
          }),
        ],
      ),
    ];
  }
  return model(
    graph([node('Identity', ['x'], ['v8']), ...inner, node('Identity', ['out8'], ['y'])], {
      initializer: [one, trips(1000)],
    }),
  );
}, endless);
export const shortLoop = handled(() => model(loop(trips(10), bool('go', true), always)));
export const loopThatNeverStarts = handled(() => model(loop(trips(2n ** 62n), bool('go', false), always)));
export const loopThatStops = handled(() =>
  model(
    loop(trips(2n ** 62n), bool('go', true), [
      node('Constant', [], ['last'], [tensor('value', ints('', [20], []))]),
      node('Less', ['i', 'last'], ['c_out']),
    ]),
  ),
);
export const loopOfConstants = notRun(() => {
  const content = loop(undefined, bool('go', true), always);
  const [repeated] = content.node!;
  return model({
    ...content,
    node: [{ ...repeated, input: ['', 'go', 'one'], output: ['l'] }, node('Add', ['x', 'l'], ['y'])],
  });
}, endless);
export const loopInAFunction = notRun(() => {
  const { node: nodes, initializer } = loop(undefined, undefined, always);
  const constants = initializer!.map((item) => node('Constant', [], [item.name!], [tensor('value', item)]));
  return model(graph([node('F', ['x'], ['y'], [], { domain: 'f' })]), {
    opsetImport: [{ version: 17 }, { domain: 'f', version: 1 }],
    functions: [
      {
        name: 'F',
        domain: 'f',
        input: ['x'],
        output: ['y'],
        node: [...constants, ...nodes!],
        opsetImport: [{ version: 17 }],
      },
    ],
  });
}, endless);
export const loopInTheOriginal = files(
  (folder) =>
    write(folder, {
      'original.onnx': model(loop(undefined, bool('go', true), always)),
      'edgepack.config.json': JSON.stringify({ budgets: { accuracy: { drop: { max: 1 } } } }),
    }),
  [
    {
      args: ['check', digitsModel, '--original', 'original.onnx', '-d', digits],
      outcome: 'refused',
      exitCode: 3,
      says: endless,
      engine: true,
    },
  ],
);
