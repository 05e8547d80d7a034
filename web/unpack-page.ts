import type { UnpackMessage, UnpackRequest } from './unpack-worker.ts';

/** The worker's program: put here when the page is built, so that the page is one file. */
declare const unpackWorkerSource: string;

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const input = element<HTMLInputElement>('file');
const zone = element('zone');
const status = element('status');
const progress = element<HTMLProgressElement>('progress');
const problem = element('problem');
const results = element('results');
const list = element('list');

const workerUrl = URL.createObjectURL(new Blob([unpackWorkerSource], { type: 'text/javascript' }));
let worker: Worker | undefined;
let urls: string[] = [];

function formatBytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Names come from the file: what could disguise them is shown as a code. */
function printable(name: string): string {
  return name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}

function fail(message: string): void {
  progress.hidden = true;
  status.textContent = '';
  problem.textContent = message;
  problem.hidden = false;
}

function unpack(file: File): void {
  worker?.terminate();
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  results.hidden = true;
  problem.hidden = true;
  progress.hidden = false;
  progress.removeAttribute('value');
  const name = printable(file.name);
  status.textContent = `Unpacking ${name} (${formatBytes(file.size)}) …`;
  const started = performance.now();
  worker = new Worker(workerUrl);
  worker.onerror = ({ message }) => fail(`${name} cannot be unpacked: this page has an error (${message}).`);
  worker.onmessage = ({ data }: MessageEvent<UnpackMessage>) => {
    if (data.kind === 'progress') {
      progress.value = data.share;
      return;
    }
    worker?.terminate();
    progress.hidden = true;
    if (data.kind === 'failed') {
      fail(`${name} cannot be unpacked: ${data.reason}. Copy or download the file again, or pack the model anew.`);
      return;
    }
    show(name, data.files, (performance.now() - started) / 1000);
  };
  worker.postMessage({ file } satisfies UnpackRequest);
}

function show(name: string, files: Extract<UnpackMessage, { kind: 'done' }>['files'], seconds: number): void {
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  status.textContent =
    `${name} holds ${files.length === 1 ? 'one file' : `${files.length} files`} of ${formatBytes(total)}, ` +
    `unpacked in ${seconds.toFixed(1)} s. Every byte was checked against the SHA-256 it was packed with.`;
  list.replaceChildren(
    ...files.map((file) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      const url = URL.createObjectURL(new Blob([file.bytes], { type: 'application/octet-stream' }));
      urls.push(url);
      link.href = url;
      link.download = file.name.split('/').at(-1) ?? 'model.onnx';
      link.className = 'download';
      link.textContent = `Download ${printable(file.name)}`;
      const facts = document.createElement('p');
      facts.textContent = `${formatBytes(file.bytes.length)}, SHA-256 matches: `;
      const digest = document.createElement('code');
      digest.textContent = file.sha256;
      facts.append(digest);
      item.append(link, facts);
      return item;
    }),
  );
  results.hidden = false;
  list.querySelector('a')?.focus();
}

input.addEventListener('change', () => {
  const [file] = input.files ?? [];
  if (file !== undefined) unpack(file);
  // The same file may be chosen again.
  input.value = '';
});
for (const type of ['dragenter', 'dragover']) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    zone.classList.add('over');
  });
}
document.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) zone.classList.remove('over');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  zone.classList.remove('over');
  const [file] = event.dataTransfer?.files ?? [];
  if (file === undefined) fail('What was dropped is not a file.');
  else unpack(file);
});
