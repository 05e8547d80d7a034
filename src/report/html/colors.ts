/** Colours of the page by name, light and dark. A test holds text to a contrast of 4.5:1 and marks to 3:1. */
export const colors = {
  light: {
    paper: '#ffffff',
    wash: '#f5f6f8',
    line: '#e1e5ea',
    ink: '#12161c',
    soft: '#535d6b',
    before: '#7f8a99',
    after: '#0c7d78',
    afterText: '#0a6a66',
    afterWash: '#cfe9e6',
    float: '#a85a00',
    floatText: '#8f4a00',
    floatWash: '#fbe6c9',
    otherWash: '#eceef1',
    beforeWash: '#d9dee5',
    bad: '#b3261e',
    badWash: '#fdecea',
  },
  dark: {
    paper: '#0e1217',
    wash: '#161b22',
    line: '#2b323c',
    ink: '#e8ecf1',
    soft: '#a5afbc',
    before: '#8792a1',
    after: '#35b8ab',
    afterText: '#62d3c7',
    afterWash: '#134744',
    float: '#dd9a43',
    floatText: '#efb567',
    floatWash: '#4a3413',
    otherWash: '#1f262e',
    beforeWash: '#39424e',
    bad: '#ff938a',
    badWash: '#3a1a18',
  },
} as const;

export type ColorName = keyof typeof colors.light;

/** The colours as CSS custom properties: `--paper: #ffffff; …`. */
export function colorProperties(theme: keyof typeof colors): string {
  return Object.entries(colors[theme])
    .map(([name, value]) => `--${name}:${value};`)
    .join('');
}
