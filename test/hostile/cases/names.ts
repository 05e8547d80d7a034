import type { onnx } from 'onnx-proto';
import { handled, notLoaded, refused } from '../hostile-case.ts';
import { floats, graph, model, node, noise, value } from '../onnx-messages.ts';

/** A model with one name everywhere that names can be; values get a number in front, as theirs must differ. */
function named(text: string, rest: onnx.IModelProto = {}): Uint8Array {
  const content: onnx.IGraphProto = {
    name: text,
    docString: text,
    input: [value(`0${text}`, [1, 4])],
    output: [value(`3${text}`, [1, 8])],
    valueInfo: [value(`2${text}`, [1, 8])],
    initializer: [floats(`1${text}`, [4, 8], noise(32))],
    node: [
      node('MatMul', [`0${text}`, `1${text}`], [`2${text}`], [], { name: text, docString: text }),
      node('Relu', [`2${text}`], [`3${text}`], [], { name: `${text}2` }),
    ],
  };
  return model(content, {
    producerName: text,
    producerVersion: text,
    domain: text,
    docString: text,
    metadataProps: [{ key: text, value: text }],
    ...rest,
  });
}

export const controlCharacters = handled(() => named('\u0007\b\t\n\r\u001b[31;1m\u007f\u009b2J'));
/** The engine's interface takes names that end at the first NUL. */
export const nulCharacters = handled(() => named('a\u0000b'), { compress: 'either' });
export const bidirectionalControls = handled(() => named('abc\u202e\u2066txt.exe\u200f\u061c\u206a\ufff9\ufeff'));
export const terminalTitle = handled(() => named('\u001b]0;owned\u0007\u001b[2J\u001b[H'));
export const markdown = handled(() => named('| a |\n\n# Title <script>alert(1)</script> ![](http://x/y) `code`'));
export const pathLike = handled(() => named('../../../tmp/edgepack-escape'));
export const absolutePathLike = handled(() => named('/tmp/edgepack-escape'));
export const prototypeNames = handled(() => named('__proto__'));
export const constructorNames = handled(() => named('constructor'));
export const objectKeys = handled(() =>
  model({
    name: 'toString',
    input: [value('__proto__', [1, 4])],
    output: [value('hasOwnProperty', [1, 8])],
    initializer: [floats('constructor', [4, 8], noise(32))],
    node: [node('MatMul', ['__proto__', 'constructor'], ['valueOf']), node('Relu', ['valueOf'], ['hasOwnProperty'])],
  }),
);
export const shellCharacters = handled(() => named('$(touch owned); `id` && %PATH% "\'\\'));
export const astralCharacters = handled(() => named('\u{1f600}\u{10ffff}\u0301\u0301\u0301'));
export const loneBracket = handled(() => named('*?[a-z'));
export const names5Mb = notLoaded(() => {
  const long = 'n'.repeat(5_000_000);
  return model(
    graph(
      [node('MatMul', ['x', 'w'], [long], [], { name: long }), node('Relu', [long], ['y'], [], { name: `${long}2` })],
      { initializer: [floats('w', [4, 8], noise(32))] },
    ),
  );
}, /the name of the node 'n{30,40}…' has 5000000 characters, more than 65536/);
export const valueName5Mb = notLoaded(() => {
  const long = '\u001b[31m'.repeat(1_000_000);
  return model(graph([node('Neg', ['x'], [long], [], { name: 'a' }), node('Relu', [long], ['y'])]));
}, /the name of the value '\\u001b\[31m.*…' has 5000000 characters/);
export const manyLongNames = notLoaded(() => {
  const name = (i: number) => `${i}${'n'.repeat(60_000)}`;
  return model(
    graph(
      Array.from({ length: 100 }, (_, i) =>
        node('Neg', [i === 0 ? 'x' : name(i)], [i === 99 ? 'y' : name(i + 1)], [], { name: `${i}` }),
      ),
    ),
  );
}, /the text of all names has \d+ characters/);
export const emptyNames = handled(() =>
  model(
    graph([node('MatMul', ['x', 'w'], ['h'], [], { name: '' }), node('Relu', ['h'], ['y'], [], { name: '' })], {
      name: '',
      initializer: [floats('w', [4, 8], noise(32))],
    }),
  ),
);
export const longDocString = handled(
  () => model(graph([node('Relu', ['x'], ['y'])]), { docString: 'd'.repeat(5_000_000) }),
  { seconds: 4 },
);
const long = 'x'.repeat(5_000_000);
export const names5MbInAnError = refused(
  () => model(graph([node('Relu', [long], ['y'], [], { name: long })])),
  /nothing defines/,
);
export const operatorNameInAnError = refused(
  () => model(graph([node('Relu', ['a\u001b[31m\n\u202eb'], ['y'])])),
  /\\u001b\[31m\\u000a\\u202eb/,
);
