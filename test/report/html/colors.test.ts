import { describe, expect, it } from 'vitest';
import { type ColorName, colors } from '../../../src/report/html/colors.ts';

/** WCAG 2: relative luminance and contrast of two sRGB colours. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Text on its grounds. */
const texts: readonly (readonly [ColorName, ColorName])[] = [
  ['ink', 'paper'],
  ['ink', 'wash'],
  ['ink', 'afterWash'],
  ['ink', 'floatWash'],
  ['ink', 'beforeWash'],
  ['ink', 'otherWash'],
  ['ink', 'badWash'],
  ['soft', 'paper'],
  ['soft', 'wash'],
  ['afterText', 'paper'],
  ['floatText', 'paper'],
  ['bad', 'paper'],
  ['bad', 'badWash'],
];
const marks: readonly ColorName[] = ['before', 'after', 'float', 'bad'];

describe.each(Object.entries(colors))('colours, %s', (_, theme) => {
  it('of text have a contrast of at least 4.5', () => {
    for (const [text, ground] of texts) {
      expect(contrast(theme[text], theme[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('of marks have a contrast of at least 3', () => {
    for (const mark of marks) expect(contrast(theme[mark], theme.paper), mark).toBeGreaterThanOrEqual(3);
  });
});
