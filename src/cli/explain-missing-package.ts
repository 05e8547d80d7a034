import { EdgepackError } from '../diagnostics/edgepack-error.ts';

/** What a package that is not installed, or a file of this one that is gone, makes Node throw, as a calm line; anything else as it is. */
export function explainMissingPackage(error: unknown): unknown {
  const text = error instanceof Error ? error.message : '';
  const name = /Cannot find (?:package|module) '([^'.][^']*)'/.exec(text)?.[1];
  if (name === undefined) return error;
  const isFile = /^(file:|[/\\]|[A-Za-z]:)/.test(name);
  const what = isFile
    ? `edgepack is not installed completely: '${name}' is missing`
    : `the package ${name} is not installed`;
  return new EdgepackError('engine-missing', what, {
    hint: 'Install the dependencies again: npm install --ignore-scripts',
    cause: error,
  });
}
