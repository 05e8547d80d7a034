/** What a coder may know about the bytes of a block: a matrix of rows x columns elements. Both directions must be given the same. */
export interface BlockLayout {
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** `bytes`: no numbers at all, or packed ones. */
  readonly kind: 'signed' | 'unsigned' | 'float' | 'bytes';
  /** rows * columns * elementBytes is the block's size. */
  readonly rows: number;
  readonly columns: number;
  /** Columns that form one convolution kernel, and the width of its rows; 1 where there is no such thing. */
  readonly kernelSize: number;
  readonly kernelWidth: number;
}

/** A plain run of bytes. */
export function byteLayout(byteLength: number): BlockLayout {
  return { elementBytes: 1, kind: 'bytes', rows: 1, columns: byteLength, kernelSize: 1, kernelWidth: 1 };
}
