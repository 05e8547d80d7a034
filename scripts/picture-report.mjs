// Makes docs/report.png, the picture of a report in the README: compresses fixtures/digits-conv.onnx and takes the top of the page.
// Run after `npm run build`. Needs Chromium (EDGEPACK_CHROMIUM, or /usr/bin/chromium); uses the font Inter where it is installed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { compress } from '../dist/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const size = { width: 1280, height: 1180 };
const folder = mkdtempSync(join(tmpdir(), 'edgepack-picture-'));
const fonts = join(folder, 'fonts.conf');
const prefer = (family) =>
  `<match><test name="family"><string>${family}</string></test><edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>`;
writeFileSync(
  fonts,
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>/usr/share/fonts</dir>${prefer('system-ui')}${prefer('sans-serif')}</fontconfig>`,
);

process.chdir(root);
const output = join(folder, 'out');
await compress(
  'fixtures/digits-conv.onnx',
  { target: 'rpi4', data: 'fixtures/digits.npz', preprocess: 'mnist-0-1', output },
  { commandLine: 'edgepack compress fixtures/digits-conv.onnx --target rpi4 --data fixtures/digits.npz' },
);
const browser = await chromium.launch({
  executablePath: process.env.EDGEPACK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  env: { ...process.env, FONTCONFIG_FILE: fonts },
});
try {
  const page = await browser.newPage({ viewport: size, colorScheme: 'light' });
  await page.goto(pathToFileURL(join(output, 'report.html')).href);
  const picture = await page.screenshot();
  const { size: sizeBytes } = await sharp(picture)
    .png({ palette: true, colours: 128, compressionLevel: 9, effort: 10 })
    .toFile(join(root, 'docs', 'report.png'));
  console.log(`docs/report.png: ${sizeBytes} bytes`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
