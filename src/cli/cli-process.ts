/** A stream the command line writes to. */
export interface CliStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What the command line needs of a process: the real one, or a test's. */
export interface CliProcess {
  /** As in Node: the program, the script, then the arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  /** Where answers are typed; undefined where nobody can be asked. */
  readonly stdin?: (NodeJS.ReadableStream & { readonly isTTY?: boolean }) | undefined;
  cwd(): string;
  on?(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off?(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** 0 where a stream is no terminal or colours are not wanted (NO_COLOR, TERM=dumb), 1 for the sixteen colours. */
export function colorLevel(stream: CliStream, env: CliProcess['env']): 0 | 1 {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return 0;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return 1;
  return stream.isTTY === true && env.TERM !== 'dumb' ? 1 : 0;
}

/** Columns of a terminal within reason; 100 where that is unknown. */
export function columns(stream: CliStream): number {
  return Math.min(120, Math.max(40, stream.columns || 100));
}

/** Whether a stream is a terminal that shows block characters: one that says it takes UTF-8. */
export function drawsBlocks(stream: CliStream, env: CliProcess['env']): boolean {
  if (stream.isTTY !== true || env.TERM === 'dumb' || env.TERM === 'linux') return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale) || env.WT_SESSION !== undefined || env.TERM_PROGRAM !== undefined;
}
