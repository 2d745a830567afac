import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signedHeaders, signingKeysOf } from './signature.js';

it('docs/webhooks.md shows a receiver that takes what its secret has signed just now, and nothing else', async () => {
  const [, program] = /```js\n([^]*?)```/.exec(readFileSync('docs/webhooks.md', 'utf8'))!;
  const work = mkdtempSync(join(tmpdir(), 'placet receiver '));
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  writeFileSync(join(work, 'receiver.mjs'), program!);
  const child = spawn(process.execPath, [join(work, 'receiver.mjs')], {
    env: { SECRET: secret, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += String(chunk)));
    await once(child.stdout, 'data');
    const port = /port (\d+)/.exec(printed)![1]!;
    const keys = signingKeysOf(secret)!;
    const send = async (body: string, headers: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).status;
    const body = '{"id":"msg_1","subject":"user:änn"}';
    const now = Date.now();
    const other = signingKeysOf(`whsec_${randomBytes(32).toString('base64')}`)!;
    expect(await send(body, signedHeaders(keys, 'msg_1', body, now))).toBe(204);
    expect(await send(body, signedHeaders([...other, ...keys], 'msg_1', body, now))).toBe(204);
    expect(await send(body, signedHeaders(other, 'msg_1', body, now))).toBe(401);
    expect(await send(`${body} `, signedHeaders(keys, 'msg_1', body, now))).toBe(401);
    expect(await send(body, signedHeaders(keys, 'msg_1', body, now - 6 * 60_000))).toBe(401);
    expect(await send(body, {})).toBe(401);
    expect(printed.split(body)).toHaveLength(3);
  } finally {
    child.kill();
    rmSync(work, { recursive: true, force: true });
  }
});
