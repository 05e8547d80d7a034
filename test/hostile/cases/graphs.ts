import type { onnx } from 'onnx-proto';
import { handled, notRun, refused } from '../hostile-case.ts';
import { attribute, floats, graph, ints, model, node, soundGraph, value } from '../onnx-messages.ts';

const relu = (input: string, output: string, name = output) => node('Relu', [input], [output], [], { name });
const bad = (content: onnx.IGraphProto, says: RegExp) => refused(() => model(content), says);
const branch = (nodes: onnx.INodeProto[], output: string): onnx.IGraphProto => ({
  name: 'branch',
  node: nodes,
  output: [value(output, undefined)],
});
const when = (then: onnx.IGraphProto, otherwise: onnx.IGraphProto, output = 'y') =>
  node('If', ['c'], [output], [attribute.graph('then_branch', then), attribute.graph('else_branch', otherwise)]);
const condition: onnx.ITensorProto = { name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(1) };

export const noGraph = refused(() => model(undefined), /holds no graph/);
export const cycle = bad(graph([relu('b', 'a'), relu('a', 'b'), relu('b', 'y')]), /cycle/);
export const ownOutput = bad(graph([relu('y', 'y')]), /own output/);
export const cycleThroughABranch = bad(
  graph([when(branch([relu('late', 't')], 't'), branch([relu('x', 'e')], 'e')), relu('y', 'late')], {
    initializer: [condition],
  }),
  /cycle/,
);
export const nameMadeTwice = bad(graph([relu('x', 'y', 'first'), relu('x', 'y', 'second')]), /defined twice/);
export const inputMadeByANode = bad(graph([relu('x', 'x')]), /defined twice/);
export const initializerMadeByANode = bad(
  graph([relu('x', 'y')], { initializer: [floats('y', [1], [1])] }),
  /defined twice/,
);
export const twoInputsOfOneName = bad(
  graph([relu('x', 'y')], { input: [value('x', [1, 4]), value('x', [1, 4])] }),
  /defined twice/,
);
export const twoInitializersOfOneName = bad(
  graph([node('Add', ['x', 'w'], ['y'])], { initializer: [floats('w', [1], [1]), floats('w', [1], [2])] }),
  /defined twice/,
);
export const twoAttributesOfOneName = bad(
  graph([node('Flatten', ['x'], ['y'], [attribute.int('axis', 1), attribute.int('axis', 0)])]),
  /two attributes/,
);
export const twoOpsetsOfOneDomain = refused(
  () => model(soundGraph(), { opsetImport: [{ version: 17 }, { domain: 'ai.onnx', version: 12 }] }),
  /two versions/,
);
export const twoMetadataOfOneKey = handled(() =>
  model(soundGraph(), {
    metadataProps: [
      { key: 'author', value: 'a' },
      { key: 'author', value: 'b' },
    ],
  }),
);
export const undefinedInput = bad(graph([relu('ghost', 'y')]), /'ghost', which nothing defines/);
export const undefinedOutput = bad(graph([relu('x', 'z')]), /graph output 'y' is not defined/);
export const undefinedInABranch = bad(
  graph([when(branch([relu('ghost', 't')], 't'), branch([relu('x', 'e')], 'e'))], { initializer: [condition] }),
  /'ghost'/,
);
export const innerNameReadOutside = bad(
  graph([when(branch([relu('x', 't')], 't'), branch([relu('x', 'e')], 'e'), 'o'), relu('t', 'y')], {
    initializer: [condition],
  }),
  /'t', which nothing defines/,
);
export const innerNameHidesAnOuterOne = bad(
  graph([relu('x', 'a'), when(branch([relu('x', 'a', 'inner')], 'a'), branch([relu('a', 'e')], 'e'))], {
    initializer: [condition],
  }),
  /defined twice/,
);
export const innerInitializerHidesAnOuterOne = bad(
  graph(
    [
      when(
        { ...branch([node('Add', ['x', 'w'], ['t'])], 't'), initializer: [floats('w', [1], [2])] },
        branch([node('Add', ['x', 'w'], ['e'])], 'e'),
      ),
    ],
    { initializer: [condition, floats('w', [1], [1])] },
  ),
  /defined twice/,
);
export const namelessInput = bad(graph([relu('x', 'y')], { input: [{}] }), /without a name/);
export const nodeWithoutOutputs = bad(graph([node('Relu', ['x'], []), relu('x', 'y')]), /no output/);
export const nodeWithoutOperator = bad(graph([node('', ['x'], ['y'])]), /no operator/);
export const noOpset = refused(() => model(soundGraph(), { opsetImport: [] }), /operator set/);
export const opset0 = refused(() => model(soundGraph(), { opsetImport: [{ version: 0 }] }), /operator set/);
export const negativeOpset = refused(() => model(soundGraph(), { opsetImport: [{ version: -3 }] }), /operator set/);
export const opset999 = notRun(() => model(soundGraph(), { opsetImport: [{ version: 999 }] }), /opset/i);
export const opset2To40 = notRun(
  () => model(soundGraph(), { opsetImport: [{ version: 2 ** 40 }] }),
  /opset|operator set/i,
);
export const irVersionZero = refused(() => model(soundGraph(), { irVersion: 0 }), /IR version/);
export const irVersionMissing = refused(() => model(soundGraph(), { irVersion: null }), /IR version/);
export const irVersionNegative = refused(() => model(soundGraph(), { irVersion: -1 }), /IR version/);
export const irVersionAbsurd = refused(() => model(soundGraph(), { irVersion: 2 ** 40 }), /IR version/);
export const unknownOperator = notRun(() => model(graph([node('NoSuchOperator', ['x'], ['y'])])), /NoSuchOperator/);
export const domainNotImported = notRun(
  () => model(graph([node('Magic', ['x'], ['y'], [], { domain: 'com.example' })])),
  /com.example/,
);
export const tooManyInputs = notRun(() => model(graph([node('Relu', ['x', 'x', 'x'], ['y'])])), /Relu/);
export const tooFewInputs = notRun(() => model(graph([node('Add', ['x'], ['y'])])), /Add/);
export const tooManyOutputs = notRun(() => model(graph([node('Relu', ['x'], ['y', 'z', 'w'])])), /Relu/);
export const ifWithoutBranches = notRun(
  () => model(graph([node('If', ['c'], ['y'])], { initializer: [condition] })),
  /branch|If/,
);
export const branchesThatDisagree = notRun(
  () => model(graph([when({ name: 'none', node: [] }, branch([relu('x', 'e')], 'e'))], { initializer: [condition] })),
  /model/,
);
export const incompatibleTypes = notRun(
  () => model(graph([node('Add', ['x', 'i'], ['y'])], { initializer: [ints('i', [1, 2, 3, 4])] })),
  /type/i,
);
export const incompatibleShapes = notRun(
  () => model(graph([node('Add', ['x', 'w'], ['y'])], { initializer: [floats('w', [3], [1, 2, 3])] })),
  /./,
);

