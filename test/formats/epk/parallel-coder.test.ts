import { describe, expect, it } from 'vitest';
import { CorruptStreamError } from '../../../src/codec/corrupt-stream-error.ts';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { StreamKind } from '../../../src/formats/epk/epk-format.ts';
import { parallelCoder, worthwhileThreads } from '../../../src/formats/epk/parallel-coder.ts';
import { exampleTensors, fileOf } from './example-files.ts';

/** Six tensors, of streams of their own. */
function largeFile() {
  const [weights] = exampleTensors(64, 64) as [ReturnType<typeof exampleTensors>[0]];
  const tensors = Array.from({ length: 6 }, (_, i) => {
    const bytes = weights.bytes.slice();
    bytes.fill(i + 1, i * 1000, i * 1000 + 500);
    return { ...weights, name: `w${i}`, bytes };
  });
  const file = fileOf('large.onnx', tensors);
  return { ...file, bytes: new Uint8Array(file.bytes) };
}

describe('parallelCoder', () => {
  it('gives the same bytes for any number of threads, and reads them with any', async () => {
    const file = largeFile();
    for (const [options, threads] of [
      [{ mixingLimitBytes: 0 }, 2],
      [{ mixingLimitBytes: 0 }, 3],
      [{ mixingLimitBytes: 1 << 20 }, 2],
    ] as const) {
      const single = await encodeEpk([file], options);
      const { bytes } = await encodeEpk([file], options, parallelCoder(threads, 1e-6));
      expect(Buffer.compare(bytes, single.bytes)).toBe(0);
      const decoded = await decodeEpk(bytes, {}, parallelCoder(threads, 1e-6));
      expect(Buffer.compare(decoded.files[0]!.bytes, file.bytes)).toBe(0);
    }
    expect(file.bytes.byteLength).toBe(file.bytes.buffer.byteLength);
  });

  it('reports what a thread finds damaged as this thread would', async () => {
    const layout = {
      elementBytes: 1,
      kind: 'signed',
      rows: 200,
      columns: 1000,
      kernelSize: 1,
      kernelWidth: 1,
    } as const;
    const parts = () => [{ bytes: new Uint8Array(200_000), layout }];
    const streams = [0, 1, 2].map(() => ({ kind: StreamKind.block, coded: Uint8Array.of(2, 1, 0), parts: parts() }));
    for (const threads of [1, 3]) {
      await expect(parallelCoder(threads, 1e-6).decode(streams)).rejects.toThrow(CorruptStreamError);
    }
  });

  it('starts no threads where they would not save time', () => {
    expect(worthwhileThreads([0.01, 0.01, 0.01], 8)).toBe(1);
    expect(worthwhileThreads([2], 8)).toBe(1);
    expect(worthwhileThreads([2, 0.01], 8)).toBe(1);
    expect(worthwhileThreads([1, 1, 1], 1)).toBe(1);
    expect(worthwhileThreads([1, 1, 1], 8)).toBe(3);
    expect(worthwhileThreads([1, 1, 1], 2)).toBe(2);
    expect(
      worthwhileThreads(
        Array.from({ length: 100 }, () => 0.004),
        64,
      ),
    ).toBe(4);
  });
});
