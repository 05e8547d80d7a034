import { createHash } from 'node:crypto';
import { parse } from 'parse5';
import { describe, expect, it } from 'vitest';
import { renderDiff } from '../../src/cli/render-diff.ts';
import { diffSchema } from '../../src/report/diff-schema.ts';
import { renderDiffHtml } from '../../src/report/render-diff-html.ts';
import { exampleDiff } from './example-diff.ts';

const plain = { columns: 120, paint: (text: string) => text, all: true };
const hostile = '<script>alert(1)</script>"\'&\u001b[31m\u202e';

describe('a comparison', () => {
  it('fits its schema', () => {
    expect(diffSchema.parse(exampleDiff())).toEqual(exampleDiff());
  });

  it('as text says what happened to each kind of node, and where the models part', () => {
    const text = renderDiff(exampleDiff(), plain);
    for (const part of [
      'Nodes: 12 unchanged, 1 changed, 1 replaced, 1 quantized, 1 removed, 1 added, 1 renamed',
      'kernel_shape: [3, 3] → [5, 5]',
      'Relu → Clip',
      'float → int8',
      'was old',
      '41.2 dB',
      'with BatchNormalization folded in',
      'the models part at layer1 (Conv), value 2 of 9',
      '4.00 × smaller',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('as text lists the first of many, and all on request', () => {
    const diff = exampleDiff();
    const added = diff.nodes.changes.find(({ kind }) => kind === 'added')!;
    diff.nodes.changes = Array.from({ length: 40 }, () => added);
    expect(renderDiff(diff, { ...plain, all: false })).toContain('and 28 more (--all lists all)');
    expect(renderDiff(diff, plain)).not.toContain('more (--all');
  });

  it('as a page is well-formed, fetches nothing, and lets only its own style and script in', async () => {
    const page = await renderDiffHtml(exampleDiff());
    const mistakes: string[] = [];
    parse(page, { onParseError: ({ code }) => mistakes.push(code) });
    expect(mistakes).toEqual([]);
    expect(page).not.toMatch(/\b(src|href)="(?!#|data:,)/);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
    for (const [tag, directive] of [
      ['style', 'style-src'],
      ['script', 'script-src'],
    ] as const) {
      const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)![1]!;
      expect(policy).toContain(`${directive} 'sha256-${createHash('sha256').update(content).digest('base64')}'`);
    }
    expect(await renderDiffHtml(exampleDiff())).toBe(page);
  });

  it('escapes names of models, in text and on the page', async () => {
    const diff = exampleDiff((text) => `${hostile}${text}`);
    const page = await renderDiffHtml(diff);
    expect(page).not.toContain('<script>alert');
    expect(page.match(/<script>/g)).toHaveLength(1);
    for (const text of [page, renderDiff(diff, plain)]) {
      expect([text.includes('\u001b'), text.includes('\u202e')]).toEqual([false, false]);
    }
  });

  it('of two equal models says so', async () => {
    const diff = exampleDiff();
    const same = {
      ...diff,
      identical: true,
      b: diff.a,
      properties: [],
      inputs: [],
      outputs: [],
      layers: [],
      values: null,
      warnings: [],
      nodes: { unchanged: 3, changes: [] },
      weights: { identical: 2, changes: [] },
    };
    expect(renderDiff(same, plain)).toContain('The same file.');
    expect(await renderDiffHtml(same)).toContain('The same file.');
  });
});
