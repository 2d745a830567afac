import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseValues, type IssuerDocument } from '#policy';
import { startIdentityProvider, type IdentityProvider } from '../../../test/support/identity-provider.js';
import { Outgoing } from '../outgoing.js';
import { KeySets } from './key-sets.js';

const MINUTE = 60_000;
let idp: IdentityProvider;
let issuer: IssuerDocument;
let keys: KeySets;
/** The clock of the process, which goes on by the minute here. */
let time: number;

beforeEach(async () => {
  idp = await startIdentityProvider();
  time = 1000;
  issuer = documentOf({ issuer: idp.issuer });
  keys = new KeySets(new Outgoing('home', 'home'), () => time);
});
afterEach(() => idp.close());

function documentOf(members: object): IssuerDocument {
  const { documents } = parseValues([{ kind: 'Issuer', name: 'company', keysGoodForSeconds: 3600, ...members }]);
  return documents[0]!.document as IssuerDocument;
}

/** `found`, or why there is no key. */
const ask = async (kid = idp.keyId, of = issuer, tenant = 'home'): Promise<string> => {
  try {
    expect((await keys.keyOf(tenant, of, 'RS256', kid)).type).toBe('public');
    return 'found';
  } catch (error) {
    const { fault, code } = error as { fault?: string; code: string };
    return fault ?? code;
  }
};

const fetches = (): number => idp.requests.filter((request) => request === 'GET /jwks').length;

describe('keys of a provider', () => {
  it('are found by its metadata, and fetched once however many ask', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => ask()))).toEqual(Array(20).fill('found'));
    expect(idp.requests).toEqual(['GET /.well-known/openid-configuration', 'GET /jwks']);
  });

  it('are fetched from where the document says, without metadata', async () => {
    expect(await ask(idp.keyId, documentOf({ issuer: idp.issuer, jwksUri: `${idp.issuer}/jwks` }))).toBe('found');
    expect(idp.requests).toEqual(['GET /jwks']);
  });

  it('on this machine are those of the home tenant: another one with the same Issuer gets none of them', async () => {
    expect(await ask()).toBe('found');
    expect(await ask(idp.keyId, issuer, 'other')).toBe('identity_provider_unavailable');
    expect(fetches()).toBe(1);
    expect(await ask()).toBe('found');
  });

  it('that nobody knows cause one fetch in half a minute', async () => {
    expect(await ask()).toBe('found');
    time += 29_000;
    for (let count = 0; count < 50; count++) expect(await ask(`unknown-${count}`)).toBe('key_unknown');
    expect(fetches()).toBe(1);
    time += 1000;
    const flood = Array.from({ length: 50 }, (_, count) => ask(`unknown-${count}`));
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['key_unknown']));
    for (let count = 0; count < 50; count++) await ask(`unknown-${count}`);
    expect(fetches()).toBe(2);
  });

  it('that are new at the provider are found half a minute after the last fetch, and old ones are gone', async () => {
    expect(await ask()).toBe('found');
    const { port, keyId } = idp;
    await idp.close();
    idp = await startIdentityProvider({ port });
    expect(await ask()).toBe('key_unknown');
    time += 30_000;
    expect(await ask()).toBe('found');
    expect(await ask(keyId)).toBe('key_unknown');
  });

  it('that the provider has withdrawn are found for ten minutes at most', async () => {
    expect(await ask()).toBe('found');
    const { port, keyId } = idp;
    await idp.close();
    idp = await startIdentityProvider({ port });
    time += 10 * MINUTE;
    expect(await ask(keyId)).toBe('key_unknown');
  });

  it('serve while the provider is away for as long as its document says, and not longer', async () => {
    expect(await ask()).toBe('found');
    idp.away = true;
    for (const minutes of [10, 20, 20, 19]) {
      time += minutes * MINUTE;
      expect(await ask()).toBe('found');
    }
    const asked = idp.requests.length;
    expect(asked).toBeGreaterThan(2);
    time += MINUTE;
    expect(await ask()).toBe('identity_provider_unavailable');
    time += 10_000;
    expect(await ask()).toBe('identity_provider_unavailable');
    idp.away = false;
    time += 30_000;
    expect(await ask()).toBe('found');
  });

  it('are fetched anew before they are old, and nobody waits for that', async () => {
    expect(await ask()).toBe('found');
    time += 5 * MINUTE;
    expect(await ask()).toBe('found');
    await expect.poll(fetches).toBe(2);
    time += 6 * MINUTE;
    expect(await ask()).toBe('found');
  });

  it('that never were there are asked for every two seconds', async () => {
    idp.away = true;
    for (let count = 0; count < 20; count++) expect(await ask()).toBe('identity_provider_unavailable');
    expect(idp.requests).toHaveLength(1);
    idp.away = false;
    time += 2000;
    expect(await ask()).toBe('found');
  });
});

