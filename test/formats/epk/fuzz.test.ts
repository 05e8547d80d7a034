import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlockLayout } from '../../../src/codec/block-layout.ts';
import { CorruptStreamError } from '../../../src/codec/corrupt-stream-error.ts';
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import { encodeBlock, encodeMixedBlock } from '../../../src/codec/encode-block.ts';
import { decodeEpk } from '../../../src/formats/epk/decode-epk.ts';
import { encodeEpk } from '../../../src/formats/epk/encode-epk.ts';
import { impliedSections } from '../../../src/formats/epk/implied-sections.ts';
import { openEpk } from '../../../src/formats/epk/open-epk.ts';
import { locateInitializers } from '../../../src/formats/onnx/locate-initializers.ts';
import { bell, randomSource } from '../../codec/example-blocks.ts';
import { oddModel } from '../onnx/fuzz-reader.ts';
import { exampleFiles, exampleModel } from './example-files.ts';
import { changed, changes, type EpkPieces, putTogether, takeApart } from './forge-epk.ts';

/** `npm run fuzz:epk` asks for more. */
const runs = Number(process.env.EDGEPACK_FUZZ_RUNS ?? 40);
const maxOutputBytes = 200_000;

const examples: EpkPieces[] = [];
beforeAll(async () => {
  const inputs = [exampleFiles(), [exampleModel()], [exampleModel(), ...exampleFiles().slice(1)]];
  for (const files of inputs) {
    for (const mixingLimitBytes of [0, 1 << 20]) {
      examples.push(takeApart((await encodeEpk(files, { mixingLimitBytes })).bytes));
    }
  }
});

/** Whatever may be thrown must be the one error that says what is wrong with the file. */
async function outcome(work: () => Promise<unknown>): Promise<'read' | 'refused'> {
  try {
    await work();
    return 'read';
  } catch (error) {
    if (!(error instanceof CorruptStreamError)) throw error;
    expect(error.message).toMatch(/^[\x20-\x7e]{5,200}$/);
    return 'refused';
  }
}

describe('forged .epk files', () => {
  it('with tables that lie and checksums that fit are read or refused, whole and by section', async () => {
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(), changes, async (which, list) => {
        const epk = putTogether(changed(examples[which % examples.length]!, list));
        outcomes[await outcome(() => decodeEpk(epk, { maxOutputBytes }))]++;
        await outcome(async () => {
          const read = async (offset: number, length: number) => epk.subarray(offset, offset + length);
          const archive = await openEpk({ byteLength: epk.length, read }, { maxOutputBytes });
          for (const { name, file, byteLength } of (await archive.list()).slice(0, 1)) {
            expect(byteLength).toBeLessThanOrEqual(maxOutputBytes);
            await outcome(() => archive.decodeSection(name, file));
          }
        });
      }),
      { numRuns: runs },
    );
    expect(outcomes.refused).toBeGreaterThan(runs / 2);
    expect(outcomes.read).toBeGreaterThan(0);
  });

  it('come back as they were when nothing is changed', async () => {
    for (const pieces of examples) expect(await outcome(() => decodeEpk(putTogether(pieces)))).toBe('read');
  });
});

describe('any model', () => {
  it('comes back byte for byte, also where its structure is nonsense', async () => {
    let implied = 0;
    await fc.assert(
      fc.asyncProperty(oddModel, fc.boolean(), async (bytes, mixing) => {
        let sections: ReturnType<typeof locateInitializers> = [];
        try {
          sections = locateInitializers(bytes);
        } catch {
          // Packed as bytes without structure.
        }
        if (sections.length > 0) implied++;
        const { bytes: epk } = await encodeEpk(
          [{ name: 'm.onnx', bytes, sections }],
          mixing ? {} : { mixingLimitBytes: 0 },
        );
        const { files } = await decodeEpk(epk);
        expect(Buffer.compare(files[0]!.bytes, bytes)).toBe(0);
      }),
      { numRuns: runs },
    );
    expect(implied).toBeGreaterThan(runs / 100);
  });

  it('implies its sections, or is refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(400), (bytes, byteLength) => {
        try {
          for (const section of impliedSections(bytes, byteLength)) {
            expect(section.offset + section.byteLength).toBeLessThanOrEqual(byteLength);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptStreamError);
        }
      }),
      { numRuns: 100 * runs },
    );
  });
});

describe('blocks', () => {
  const kinds = ['signed', 'unsigned', 'float', 'bytes'] as const;
  const layouts = fc
    .record({
      elementBytes: fc.constantFrom(1, 2, 4, 8),
      kind: fc.constantFrom(...kinds),
      rows: fc.integer({ min: 1, max: 12 }),
      kernels: fc.integer({ min: 1, max: 5 }),
      kernelSize: fc.constantFrom(1, 1, 9),
      spread: fc.constantFrom(0.3, 3, 40),
      seed: fc.nat(1e6),
    })
    .map(({ elementBytes, kind, rows, kernels, kernelSize, spread, seed }) => {
      const columns = kernels * kernelSize;
      const random = randomSource(seed);
      const bytes = Uint8Array.from({ length: rows * columns * elementBytes }, () => Math.round(bell(random) * spread));
      const kernelWidth = kernelSize === 9 ? 3 : 1;
      return { bytes, layout: { elementBytes, kind, rows, columns, kernelSize, kernelWidth } as BlockLayout };
    });

  it('of any layout come back, and with changed bytes are read or refused', () => {
    fc.assert(
      fc.property(
        layouts,
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        ({ bytes, layout }, mixed, edits) => {
          const coded = (mixed ? encodeMixedBlock : encodeBlock)(bytes, layout);
          const out = new Uint8Array(bytes.length);
          decodeBlock(coded, out, layout);
          expect(Buffer.compare(out, bytes)).toBe(0);
          for (const [at, value] of edits) coded[at % coded.length] = value;
          try {
            decodeBlock(coded, out, layout);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptStreamError);
          }
        },
      ),
      { numRuns: 2 * runs },
    );
  });
});
