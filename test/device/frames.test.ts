import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../src/device/agent/frames.ts';
import { decodeMessage, encodeMessage } from '../../src/device/agent/message-codec.ts';

const start = '\nabc\n';
const bytesOf = (...messages: unknown[]) =>
  Buffer.concat([Buffer.from(`hello${start}`), ...messages.flatMap((message) => encodeFrame(encodeMessage(message)))]);

/** What comes out of a stream that arrives in pieces; 'damaged' where the reader says so. */
function read(bytes: Buffer, pieceBytes: number): unknown[] {
  const reader = new FrameReader(start);
  const messages: unknown[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    for (const message of reader.push(bytes.subarray(at, at + pieceBytes))) messages.push(decodeMessage(message));
  }
  return messages;
}

const message = fc.record({
  text: fc.oneof(fc.string(), fc.constantFrom('\u0001a["f32",1]', '\u0001nNaN', '\u0001', '\u0001\u0001s')),
  number: fc.oneof(fc.double(), fc.integer()).map((value) => (Object.is(value, -0) ? 0 : value)),
  none: fc.constant(null),
  arrays: fc.dictionary(
    fc.string(),
    fc.oneof(
      fc.float32Array(),
      fc.float64Array(),
      fc.uint8Array(),
      fc.int8Array(),
      fc.int16Array(),
      fc.uint16Array(),
      fc.int32Array(),
      fc.bigInt64Array(),
    ),
    { noNullPrototype: true },
  ),
});

describe('messages between host and device', () => {
  it('arrive as they were, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 3 }), fc.integer({ min: 1, max: 200 }), (messages, pieceBytes) => {
        expect(read(bytesOf(...messages), pieceBytes)).toEqual(messages);
      }),
      { numRuns: 200 },
    );
  });

  it('give nothing that was not sent, whatever bit is damaged and wherever they end', () => {
    const sent = [{ ms: Float64Array.of(1.5, 2.5, 3.5) }, { ms: Float64Array.of(7, 8) }];
    const whole = bytesOf(...sent);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 * whole.length - 1 }),
        fc.integer({ min: 1, max: whole.length }),
        fc.boolean(),
        (bit, length, isCut) => {
          const bytes = Buffer.from(whole);
          if (isCut) {
            const came = read(bytes.subarray(0, length), 16);
            expect(came).toEqual(sent.slice(0, came.length));
            return;
          }
          bytes[bit >> 3]! ^= 1 << (bit & 7);
          let came: unknown[] = [];
          try {
            came = read(bytes, 16);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
          expect(came).toEqual(sent.slice(0, came.length));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are not looked for without end', () => {
    const reader = new FrameReader(start);
    expect(() => [...reader.push(new Uint8Array(2 ** 19))]).toThrow(RangeError);
  });

  it.each([
    ['shorter than its JSON', [200, 0, 0, 0, 123, 125]],
    ['of nothing', []],
    ['longer than it says', [2, 0, 0, 0, 123, 125, 0]],
  ])('are refused: a message %s', (_, bytes) => {
    expect(() => decodeMessage(Uint8Array.from(bytes))).toThrow(RangeError);
  });

  it('refuse arrays that do not fit', () => {
    const forged = (text: string) => {
      const json = Buffer.from(JSON.stringify(text));
      const head = Buffer.alloc(4);
      head.writeUInt32LE(json.length);
      return Buffer.concat([head, json]);
    };
    for (const text of [
      '\u0001a["f32",9]',
      '\u0001a["f32",-1]',
      '\u0001a["x",1]',
      '\u0001a["constructor",1]',
      '\u0001z',
    ]) {
      expect(() => decodeMessage(forged(text))).toThrow(RangeError);
    }
  });
});
