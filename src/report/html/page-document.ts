import { createHash } from 'node:crypto';
import { type Content, html, Markup } from './markup.ts';

export interface PageDocument {
  readonly title: string;
  readonly style: string;
  readonly script: string;
  /** Everything inside the page, header and footer included. */
  readonly body: Content;
  /** Where the link for keyboards leads to, and what it says. */
  readonly skipText: string;
}

/** A page that needs no network and may load nothing: its style and script are named by their hashes. */
export function pageDocument({ title, style, script, body, skipText }: PageDocument): string {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${sha256(style)}'`,
    `script-src 'sha256-${sha256(script)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy.replaceAll("'", '&#39;'))}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">${skipText}</a>
<div class="page">
${body}
</div>
${new Markup(`<script>${script}</script>`)}
</body>
</html>
`.text;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
