import { describe, expect, it } from 'vitest';
import { parseThrottling, readBoardState } from '../../src/runtime/board-state.ts';

describe('the state of a board', () => {
  it.each([
    ['throttled=0x0\n', [], []],
    ['throttled=0x50005', ['under-voltage', 'throttled'], ['under-voltage', 'throttled']],
    ['e0008\n', ['soft-temperature-limit'], ['frequency-capped', 'throttled', 'soft-temperature-limit']],
    ['throttled=0x20002', ['frequency-capped'], ['frequency-capped']],
  ])('reads %j', (text, now, sinceBoot) => {
    expect(parseThrottling(text)).toEqual({ now, sinceBoot });
  });

  it.each(['', 'VCHI initialization failed', 'throttled=', 'throttled=0xzz', '123456789'])(
    'does not know: %j',
    (text) => {
      expect(parseThrottling(text)).toBeUndefined();
    },
  );

  it('is read here without failing', () => {
    const { temperatureC } = readBoardState();
    expect(temperatureC === undefined || Number.isFinite(temperatureC)).toBe(true);
  });
});
