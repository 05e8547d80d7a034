/** A block without its most frequent byte: how many of it stand before each other byte (and at the end), and those other bytes. */
export interface ZeroRuns {
  /** Run lengths; 255 stands for 255 and a continuation in the next byte. */
  readonly runs: Uint8Array;
  readonly rest: Uint8Array;
}

export function splitZeroRuns(bytes: Uint8Array, zero: number): ZeroRuns {
  const runs = new Uint8Array(bytes.length + Math.floor(bytes.length / 255) + 1);
  const rest = new Uint8Array(bytes.length);
  let r = 0;
  let n = 0;
  let run = 0;
  for (let i = 0; i <= bytes.length; i++) {
    if (i < bytes.length && bytes[i] === zero) {
      run++;
      continue;
    }
    for (; run >= 255; run -= 255) runs[r++] = 255;
    runs[r++] = run;
    run = 0;
    if (i < bytes.length) rest[n++] = bytes[i]!;
  }
  return { runs: runs.subarray(0, r), rest: rest.subarray(0, n) };
}

/** Inverse of `splitZeroRuns`; false where runs and bytes do not fill `out` exactly. */
export function joinZeroRuns({ runs, rest }: ZeroRuns, zero: number, out: Uint8Array): boolean {
  out.fill(zero);
  let at = 0;
  let n = 0;
  for (let r = 0; r < runs.length; r++) {
    at += runs[r]!;
    if (runs[r] === 255) continue;
    if (n < rest.length) {
      if (at >= out.length) return false;
      out[at++] = rest[n++]!;
    } else return r === runs.length - 1 && at === out.length;
  }
  return false;
}
