import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from './sign-in.js';

let server: Server;
let issuer: string;

/** A service at which nobody ever enters the code. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const isToken = request.url === '/token';
    response
      .writeHead(isToken ? 400 : 200, { 'Content-Type': 'application/json' })
      .end(
        JSON.stringify(
          isToken
            ? { error: 'authorization_pending' }
            : request.url === '/device'
              ? { device_code: 'd', user_code: 'c', verification_uri: issuer, expires_in: 1, interval: 0.2 }
              : { issuer, token_endpoint: `${issuer}/token`, device_authorization_endpoint: `${issuer}/device` },
        ),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

it('says that nobody entered the code, and not that the service is away', async () => {
  await expect(signIn(issuer, () => undefined)).rejects.toThrow(
    'nobody entered the code in time: run placet login again.',
  );
});
