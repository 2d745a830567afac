import { hash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { html } from './html.js';
import { sendPage } from './page.js';

const EVIL = `"><script>alert('x')</script>&`;

let server: Server;
let answer: Response;
let text: string;

beforeAll(async () => {
  server = createServer((_, response) =>
    sendPage(response, 403, { title: EVIL, body: html`<p title="${EVIL}">${[html`<b>${EVIL}</b>`, html`${7}`]}</p>` }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  text = await answer.text();
});

afterAll(() => server.close());

describe('a page', () => {
  it('has nothing in it that is not escaped, but pieces of HTML', () => {
    expect(answer.status).toBe(403);
    expect(text).not.toContain('<script>');
    expect(text).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</b>7</p>');
  });

  it('lets nothing run, frame or keep it, and only its own style', () => {
    const policy = answer.headers.get('content-security-policy')!;
    const [, style] = /<style>([^]*)<\/style>/.exec(text)!;
    expect(policy).toContain(`style-src 'sha256-${hash('sha256', style!, 'base64')}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });
});
