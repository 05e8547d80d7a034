import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../../src/report/render-html.ts';
import { hasChromium, launchChromium } from '../../chromium.ts';
import { exampleReport } from '../example-report.ts';
import { bareReport, hostileReport, largeReport } from './example-reports.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const reports = { example: exampleReport(), large: largeReport(200), bare: bareReport(), hostile: hostileReport() };

interface Opened {
  readonly page: Page;
  /** Console messages, uncaught errors and requests other than that of the page itself. */
  readonly noises: readonly string[];
}

describe.skipIf(!hasChromium)('the page in Chromium', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'edgepack-page-'));

  beforeAll(async () => {
    browser = await launchChromium();
    for (const [name, report] of Object.entries(reports)) {
      writeFileSync(join(folder, `${name}.html`), await renderHtml(report));
    }
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(
    name: string,
    width: number,
    colorScheme: 'light' | 'dark',
    javaScriptEnabled = true,
  ): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, javaScriptEnabled });
    const page = await context.newPage();
    const noises: string[] = [];
    const url = pathToFileURL(join(folder, `${name}.html`)).href;
    page.on('console', (message) => noises.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => noises.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      noises.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== url && request.url() !== 'data:,') noises.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    return { page, noises };
  }

  const views = [
    ...[360, 700, 1280].flatMap((width) => [['example', width, 'light'] as const, ['example', width, 'dark'] as const]),
    ['large', 360, 'dark'],
    ['large', 1280, 'light'],
    ['bare', 360, 'light'],
    ['bare', 1280, 'dark'],
    ['hostile', 360, 'light'],
    ['hostile', 700, 'dark'],
    ['hostile', 1280, 'light'],
  ] as const;

  it.each(views)('%s at %i pixels, %s: quiet, no wider than the screen, accessible', async (name, width, scheme) => {
    const { page, noises } = await open(name, width, scheme);
    const [scrollWidth, innerWidth] = await page
      .evaluate('[document.documentElement.scrollWidth, innerWidth]')
      .then((value) => value as number[]);
    expect(scrollWidth).toBeLessThanOrEqual(innerWidth!);
    await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
    await page.evaluate(axe);
    const found = (await page.evaluate(
      'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")))',
    )) as string[];
    expect(found).toEqual([]);
    expect(noises).toEqual([]);
    await page.context().close();
  });

  it('is complete without JavaScript, and has no buttons that do nothing', async () => {
    const { page } = await open('large', 1280, 'light', false);
    expect(await page.locator('button').count()).toBe(0);
    expect(await page.locator('section').count()).toBeGreaterThan(7);
    await page.locator('summary').first().click();
    expect(await page.locator('details[open] tbody tr').first().isVisible()).toBe(true);
    await page.context().close();
  });

  it('names the part of a treemap under the pointer and by the arrow keys, in both pictures', async () => {
    const { page } = await open('example', 1280, 'light');
    const map = page.locator('.for-wide .treemap');
    await map.locator('> g').first().locator('rect').first().hover();
    expect(await page.locator('.readout').textContent()).toBe('dense1: 402 kB, 98.6 % → 78.0 kB, 96.3 %');
    expect(await map.locator('.on').count()).toBe(2);
    await map.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.readout').textContent()).toContain('graph, names, container');
    await page.context().close();
  });

  it('draws bars of a row one line high, as long as their numbers', async () => {
    const { page } = await open('example', 1280, 'light');
    const bars = (await page.evaluate(`[...document.querySelectorAll('#bytes .bar')].map((bar) => {
      const [outer, inner] = [bar, bar.lastElementChild].map((part) => part.getBoundingClientRect());
      return [outer.height, inner.height, inner.width / outer.width];
    })`)) as number[][];
    const { sizes, steps } = reports.example;
    const bytes = [sizes.originalBytes, ...steps.map(({ onnxBytes }) => onnxBytes), sizes.epkBytes!];
    expect(bars.map((bar) => bar.slice(0, 2))).toEqual(bytes.map(() => [12, 12]));
    for (const [i, value] of bytes.entries()) expect(bars[i]![2]).toBeCloseTo(value / sizes.originalBytes, 2);
    await page.context().close();
  });

  it('prints in light colours, with no chart cut at the edge', async () => {
    const { page } = await open('large', 1280, 'dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.setViewportSize({ width: 688, height: 1000 });
    const seen = (await page.evaluate(`({
      paper: getComputedStyle(document.body).backgroundColor,
      ink: getComputedStyle(document.body).color,
      wide: [...document.querySelectorAll('.plot svg, .card, table')].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length,
      charts: [...document.querySelectorAll('.plot')].map((chart) => [...chart.children].filter((size) => size.offsetHeight > 0).length),
    })`)) as { paper: string; ink: string; wide: number; charts: number[] };
    expect(seen).toMatchObject({ paper: 'rgb(255, 255, 255)', ink: 'rgb(18, 22, 28)', wide: 0 });
    expect(new Set(seen.charts)).toEqual(new Set([1]));
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-');
    await page.context().close();
  });
});
