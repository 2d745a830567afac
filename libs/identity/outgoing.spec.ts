import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Outgoing } from './outgoing.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serving(listener: RequestListener): Promise<number> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const HOME = 'home';

describe('the way out', () => {
  it('leads to an issuer on this machine, and sends what it is given', async () => {
    const port = await serving((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () =>
        response.end(JSON.stringify([request.method, body, request.headers['content-length'], request.headers.dpop])),
      );
    });
    const issuer = `http://localhost:${port}`;
    const answer = await new Outgoing('loopback', HOME).for('other', issuer)(`${issuer}/token`, {
      method: 'POST',
      headers: { dpop: 'x' },
      body: new URLSearchParams({ a: 'b c' }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(['POST', 'a=b+c', '5', 'x']);
  });

  it('goes after no redirect', async () => {
    const port = await serving((_, response) => response.writeHead(302, { Location: 'http://localhost:1/' }).end());
    const answer = await new Outgoing('on', HOME).for(HOME, `http://localhost:${port}`)(`http://127.0.0.1:${port}/`);
    expect(answer.status).toBe(302);
  });

  it.each([
    ['off', 'http://localhost:PORT', 'http://localhost:PORT/'],
    ['home', 'https://idp.example', 'http://localhost:PORT/'],
    ['home', 'http://localhost:PORT', 'https://10.0.0.1/'],
    ['loopback', 'https://idp.example', 'http://localhost:PORT/'],
    ['loopback', 'https://idp.example', 'https://localhost:PORT/'],
    ['on', 'https://idp.example', 'https://127.0.0.1:PORT/'],
    ['on', 'https://idp.example', 'https://[::ffff:127.0.0.1]:PORT/'],
    ['loopback', 'http://localhost:PORT', 'https://10.0.0.1/'],
    ['on', 'http://localhost:PORT', 'http://10.0.0.1/'],
    ['on', 'http://localhost:PORT', 'https://169.254.169.254/latest/meta-data'],
    ['on', 'http://localhost:PORT', 'https://2852039166/latest/meta-data'],
    ['on', 'http://localhost:PORT', 'https://ann:secret@localhost:PORT/'],
    ['on', 'http://localhost:PORT', 'file:///etc/passwd'],
  ] as const)('being %s, does not lead from %s to %s', async (allowed, issuer, url) => {
    let connected = 0;
    const port = await serving((_, response) => response.end());
    server!.on('connection', () => connected++);
    const at = (text: string) => text.replace('PORT', String(port));
    await expect(new Outgoing(allowed, HOME).for(HOME, at(issuer))(at(url))).rejects.toMatchObject({
      name: 'OutgoingError',
    });
    expect(connected).toBe(0);
  });

  it.each([
    ['home', HOME, true],
    ['home', 'other', false],
    ['loopback', 'other', true],
    ['on', 'other', true],
    ['off', HOME, false],
  ] as const)(
    'being %s, leads an issuer on this machine of the tenant %s there: %s',
    async (allowed, tenant, leads) => {
      const port = await serving((_, response) => response.end('x'));
      const issuer = `http://127.0.0.1:${port}`;
      const answered = new Outgoing(allowed, HOME)
        .for(
          tenant,
          issuer,
        )(issuer)
        .then(
          ({ status }) => status === 200,
          () => false,
        );
      expect(await answered).toBe(leads);
    },
  );

  it('refuses what is larger than a megabyte, breaks off, or is compressed', async () => {
    const bodies: Record<string, RequestListener> = {
      '/large': (_, response) => response.end(Buffer.alloc(1024 * 1024 + 1)),
      '/most': (_, response) => response.end(Buffer.alloc(1024 * 1024)),
      '/cut': (_, response) => {
        response.writeHead(200, { 'Content-Length': '10' });
        response.write('abc', () => response.destroy());
      },
      '/gzip': (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
    };
    const port = await serving((request, response) => bodies[request.url!]!(request, response));
    const fetch = new Outgoing('loopback', HOME).for(HOME, `http://localhost:${port}`);
    for (const path of ['/large', '/cut', '/gzip']) {
      await expect(fetch(`http://localhost:${port}${path}`)).rejects.toMatchObject({ name: 'OutgoingError' });
    }
    expect((await (await fetch(`http://localhost:${port}/most`)).arrayBuffer()).byteLength).toBe(1024 * 1024);
  });

  it('waits for nobody longer than five seconds, also where bytes trickle', async () => {
    const port = await serving((_, response) => {
      response.write('x');
      const trickle = setInterval(() => response.write('x'), 200);
      response.on('close', () => clearInterval(trickle));
    });
    const began = performance.now();
    await expect(
      new Outgoing('home', HOME).for(HOME, `http://localhost:${port}`)(`http://localhost:${port}/`),
    ).rejects.toMatchObject({ name: 'OutgoingError' });
    expect(performance.now() - began).toBeLessThan(6000);
  }, 10_000);
});
