import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeXml } from '../../src/budget/escape-xml.ts';
import { renderAnnotations } from '../../src/budget/render-annotations.ts';
import { commentMarker, renderCheckMarkdown } from '../../src/budget/render-check-markdown.ts';
import { renderJunit } from '../../src/budget/render-junit.ts';
import { sizeBadge } from '../../src/budget/size-badge.ts';
import { trendPlot } from '../../src/budget/trend-plot.ts';
import { exampleCheck, exampleItem, overBudget } from '../cli/example-check.ts';
import { parseXml, type XmlElement } from './well-formed-xml.ts';

const foreign = `a"<b>&'\u0000\u001b]0;x\u0007\n::error::x%0A|\`@you\ud800 --> ]]>`;
const failing = exampleCheck({
  status: 'failed',
  items: [
    exampleItem(),
    overBudget,
    exampleItem({ metric: 'latency.host', outcome: 'undecided', message: foreign }),
    exampleItem({ metric: 'accuracy.drop', outcome: 'refused', message: 'too fine' }),
    exampleItem({ metric: 'accuracy.top1', kind: 'maxDrop', outcome: 'skipped', limit: null }),
    exampleItem({ metric: 'memory.engine', outcome: 'failed', level: 'warn' }),
  ],
  subject: { path: 'out', model: foreign, target: 'rpi4' },
  warnings: [{ code: 'other-target', message: foreign }],
});
const all = (element: XmlElement): XmlElement[] => [element, ...element.children.flatMap(all)];

describe('JUnit XML', () => {
  const document = parseXml(renderJunit(failing));

  it('has the structure and the counts that CI servers read', () => {
    const [suite] = document.children;
    expect([document.name, suite!.name]).toEqual(['testsuites', 'testsuite']);
    expect(suite!.attributes).toMatchObject({ tests: '6', failures: '1', errors: '1', skipped: '1' });
    const counted = (name: string) => String(all(document).filter((element) => element.name === name).length);
    const { tests, failures, errors, skipped } = suite!.attributes;
    expect([tests, failures, errors, skipped]).toEqual(['testcase', 'failure', 'error', 'skipped'].map(counted));
    const allowed: Record<string, string[]> = {
      testsuites: ['testsuite'],
      testsuite: ['testcase'],
      testcase: ['failure', 'error', 'skipped', 'system-out'],
    };
    for (const element of all(document)) {
      for (const { name } of element.children) expect(allowed[element.name], element.name).toContain(name);
    }
    for (const { attributes } of suite!.children) {
      expect(attributes).toMatchObject({ classname: expect.any(String), name: expect.any(String), time: '0' });
    }
  });

  it('says what failed, why, and where the limit stands', () => {
    const failure = all(document).find(({ name }) => name === 'failure')!;
    expect(failure.attributes.message).toBe(overBudget.message);
    expect(failure.text).toContain('w<1>&"\'|%0A::@x: +2.00 kB (new)\nlimit set in edgepack.config.json:7');
  });

  it('counts what is undecided as a failure where the configuration says so', () => {
    expect(parseXml(renderJunit(failing, 'error')).attributes.failures).toBe('2');
  });
});

describe('escapeXml', () => {
  it('is undone by a reader, but for what XML cannot hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const element = parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
        const kept = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu, '\ufffd');
        expect([element.text, element.attributes.b]).toEqual([kept, kept]);
      }),
    );
  });
});

describe('annotations', () => {
  const lines = renderAnnotations(failing, (file) => `sub/${file}`).split('\n');

  it('are one command a line, whatever names hold', () => {
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(4);
    for (const line of lines)
      expect(line).toMatch(/^::(error|warning) file=sub\/edgepack\.config\.json,line=\d+,title=[^,:]*::/);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['::error', '::warning', '::error', '::warning']);
    expect(lines[0]).toContain('w<1>&"\'|%250A::@x: +2.00 kB (new)');
    expect(lines[1]).not.toMatch(/\p{Cc}/u);
  });

  it('are none where all is well', () => {
    expect(renderAnnotations(exampleCheck(), (file) => file)).toBe('');
  });
});

