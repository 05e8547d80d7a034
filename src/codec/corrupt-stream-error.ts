/** Coded bytes that no encoder of ours can have written: damaged, truncated or forged. The message says what was wrong. */
export class CorruptStreamError extends Error {
  override readonly name: string = 'CorruptStreamError';
}
