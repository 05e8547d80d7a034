import { type ByteContext, byteContextCount, hashPair } from '../../codec/byte-context.ts';
import { children, isPayload, type Message, minImpliedBytes } from './implied-sections.ts';

type State = 'tag' | 'number' | 'length' | 'payload' | 'lost';

interface Level {
  readonly kind: Message | 'other';
  readonly end: number;
  /** Hash of the fields of this message so far. */
  trail: number;
  hasHole: boolean;
}

const kinds = ['model', 'graph', 'node', 'attribute', 'tensor', 'sparse', 'training', 'function', 'other'];
/** Messages that hold no tensors but have structure worth following: names of values, shapes, operator sets, properties. */
const plainMessages: Readonly<Record<string, readonly number[]>> = { model: [8, 14], graph: [11, 12, 13] };
const maxLevels = 100;

/**
 * Follows the protobuf structure of an ONNX graph whose tensors' payloads were taken out, byte by byte, and says where the next byte
 * stands: in which field of which message, behind which beginning of the field, and what stood there last. Where bytes have another
 * form it gives up, until the next part.
 */
export class GraphContext implements ByteContext {
  readonly contexts = new Int32Array(byteContextCount);
  #state: State = 'tag';
  #levels: Level[] = [];
  #position = 0;
  #field = 0;
  #number = 0;
  #factor = 1;
  #left = 0;
  /** Hash of the field's bytes so far, and of those before its last run of digits. */
  #prefix = 0;
  #letters = 0;
  #digits = 0;
  readonly #lastValue = new Map<number, number>();
  readonly #lastNumber = new Map<number, number>();
  #operator = 0;

  begin(): void {
    this.#state = 'tag';
    this.#levels = [{ kind: 'model', end: Number.POSITIVE_INFINITY, trail: 0, hasHole: false }];
    this.#position = 0;
    this.#startToken();
    this.#setContexts();
  }

  append(byte: number): void {
    if (this.#state === 'lost') return;
    this.#position++;
    this.#prefix = hashPair(this.#prefix, byte);
    if (this.#state === 'payload') {
      this.#followDigits(byte);
      if (--this.#left === 0) this.#endField();
    } else {
      this.#number += (byte & 127) * this.#factor;
      this.#factor *= 128;
      if (byte < 128) this.#endNumber();
      else if (this.#factor > 2 ** 62) this.#state = 'lost';
    }
    this.#setContexts();
  }

  #top(): Level {
    return this.#levels[this.#levels.length - 1]!;
  }

  #startToken(): void {
    this.#number = 0;
    this.#factor = 1;
    this.#prefix = 0;
    this.#letters = 0;
    this.#digits = 0;
  }

  #followDigits(byte: number): void {
    if (byte >= 48 && byte <= 57) {
      this.#digits = (this.#digits * 10 + byte - 47) % 1_000_003;
      return;
    }
    this.#keepNumber();
    this.#letters = hashPair(this.#letters, byte);
    this.#digits = 0;
  }

  /** Remembers which number stood last behind these letters. */
  #keepNumber(): void {
    if (this.#digits > 0) this.#lastNumber.set(this.#letters, this.#digits);
  }

  #endNumber(): void {
    const number = this.#number;
    if (this.#state === 'tag') {
      const wireType = number % 8;
      this.#field = Math.floor(number / 8);
      this.#startToken();
      if (wireType === 0) this.#state = 'number';
      else if (wireType === 2) this.#state = 'length';
      else if (wireType === 1 || wireType === 5) {
        this.#state = 'payload';
        this.#left = wireType === 1 ? 8 : 4;
      } else this.#state = 'lost';
      return;
    }
    if (this.#state === 'number') {
      this.#endField();
      return;
    }
    this.#endLength(number);
  }

  #endLength(size: number): void {
    const top = this.#top();
    const end = this.#position + size;
    if (end > top.end) {
      this.#state = 'lost';
      return;
    }
    const child = top.kind === 'other' ? 'other' : children[top.kind][this.#field];
    const isPlain = plainMessages[top.kind]?.includes(this.#field) ?? false;
    if ((child !== undefined && top.kind !== 'other') || isPlain) {
      top.trail = hashPair(top.trail, this.#field);
      if (this.#levels.length >= maxLevels) this.#state = 'lost';
      else {
        this.#levels.push({ kind: isPlain ? 'other' : child!, end, trail: this.#field, hasHole: false });
        this.#state = 'tag';
        this.#startToken();
        this.#leaveFinished();
      }
      return;
    }
    if (top.kind === 'tensor' && isPayload(this.#field) && size >= minImpliedBytes && !top.hasHole) {
      top.hasHole = true;
      this.#position += size;
      this.#endField();
      return;
    }
    this.#startToken();
    this.#left = size;
    this.#state = 'payload';
    if (size === 0) this.#endField();
  }

  #endField(): void {
    const top = this.#top();
    this.#keepNumber();
    this.#lastValue.set(kinds.indexOf(top.kind) * 64 + this.#field, this.#prefix);
    if (top.kind === 'node' && this.#field === 4) this.#operator = this.#prefix;
    const isText = top.kind === 'node' && this.#field <= 3;
    top.trail = hashPair(top.trail, isText ? this.#field : hashPair(this.#field, this.#prefix));
    this.#state = 'tag';
    this.#startToken();
    this.#leaveFinished();
  }

  #leaveFinished(): void {
    while (this.#levels.length > 1 && this.#position >= this.#top().end) {
      this.#levels.pop();
      this.#field = 0;
    }
  }

  #setContexts(): void {
    const { contexts } = this;
    if (this.#state === 'lost') {
      contexts.fill(0);
      return;
    }
    const top = this.#top();
    const place = hashPair(
      kinds.indexOf(top.kind),
      this.#state === 'tag' ? top.trail : this.#field * 4 + this.#state.length,
    );
    const here = hashPair(place, this.#prefix);
    const last = this.#lastValue.get(kinds.indexOf(top.kind) * 64 + this.#field) ?? 0;
    contexts[0] = here;
    contexts[1] = hashPair(here, last);
    contexts[2] = hashPair(hashPair(here, top.trail), this.#operator);
    contexts[3] = hashPair(hashPair(this.#lastNumber.get(this.#letters) ?? 0, this.#digits), this.#letters);
  }
}