describe('the comment', () => {
  const text = renderCheckMarkdown(failing);

  it('opens with its marker and the verdict, then what is wrong, then the change', () => {
    expect(text.startsWith(`${commentMarker}\n\n## edgepack: `)).toBe(true);
    expect(text).toContain('is over budget');
    expect(text).toContain('- **Error** `size.epk`: .epk file 82,000 bytes is more than the limit of 81,000 bytes');
    expect(text).toContain('| size.file | 104,000 bytes | 105,000 bytes | +0.96 % |');
    expect(text).toContain('| accuracy.top1 | 97.00 % | 96.50 % | −0.50 points |');
    expect(text.indexOf('**Error**')).toBeLessThan(text.indexOf('| size.file |'));
    expect(renderCheckMarkdown(exampleCheck({ baseline: null }))).not.toContain('baseline');
  });

  it('takes names for text: no markup, no mention, no line of its own', () => {
    expect(text.replaceAll('\n', '')).not.toMatch(/<b>|@you|@x|\p{Cc}/u);
    expect(text).toContain('w&lt;1&gt;&');
    expect(text.split('\n').filter((line) => line.startsWith('::'))).toEqual([]);
    for (const row of text.split('\n').filter((line) => /^\| (size|latency|accuracy|memory)/.test(line))) {
      expect(row.replaceAll('\\|', '').split('|').length).toBeLessThanOrEqual(6);
    }
  });
});

describe('the badge', () => {
  it('is SVG with the same text for every reader', () => {
    const svg = parseXml(sizeBadge({ label: 'a<b', sizeBytes: 81_000, status: 'failed' }));
    expect(svg.attributes).toMatchObject({ role: 'img', 'aria-label': 'a<b: 81.0 kB, over budget' });
    expect(svg.children[0]).toMatchObject({ name: 'title', text: 'a<b: 81.0 kB, over budget' });
    expect(
      all(svg)
        .filter(({ name }) => name === 'text')
        .map(({ text }) => text),
    ).toEqual(['a<b', '81.0 kB']);
  });

  it('has a contrast of at least 4.5 in every colour', () => {
    for (const status of ['passed', 'failed', 'refused'] as const) {
      const fills = sizeBadge({ label: 'x', sizeBytes: 1, status }).matchAll(/fill="#([0-9a-f]{6})"/g);
      for (const [, hex] of fills) expect(1.05 / (luminance(hex!) + 0.05), `${status} ${hex}`).toBeGreaterThan(4.5);
    }
  });
});

function luminance(hex: string): number {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

describe('the trend', () => {
  const row = (commit: string, figures: Record<string, number>, model = 'm') => ({
    historyVersion: 1 as const,
    commit,
    time: '2026-01-01T00:00:00.000Z',
    model,
    target: 'rpi4',
    status: 'passed' as const,
    figures,
  });
  const rows = [
    row('a<1>', { 'size.file': 1000, 'accuracy.top1': 0.9 }),
    row('other', { 'size.file': 5 }, 'n'),
    row('b', { 'size.file': 1500 }),
    row('c', { 'size.file': 1250, 'accuracy.top1': 0.9 }),
  ];

  it('draws a panel for every metric, over the commits of this model', () => {
    const text = trendPlot({ rows, damagedLines: 0 }, 'm', 'rpi4');
    const svg = parseXml(text);
    expect(svg.attributes.role).toBe('img');
    expect(all(svg).filter(({ name }) => name === 'g')).toHaveLength(2);
    const paths = all(svg)
      .filter(({ name }) => name === 'path')
      .map(({ attributes }) => attributes.d);
    expect(paths[0]).toBe('M120,138L410,64L700,101');
    expect(paths[1]).not.toContain('NaN');
    expect(all(svg).filter(({ name }) => name === 'circle')).toHaveLength(5);
    expect(text).toContain('a&lt;1&gt;');
    expect(text).not.toContain('other');
  });

  it('draws one commit, and none', () => {
    for (const some of [[], rows.slice(0, 1)]) {
      expect(trendPlot({ rows: some, damagedLines: 0 }, 'm', 'rpi4')).not.toMatch(/NaN|Infinity/);
      parseXml(trendPlot({ rows: some, damagedLines: 0 }, 'm', 'rpi4'));
    }
  });
});