describe('keys of two tenants', () => {
  const elsewhere = (count: number) =>
    documentOf({ issuer: `https://idp-${count}.example`, jwksUri: 'https://10.0.0.1/keys' });

  it('are kept apart: what one names takes no place of the other', async () => {
    expect(await ask()).toBe('found');
    for (let count = 0; count < 1001; count++) {
      expect(await ask('k', elsewhere(count), 'greedy')).toBe('identity_provider_unavailable');
    }
    idp.away = true;
    expect(await ask()).toBe('found');
  });

  it('are fetched for each, so that none has what another one got', async () => {
    keys = new KeySets(new Outgoing('loopback', 'home'), () => time);
    expect(await ask(idp.keyId, issuer, 'one')).toBe('found');
    idp.away = true;
    expect(await ask(idp.keyId, issuer, 'other')).toBe('identity_provider_unavailable');
    for (let count = 0; count < 50; count++) await ask(`unknown-${count}`, issuer, 'other');
    expect(await ask(idp.keyId, issuer, 'one')).toBe('found');
  });

  it('are of one document: another one that names the same issuer and keys elsewhere changes nothing about them', async () => {
    expect(await ask()).toBe('found');
    const poisoned = documentOf({ name: 'poisoned', issuer: idp.issuer, jwksUri: `${idp.issuer}/none` });
    expect(await ask(idp.keyId, poisoned)).toBe('identity_provider_unavailable');
    idp.away = true;
    expect(await ask()).toBe('found');
  });

  it('are those of the fifty providers of a tenant that were asked for last', async () => {
    expect(await ask()).toBe('found');
    idp.away = true;
    for (let count = 0; count < 49; count++) await ask('k', elsewhere(count));
    expect(await ask()).toBe('found');
    for (let count = 49; count < 98; count++) await ask('k', elsewhere(count));
    expect(await ask()).toBe('found');
    for (let count = 0; count < 50; count++) await ask('k', elsewhere(count));
    expect(await ask()).toBe('identity_provider_unavailable');
  });

  it('go with the tenant', async () => {
    expect(await ask()).toBe('found');
    idp.away = true;
    expect(await ask()).toBe('found');
    keys.forget('home');
    expect(await ask()).toBe('identity_provider_unavailable');
  });
});

describe('what a provider publishes', () => {
  const publicKey = () => ({ ...(idp.key.export({ format: 'jwk' }) as object), d: undefined, kid: idp.keyId });

  it.each<[string, (origin: string) => object, (origin: string) => object | string, string]>([
    [
      'good metadata',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [publicKey()] }),
      'found',
    ],
    [
      'metadata of another issuer',
      (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [publicKey()] }),
      'identity_provider_unavailable',
    ],
    [
      'keys in the private network',
      (origin) => ({ issuer: origin, jwks_uri: 'https://10.0.0.1/keys' }),
      () => ({ keys: [] }),
      'identity_provider_unavailable',
    ],
    [
      'keys in a file',
      (origin) => ({ issuer: origin, jwks_uri: 'file:///etc/keys' }),
      () => ({ keys: [] }),
      'identity_provider_unavailable',
    ],
    ['metadata without keys', (origin) => ({ issuer: origin }), () => ({ keys: [] }), 'identity_provider_unavailable'],
    [
      'no set of keys',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: {} }),
      'identity_provider_unavailable',
    ],
    [
      'no JSON',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => '<html>',
      'identity_provider_unavailable',
    ],
    [
      'a private key',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [{ ...publicKey(), d: 'AQAB' }] }),
      'key_unknown',
    ],
    [
      'a secret',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [{ kty: 'oct', k: 'AAAA', kid: idp.keyId }] }),
      'key_unknown',
    ],
    [
      'a key for encryption',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [{ ...publicKey(), use: 'enc' }] }),
      'key_unknown',
    ],
    [
      'two keys of one name',
      (origin) => ({ issuer: origin, jwks_uri: `${origin}/keys` }),
      () => ({ keys: [publicKey(), publicKey()] }),
      'key_ambiguous',
    ],
  ])('%s: %s', async (_what, metadata, set, expected) => {
    const server = createServer((request, response) => {
      const content = request.url === '/keys' ? set(origin) : metadata(origin);
      response.end(typeof content === 'string' ? content : JSON.stringify(content));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    try {
      expect(await ask(idp.keyId, documentOf({ issuer: origin }))).toBe(expected);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
