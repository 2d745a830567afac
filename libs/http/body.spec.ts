import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBody } from './body.js';

/** What reading the next body comes to; the reading begins when `begin` is resolved. */
let read: ((request: IncomingMessage) => Promise<unknown>) | undefined;
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    void read!(request).finally(() => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The outcome of reading one body, with an optional wait before it is read. */
function outcome({ limit = 100, wait = 0 }: { limit?: number; wait?: number } = {}): Promise<string> {
  return new Promise((resolve) => {
    read = async (request) => {
      await sleep(wait);
      await readBody(request, limit).then(
        (bytes) => resolve(bytes.toString()),
        (error: { code?: string }) => resolve(error.code ?? 'another error'),
      );
    };
  });
}

const post = (headers: Record<string, string> = {}) => {
  const client = httpRequest({ port, method: 'POST', headers });
  client.on('error', () => undefined);
  return client;
};

/** Sends text over a bare socket and ends it. */
const raw = (text: string) => connect(port, '127.0.0.1').end(text);
const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\n';

describe('a body', () => {
  it('is read whole, in one piece or in many', async () => {
    const first = outcome();
    post().end('abc');
    expect(await first).toBe('abc');
    const second = outcome();
    const client = post();
    for (const piece of ['a', 'b', 'c']) {
      client.write(piece);
      await sleep(10);
    }
    client.end();
    expect(await second).toBe('abc');
  });

  it('may be empty', async () => {
    const read = outcome();
    post().end();
    expect(await read).toBe('');
  });

  it('is as long as the limit at most, declared or counted', async () => {
    const exact = outcome({ limit: 3 });
    post().end('abc');
    expect(await exact).toBe('abc');
    const declared = outcome({ limit: 3 });
    post({ 'Content-Length': '4' }).end('abcd');
    expect(await declared).toBe('body_too_large');
    const counted = outcome({ limit: 3 });
    const client = post({ 'Transfer-Encoding': 'chunked' });
    client.write('ab');
    client.end('cd');
    expect(await counted).toBe('body_too_large');
  });

  it.each([
    ['breaks off', `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ['breaks off between chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
  ])('that %s is incomplete', async (_what, text) => {
    const read = outcome();
    raw(text);
    expect(await read).toBe('body_incomplete');
  });

  it.each([
    ['before it came', `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ['after it came', `${HEAD}Content-Length: 3\r\n\r\nabc`],
  ])('of a client that left %s, before anybody read it, does not keep anybody waiting', async (_what, text) => {
    const read = outcome({ wait: 100 });
    const socket = connect(port, '127.0.0.1');
    socket.write(text, () => socket.destroy());
    expect(['body_incomplete', 'abc']).toContain(await read);
  });

  it('that is given up on this side ends as well', async () => {
    const ended = new Promise<string>((resolve) => {
      read = async (request) => {
        setTimeout(() => request.destroy(), 20);
        await readBody(request, 100).catch((error: { code?: string }) => resolve(error.code ?? 'another error'));
      };
    });
    post({ 'Content-Length': '10' }).write('abc');
    expect(await ended).toBe('body_incomplete');
  });
});