const fn = (name: string, nodes: onnx.INodeProto[], rest: onnx.IFunctionProto = {}): onnx.IFunctionProto => ({
  name,
  domain: 'd',
  input: ['x'],
  output: ['y'],
  node: nodes,
  opsetImport: [{ version: 17 }, { domain: 'd', version: 1 }],
  ...rest,
});
const call = (name: string, input = 'x', output = 'y') => node(name, [input], [output], [], { domain: 'd' });
const withFunctions = (functions: onnx.IFunctionProto[], nodes = [call('f0')]) =>
  model(graph(nodes), { opsetImport: [{ version: 17 }, { domain: 'd', version: 1 }], functions });

export const functionCallsItself = refused(() => withFunctions([fn('f0', [call('f0')])]), /calls itself/);
export const functionsCallEachOther = refused(
  () => withFunctions([fn('f0', [call('f1')]), fn('f1', [call('f2')]), fn('f2', [call('f0')])]),
  /calls itself/,
);
export const functionCallsItselfInABranch = refused(
  () =>
    withFunctions([
      fn('f0', [
        node('Constant', [], ['c'], [attribute.tensor('value', condition)]),
        when(branch([call('f0', 'x', 't')], 't'), branch([relu('x', 'e')], 'e')),
      ]),
    ]),
  /calls itself/,
);
export const functionsExplode = refused(
  () =>
    withFunctions([
      ...Array.from({ length: 40 }, (_, i) => fn(`f${i}`, [call(`f${i + 1}`, 'x', 'a'), call(`f${i + 1}`, 'a', 'y')])),
      fn('f40', [relu('x', 'y')]),
    ]),
  /more than \d+ nodes/,
);
export const functionsExplodeALittle = refused(
  () =>
    withFunctions([
      ...Array.from({ length: 18 }, (_, i) => fn(`f${i}`, [call(`f${i + 1}`, 'x', 'a'), call(`f${i + 1}`, 'a', 'y')])),
      fn('f18', [relu('x', 'y')]),
    ]),
  /more than \d+ nodes/,
);
export const functionsCallVeryDeep = refused(
  () =>
    withFunctions([
      ...Array.from({ length: 2000 }, (_, i) => fn(`f${i}`, [call(`f${i + 1}`)])),
      fn('f2000', [relu('x', 'y')]),
    ]),
  /levels deep/,
);
export const functionDefinedTwice = refused(
  () => withFunctions([fn('f0', [relu('x', 'y')]), fn('f0', [relu('x', 'y')])]),
  /twice/,
);
export const functionWithoutItsOutput = refused(
  () => withFunctions([fn('f0', [relu('x', 'z')])]),
  /'y' is not defined/,
);
export const functionThatReadsNothing = refused(() => withFunctions([fn('f0', [relu('ghost', 'y')])]), /'ghost'/);
export const functionWithACycle = refused(
  () => withFunctions([fn('f0', [relu('y', 'a'), relu('a', 'y')])]),
  /function 'd.f0'/,
);
export const functionMakesANameTwice = refused(
  () => withFunctions([fn('f0', [relu('x', 'y'), relu('x', 'y')])]),
  /twice/,
);
export const functionOfTheStandardDomain = refused(
  () => withFunctions([fn('Relu', [node('Neg', ['x'], ['y'])], { domain: '' })], [relu('x', 'y')]),
  /the function '.Relu' in the standard domain/,
);
export const attributeRefersToNothing = refused(
  () => model(graph([node('Flatten', ['x'], ['y'], [{ name: 'axis', type: 2, refAttrName: 'axis' }])])),
  /outside of a function/,
);
export const unusedFunction = handled(() => withFunctions([fn('f0', [relu('x', 'y')])], [relu('x', 'y')]));
export const usedFunction = handled(() =>
  withFunctions([fn('f0', [call('f1', 'x', 'y')]), fn('f1', [relu('x', 'y')])]),
);
