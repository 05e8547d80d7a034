import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
// @ts-expect-error a script without types
import { buildUnpackPage } from '../../scripts/build-web.mjs';
import { encodeEpk } from '../../src/formats/epk/encode-epk.ts';
import { pack } from '../../src/pipeline/pack-model.ts';
import { exampleFiles, exampleTensors, fileOf } from '../formats/epk/example-files.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.EDGEPACK_CHROMIUM ?? places.find((path) => existsSync(path));
const model = fileURLToPath(new URL('../../fixtures/digits-conv.onnx', import.meta.url));

describe.skipIf(executablePath === undefined)('the page that unpacks, in Chromium', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let url: string;
  /** What the page asked for beyond itself and the memory of the browser, and what it complained of. */
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgepack-page-'));
    url = pathToFileURL(await buildUnpackPage(join(folder, 'unpack.html'))).href;
    await pack(model, join(folder, 'digits.epk'));
    const args = [
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ];
    browser = await chromium.launch({ executablePath: executablePath!, args, chromiumSandbox: false });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    requests.length = 0;
    complaints.length = 0;
    page = await browser.newPage();
    page.on('request', (request) => {
      if (request.url() !== url && !/^(blob|data):/.test(request.url())) requests.push(request.url());
    });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
  });
  afterEach(async () => {
    await page.close();
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
  });

  async function downloaded(name: string | RegExp): Promise<Buffer> {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
    return readFileSync(await download.path());
  }

  it('gives a chosen model back, byte for byte', async () => {
    await page.getByLabel('Choose an .epk file').setInputFiles(join(folder, 'digits.epk'));
    await page.getByRole('link').waitFor();
    expect(await page.getByRole('status').textContent()).toMatch(/^digits\.epk holds one file of .* SHA-256/);
    expect((await downloaded('Download digits-conv.onnx')).equals(readFileSync(model))).toBe(true);
    // The link has the focus: Enter is enough.
    expect(await page.evaluate('document.activeElement.download')).toBe('digits-conv.onnx');
  });

  it('gives the files of a dropped one, with progress', async () => {
    const large = fileOf('large.onnx', exampleTensors(256, 256));
    const { bytes } = await encodeEpk([large, exampleFiles()[1]!]);
    await page.evaluate(`{
      window.shares = [];
      new MutationObserver(() => window.shares.push(progress.value)).observe(progress, { attributes: true });
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob('${Buffer.from(bytes).toString('base64')}'), (c) => c.charCodeAt(0))], 'two.epk'));
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }`);
    await page.getByRole('link', { name: 'large.onnx' }).waitFor();
    expect((await downloaded(/large/)).equals(Buffer.from(large.bytes))).toBe(true);
    expect((await downloaded(/notes/)).toString()).toBe('plain text, plain text, plain text');
    const shares = (await page.evaluate('window.shares')) as number[];
    expect(shares.at(-1)).toBe(1);
    expect(new Set(shares).size).toBeGreaterThan(2);
  });

  it('says what is wrong with damaged and foreign files, and goes on', async () => {
    const damaged = readFileSync(join(folder, 'digits.epk'));
    damaged[damaged.length - 100]! ^= 1;
    writeFileSync(join(folder, 'damaged.epk'), damaged);
    writeFileSync(join(folder, 'empty.epk'), '');
    writeFileSync(join(folder, 'text.epk'), '<script>alert(1)</script>');
    for (const [name, reason] of [
      ['damaged', 'is damaged'],
      ['empty', 'the file is empty'],
      ['text', 'it is not an .epk file'],
    ]) {
      await page.getByLabel('Choose an .epk file').setInputFiles(join(folder, `${name}.epk`));
      await page
        .getByRole('alert')
        .filter({ hasText: `${name}.epk cannot be unpacked` })
        .waitFor();
      expect(await page.getByRole('alert').textContent()).toContain(reason);
      expect(await page.getByRole('link').count()).toBe(0);
    }
    await page.getByLabel('Choose an .epk file').setInputFiles(join(folder, 'digits.epk'));
    await page.getByRole('link').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('is worked by keyboard, and fits a narrow window', async () => {
    // Asked for first: a dialog that opens before the browser is told to hand it over is lost.
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('file');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(join(folder, 'digits.epk'));
    await page.getByRole('link').waitFor();
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  });
});
