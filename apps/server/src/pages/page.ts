import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '../http/responses.js';
import { html, Html } from './html.js';

/** What one page shows. It has nothing from elsewhere, and no scripts but for one that sends its form. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Whether it has much to read. */
  readonly wide?: boolean;
  /** Origins besides ours where its forms may end up, after redirects (Chromium holds `form-action` against these too). */
  readonly formsTo?: readonly string[];
  /** Whether its form is sent without anybody's doing, where scripts run; it needs a button for where they do not. */
  readonly sendsItself?: boolean;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: Canvas; color: CanvasText; }
main { box-sizing: border-box; width: 100%; min-width: 0; max-width: 28rem; padding: 2rem; overflow-wrap: anywhere; }
main.wide { max-width: 50rem; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input, textarea { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
button, .button { display: inline-block; margin: 1rem .5rem 0 0; padding: .5rem 1rem; font: inherit; cursor: pointer;
  color: inherit; text-decoration: none; border: 1px solid currentColor; border-radius: .25rem; background: none; }
button.primary { color: #fff; background: #1a5fb4; border-color: #1a5fb4; }
:focus-visible { outline: 3px solid #62a0ea; outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; }
pre { margin: 0; padding: .25rem .5rem; font: .9rem/1.4 ui-monospace, monospace; white-space: pre-wrap;
  border-left: 2px solid #62a0ea; }
fieldset { margin: 0; padding: 0 1rem 1rem; }
fieldset label { font-weight: 400; }
input[type=radio] { width: auto; margin: 0 .5rem 0 0; }
small { opacity: .8; }
@media (max-width: 35rem) {
  main { padding: 1rem; }
  .wide dl { display: block; }
  .wide dt { margin-top: .75rem; }
}
[role=alert] { padding: .5rem 1rem; border-left: 4px solid #c01c28; }
`;

const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** Of the style alone: no other one may be used, wherever it came from. */
const STYLE_HASH = `'sha256-${hash('sha256', STYLE, 'base64')}'`;

const SCRIPT = 'document.forms[0].submit()';

const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`);

/** Of those very words: whatever else might get into such a page does not run. */
const SCRIPT_HASH = `'sha256-${hash('sha256', SCRIPT, 'base64')}'`;

/** Sends a page: nothing may frame it, keep it, or run in it. */
export function sendPage(
  response: ServerResponse,
  status: number,
  { title, body, formsTo = [], wide = false, sendsItself = false }: Page,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - Placet</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${wide ? 'wide' : ''}">
          <h1>${title}</h1>
          ${body}
        </main>
        ${sendsItself ? SCRIPT_ELEMENT : undefined}
      </body>
    </html>`;
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${STYLE_HASH}`,
      ...(sendsItself ? [`script-src ${SCRIPT_HASH}`] : []),
      `form-action ${["'self'", ...formsTo].join(' ')}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
