/** What the header of an `.npy` file may be made of. Tuples and lists are arrays; tuples carry `tuple: true`. */
export type PythonLiteral = string | number | boolean | null | PythonSequence | ReadonlyMap<string, PythonLiteral>;
export interface PythonSequence {
  readonly tuple: boolean;
  readonly items: readonly PythonLiteral[];
}

export function isSequence(value: PythonLiteral | undefined): value is PythonSequence {
  return typeof value === 'object' && value !== null && 'items' in value;
}

const maxDepth = 8;
const tokens = /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\d{1,20})L?|(True|False|None)\b|([{}()[\],:]))/y;

/**
 * Reads the subset of Python literals that `.npy` headers consist of: dictionaries with text keys, tuples, lists, text,
 * non-negative integers, True, False and None. Nothing is evaluated.
 * @throws SyntaxError at anything else, at trailing text and at nesting deeper than 8.
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  let position = 0;
  let token = '';

  function next(): string {
    tokens.lastIndex = position;
    const match = tokens.exec(text);
    if (match === null) {
      if (text.slice(position).trim() !== '') throw new SyntaxError(`unexpected text at character ${position}`);
      position = text.length;
      token = '';
    } else {
      position = tokens.lastIndex;
      token = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    }
    return token;
  }

  function items(close: string, depth: number): { values: PythonLiteral[]; commas: number } {
    const values: PythonLiteral[] = [];
    let commas = 0;
    for (;;) {
      if (next() === close) return { values, commas };
      values.push(value(depth + 1));
      if (next() === close) return { values, commas };
      if (token !== ',') throw new SyntaxError(`expected ',' or '${close}' before character ${position}`);
      commas++;
    }
  }

  /** The value that starts with the current token. */
  function value(depth: number): PythonLiteral {
    if (depth > maxDepth) throw new SyntaxError('nested too deeply');
    if (token === '(') {
      const { values, commas } = items(')', depth);
      if (values.length === 1 && commas === 0) return values[0]!;
      return { tuple: true, items: values };
    }
    if (token === '[') return { tuple: false, items: items(']', depth).values };
    if (token === '{') return dictionary(depth);
    if (token === 'True') return true;
    if (token === 'False') return false;
    if (token === 'None') return null;
    if (/^\d/.test(token)) return Number(token);
    if (/^['"]/.test(token)) return token.slice(1, -1).replace(/\\(.)/g, '$1');
    throw new SyntaxError(`unexpected ${token === '' ? 'end' : `'${token}'`} at character ${position}`);
  }

  function dictionary(depth: number): PythonLiteral {
    const entries = new Map<string, PythonLiteral>();
    for (;;) {
      if (next() === '}') return entries;
      const key = value(depth + 1);
      if (typeof key !== 'string') throw new SyntaxError(`a key before character ${position} is not text`);
      if (entries.has(key)) throw new SyntaxError(`the key '${key}' is there twice`);
      if (next() !== ':') throw new SyntaxError(`expected ':' before character ${position}`);
      next();
      entries.set(key, value(depth + 1));
      if (next() === '}') return entries;
      if (token !== ',') throw new SyntaxError(`expected ',' or '}' before character ${position}`);
    }
  }

  next();
  const result = value(0);
  if (next() !== '') throw new SyntaxError(`text after the end, at character ${position}`);
  return result;
}
