import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderDiffHtml } from '../../../src/report/render-diff-html.ts';
import { hasChromium, launchChromium } from '../../chromium.ts';
import { exampleDiff } from '../example-diff.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const diffs = {
  example: exampleDiff(),
  hostile: exampleDiff((text) => `<img src=x onerror=alert(1)>${'long'.repeat(80)}${text}`),
};

describe.skipIf(!hasChromium)('the page of a comparison in Chromium', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-diff-page-'));

  beforeAll(async () => {
    browser = await launchChromium();
    for (const [name, diff] of Object.entries(diffs)) {
      writeFileSync(join(folder, `${name}.html`), await renderDiffHtml(diff));
    }
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const views = [
    ['example', 360, 'light'],
    ['example', 1280, 'dark'],
    ['hostile', 360, 'dark'],
    ['hostile', 1280, 'light'],
  ] as const;

  it.each(views)(
    '%s at %i pixels, %s: quiet, no wider than the screen, accessible',
    async (name, width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      const noises: string[] = [];
      const url = pathToFileURL(join(folder, `${name}.html`)).href;
      page.on('console', (message) => noises.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => noises.push(`error: ${error.message}`));
      page.on('request', (request) => {
        if (request.url() !== url && request.url() !== 'data:,') noises.push(`request: ${request.url()}`);
      });
      await page.goto(url);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
      await page.evaluate(axe);
      const found = await page.evaluate(
        'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 160)))',
      );
      expect(found).toEqual([]);
      expect(noises).toEqual([]);
      await context.close();
    },
  );
});
