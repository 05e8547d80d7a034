import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/pipeline/render-report.ts';
import { renderHtml } from '../../src/report/render-html.ts';
import { renderJson } from '../../src/report/render-json.ts';
import { renderMarkdown } from '../../src/report/render-markdown.ts';
import { exampleReport } from '../report/example-report.ts';

function folderWith(text: string): { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-report-'));
  const path = join(folder, 'report.json');
  writeFileSync(path, text);
  return { folder, path };
}

describe('renderReport', () => {
  it('gives the page that compress wrote, from the saved record', async () => {
    const { folder, path } = folderWith(renderJson(exampleReport()));
    const written = await renderReport(path);
    expect(written.path).toBe(join(folder, 'report.html'));
    expect(readFileSync(written.path, 'utf8')).toBe(await renderHtml(exampleReport()));
    const markdown = await renderReport(path, { output: join(folder, 'summary.md') });
    expect(readFileSync(markdown.path, 'utf8')).toBe(renderMarkdown(exampleReport()));
  });

  it('overwrites with force only', async () => {
    const { path } = folderWith(renderJson(exampleReport()));
    await renderReport(path, { format: 'md' });
    await expect(renderReport(path, { format: 'md' })).rejects.toMatchObject({ code: 'output-exists' });
    await renderReport(path, { format: 'md', force: true });
  });

  it.each([
    ['another version', JSON.stringify({ ...exampleReport(), reportVersion: 2 }), /reportVersion: must be 1/],
    ['a missing part', JSON.stringify({ ...exampleReport(), steps: [{ name: 'x' }] }), /steps\[0\]\.pass/],
    ['other JSON', '[]', /must be an object/],
    ['no JSON', '## report', /not valid JSON/],
    [
      'bytes without an owner',
      renderJson(exampleReport()).replace('"epkBytes": 81000', '"epkBytes": 81001'),
      /the file is 81001/,
    ],
  ])('refuses %s in one line, and writes nothing', async (_, text, message) => {
    const { folder, path } = folderWith(text);
    const failure = await renderReport(path).catch((error) => error);
    expect(failure).toMatchObject({ code: 'report-unreadable', exitCode: 2 });
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain('\n');
    expect(failure.hint).toContain('report.json');
    expect(readdirSync(folder)).toEqual(['report.json']);
  });
});
