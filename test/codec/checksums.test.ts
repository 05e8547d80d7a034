import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';
import { sha256, sha256Portable } from '../../src/codec/sha256.ts';

describe('checksums', () => {
  it('has the CRC-32 of the check string', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('sees every single changed bit by CRC-32', () => {
    const bytes = Uint8Array.from({ length: 37 }, (_, i) => i * 31);
    const before = crc32(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32(bytes)).not.toBe(before);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it('computes SHA-256 as Node does, with and without Web Crypto', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const expected = new Uint8Array(createHash('sha256').update(bytes).digest());
        expect(sha256Portable(bytes)).toEqual(expected);
        expect(await sha256(bytes)).toEqual(expected);
      }),
    );
  });
});
