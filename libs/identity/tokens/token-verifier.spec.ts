import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson } from '#http';
import { parseValues, type IssuerDocument, type JsonObject, type StoredDocument } from '#policy';
import { startIdentityProvider, type IdentityProvider } from '../../../test/support/identity-provider.js';
import { Outgoing } from '../outgoing.js';
import { KeySets } from './key-sets.js';
import { TokenVerifier, type Verification, type VerifiedToken } from './token-verifier.js';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const IAT = NOW / 1000;
const AUDIENCE = 'https://placet.example';

let idp: IdentityProvider;
let verifier: TokenVerifier;

beforeAll(async () => {
  idp = await startIdentityProvider();
  verifier = new TokenVerifier(new KeySets(new Outgoing('home', 'home')), parseJson);
});
afterAll(() => idp.close());

/** An Issuer document as the service would store it. The keys are those of the provider of this test. */
function stored(over: Partial<IssuerDocument> = {}): StoredDocument<'Issuer'> {
  const value = {
    kind: 'Issuer',
    name: 'company',
    issuer: idp.issuer,
    jwksUri: `${idp.issuer}/jwks`,
    subjectTokens: { audiences: [AUDIENCE], type: 'at+jwt' },
    ...over,
  };
  const { documents, problems } = parseValues([value as unknown as JsonObject]);
  expect(problems).toEqual([]);
  return { document: documents[0]!.document as IssuerDocument, version: 7 };
}

const claims = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: idp.issuer,
  aud: AUDIENCE,
  sub: '3f2c',
  client_id: 'app',
  jti: 'one',
  iat: IAT,
  exp: IAT + 600,
  ...over,
});

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

interface Made {
  readonly header?: Record<string, unknown> | string;
  readonly claims?: Record<string, unknown> | string;
  readonly key?: KeyObject;
}

/** Signs whatever is given, also what no library would. */
function made({ header = {}, claims: payload = claims(), key = idp.key }: Made = {}): string {
  const head = typeof header === 'string' ? header : { alg: 'RS256', kid: idp.keyId, typ: 'at+jwt', ...header };
  const text = `${base64(head)}.${base64(payload)}`;
  return `${text}.${signBytes('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

const without = (name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims()).filter(([other]) => other !== name));

const verify = (
  text: string,
  issuers: readonly StoredDocument<'Issuer'>[] = [stored()],
  verification: Partial<Verification> = {},
): Promise<VerifiedToken> =>
  verifier.verify(issuers, text, { tenant: 'home', use: 'subject', now: NOW, ...verification });

/** What of a token did not hold. */
const fault = async (...given: Parameters<typeof verify>): Promise<string> => {
  try {
    await verify(...given);
    return 'believed';
  } catch (error) {
    return (error as { fault?: string }).fault ?? String(error);
  }
};

it('believes a good token, and says by whose word', async () => {
  const { issuer, subject, claims: said, issuedAt, expiresAt, fingerprint } = await verify(made());
  expect(issuer).toMatchObject({ document: { name: 'company' }, version: 7 });
  expect(subject).toEqual({ type: 'user', id: 'company/3f2c' });
  expect(said).toMatchObject({ client_id: 'app' });
  expect([issuedAt, expiresAt]).toEqual([NOW, NOW + 660_000]);
  expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
});

describe('is not taken in by', () => {
  const publicPem = (): string => createPublicKey(idp.key).export({ type: 'spki', format: 'pem' }) as string;
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const hmac = (secret: string | Buffer, header: Record<string, unknown> = {}): string => {
    const text = `${base64({ alg: 'HS256', kid: idp.keyId, typ: 'at+jwt', ...header })}.${base64(claims())}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const unsigned = (alg: string, signature = ''): string =>
    `${base64({ alg, kid: idp.keyId, typ: 'at+jwt' })}.${base64(claims())}.${signature}`;
  const cut = (count: number): string => {
    const text = made();
    const at = text.lastIndexOf('.') + 1;
    return text.slice(0, at) + Buffer.from(text.slice(at), 'base64url').subarray(0, count).toString('base64url');
  };

  it.each<[string, () => string, string]>([
    ['alg none', () => unsigned('none'), 'not_a_jwt'],
    ['alg none with a signature', () => unsigned('none', 'AA'), 'algorithm'],
    ['alg NoNe with a signature', () => unsigned('NoNe', 'AA'), 'algorithm'],
    ['the public key as a secret', () => hmac(publicPem()), 'algorithm'],
    [
      'the public key, in DER, as a secret',
      () => hmac(createPublicKey(idp.key).export({ type: 'spki', format: 'der' })),
      'algorithm',
    ],
    ['an algorithm that the Issuer does not list', () => made({ header: { alg: 'PS256' } }), 'algorithm'],
    ['an algorithm with another spelling', () => made({ header: { alg: 'rs256' } }), 'algorithm'],
    ['a signature by another key', () => made({ key: other }), 'signature'],
    ['a truncated signature', () => cut(128), 'signature'],
    ['a signature of one byte', () => cut(1), 'signature'],
    ['no signature', () => cut(0), 'not_a_jwt'],
    ['changed claims', () => made().replace(/\.[^.]+\./, `.${base64(claims({ sub: 'root' }))}.`), 'signature'],
    [
      'a key of its own',
      () => made({ key: other, header: { jwk: createPublicKey(other).export({ format: 'jwk' }) } }),
      'signature',
    ],
    [
      'where its keys would be',
      () => made({ key: other, header: { jku: `${idp.issuer}/evil`, x5u: `${idp.issuer}/evil` } }),
      'signature',
    ],
    ['a certificate of its own', () => made({ key: other, header: { x5c: ['MIIB'] } }), 'signature'],
    ['another kid', () => made({ header: { kid: 'other' } }), 'key_unknown'],
    ['a kid that is no text', () => made({ header: { kid: { $ne: 1 } } }), 'not_a_jwt'],
    ['an extension that must be understood', () => made({ header: { crit: ['exp'], exp: 1 } }), 'critical_header'],
    ['an empty list of extensions', () => made({ header: { crit: [] } }), 'critical_header'],
    ['a payload that is not encoded', () => made({ header: { b64: false } }), 'critical_header'],
    [
      'the same claim twice',
      () => made({ claims: JSON.stringify(claims()).replace('{', '{"sub":"root",') }),
      'not_a_jwt',
    ],
    [
      'the same claim twice, once escaped',
      () => made({ claims: JSON.stringify(claims()).replace('{', '{"s\\u0075b":"root",') }),
      'not_a_jwt',
    ],
    [
      'the same header twice',
      () => made({ header: `{"alg":"none","alg":"RS256","kid":"${idp.keyId}","typ":"at+jwt"}` }),
      'not_a_jwt',
    ],
    ['claims that are a list', () => made({ claims: '[]' }), 'not_a_jwt'],
    ['claims that are no JSON', () => made({ claims: 'sub=root' }), 'not_a_jwt'],
    ['encryption', () => `${made()}.AA.AA`, 'not_a_jwt'],
    ['padding', () => `${made()}==`, 'not_a_jwt'],
    ['white space', () => ` ${made()}`, 'not_a_jwt'],
    [
      'bits that mean nothing',
      () => made().replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
      'not_a_jwt',
    ],
    ['a very long token', () => made({ claims: claims({ pad: 'x'.repeat(16_384) }) }), 'too_large'],
    ['an API key', () => 'placet_test_abc_def', 'not_a_jwt'],
    ['another issuer', () => made({ claims: claims({ iss: 'https://elsewhere.example' }) }), 'issuer_unknown'],
    ['an issuer with a slash at its end', () => made({ claims: claims({ iss: `${idp.issuer}/` }) }), 'issuer_unknown'],
    ['an issuer in other letters', () => made({ claims: claims({ iss: idp.issuer.toUpperCase() }) }), 'issuer_unknown'],
    ['a list of issuers', () => made({ claims: claims({ iss: [idp.issuer] }) }), 'issuer_unknown'],
    ['no issuer', () => made({ claims: without('iss') }), 'issuer_unknown'],
    ['another audience', () => made({ claims: claims({ aud: 'https://other.example' }) }), 'audience'],
    ['no audience', () => made({ claims: without('aud') }), 'audience'],
    ['an audience with more to it', () => made({ claims: claims({ aud: `${AUDIENCE}/` }) }), 'audience'],
    ['an audience of another shape', () => made({ claims: claims({ aud: [AUDIENCE, 5] }) }), 'audience'],
    ['an ID token by its typ', () => made({ header: { typ: 'JWT' } }), 'type'],
    ['no typ', () => made({ header: { typ: undefined } }), 'type'],
    ['a typ that is no text', () => made({ header: { typ: ['at+jwt'] } }), 'not_a_jwt'],
    ['a logout token', () => made({ header: { typ: 'logout+jwt' } }), 'type'],
    ['an end that is long ago', () => made({ claims: claims({ iat: IAT - 600, exp: IAT - 60 }) }), 'expired'],
    ['no end', () => made({ claims: without('exp') }), 'claims_missing'],
    ['an end as a text', () => made({ claims: claims({ exp: String(IAT + 600) }) }), 'claims_missing'],
    ['an end that no date has', () => made({ claims: claims({ exp: 1e300 }) }), 'claims_missing'],
    ['no beginning', () => made({ claims: without('iat') }), 'claims_missing'],
    ['a beginning to come', () => made({ claims: claims({ iat: IAT + 61 }) }), 'issued_in_future'],
    ['a nbf to come', () => made({ claims: claims({ nbf: IAT + 61 }) }), 'not_yet_valid'],
    ['a nbf as a text', () => made({ claims: claims({ nbf: '1' }) }), 'claims_missing'],
    ['a very long life', () => made({ claims: claims({ exp: IAT + 86_401 }) }), 'lifetime'],
    ['nobody', () => made({ claims: without('sub') }), 'claims_missing'],
    ['an empty sub', () => made({ claims: claims({ sub: '' }) }), 'claims_missing'],
    ['a sub with a control character', () => made({ claims: claims({ sub: 'a\u0000b' }) }), 'identity'],
  ])('%s', async (_what, text, expected) => {
    expect(await fault(text())).toBe(expected);
  });

  it.each([
    ['exp', { iat: IAT - 600, exp: IAT - 59 }],
    ['iat', { iat: IAT + 60 }],
    ['nbf', { nbf: IAT + 60 }],
  ])('clocks that are off by a minute in %s', async (_what, over) => {
    expect(await fault(made({ claims: claims(over) }))).toBe('believed');
  });
});

describe('a token without a kid', () => {
  it('is judged by the only key that it can mean', async () => {
    expect(await fault(made({ header: { kid: undefined } }))).toBe('believed');
  });
});

describe('two Issuers of the same text', () => {
  const named = (name: string, ...audiences: string[]) =>
    stored({ name, subjectTokens: { audiences, type: 'at+jwt', maxAgeSeconds: 86_400 } });

  it('are told apart by the audience', async () => {
    const both = [named('first', 'https://a.example'), named('second', AUDIENCE)];
    expect((await verify(made(), both)).issuer.document.name).toBe('second');
    expect(await fault(made({ claims: claims({ aud: ['https://a.example', AUDIENCE] }) }), both)).toBe(
      'issuer_ambiguous',
    );
    expect(await fault(made({ claims: claims({ aud: 'https://c.example' }) }), both)).toBe('audience');
  });

  it('count only for what they are there for', async () => {
    const { subjectTokens: _none, ...document } = stored().document;
    expect(await fault(made(), [{ document, version: 1 }])).toBe('issuer_unknown');
  });
});

describe('an Issuer that takes tokens of any type', () => {
  const any = (over: Partial<IssuerDocument> = {}) => [
    stored({ subjectTokens: { audiences: [AUDIENCE], type: 'any', maxAgeSeconds: 86_400 }, ...over }),
  ];
  const plain = (over: Record<string, unknown>): string => made({ header: { typ: 'JWT' }, claims: claims(over) });

  it.each<[string, Record<string, unknown>, string]>([
    ['no mark of an ID token', {}, 'believed'],
    ['a nonce', { nonce: 'n' }, 'type'],
    ['an at_hash', { at_hash: 'n' }, 'type'],
    ['a c_hash', { c_hash: 'n' }, 'type'],
    ['a nonce and scopes', { nonce: 'n', scp: 'read' }, 'believed'],
    ['an event', { events: {} }, 'type'],
  ])('judges one with %s', async (_what, over, expected) => {
    expect(await fault(plain(over), any())).toBe(expected);
  });

  it('takes none that says to be something else', async () => {
    expect(await fault(made({ header: { typ: 'dpop+jwt' } }), any())).toBe('type');
    expect(await fault(made({ header: { typ: undefined } }), any())).toBe('believed');
    expect(await fault(made({ header: { typ: 'application/at+JWT' } }), any())).toBe('believed');
  });
});

describe('what an Issuer requires', () => {
  it('must be there as it says', async () => {
    const issuers = [stored({ require: [{ claim: '/hd', equals: 'example.com' }] })];
    expect(await fault(made({ claims: claims({ hd: 'example.com' }) }), issuers)).toBe('believed');
    expect(await fault(made({ claims: claims({ hd: 'evil.example' }) }), issuers)).toBe('requirement');
    expect(await fault(made(), issuers)).toBe('requirement');
  });
});

/** Looks for the keys of every provider at the one of this test, which is the only one that can be reached. */
class OurKeys extends KeySets {
  override keyOf(...[tenant, issuer, alg, kid]: Parameters<KeySets['keyOf']>): ReturnType<KeySets['keyOf']> {
    return super.keyOf(tenant, { ...issuer, issuer: idp.issuer }, alg, kid);
  }
}

/** As each provider sends them, with names and ids changed. */
describe('the shapes of tokens', () => {
  const TENANT = '9122040d-6c67-4c5b-b112-36a304b66dad';
  const subjectTokens = (...audiences: string[]) => ({
    audiences,
    type: 'any' as const,
    maxAgeSeconds: 86_400,
  });
  const times = { iat: IAT, nbf: IAT, exp: IAT + 4000 };
  const V2 = `https://login.microsoftonline.com/${TENANT}/v2.0`;
  const V1 = `https://sts.windows.net/${TENANT}/`;
  const entraV2 = {
    aud: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    iss: V2,
    ...times,
    aio: 'AXQAi/8IAAAA',
    azp: '7fe81447-da57-4385-becb-6de57f21477e',
    azpacr: '0',
    groups: ['0f2c1d2e-0000-4000-8000-000000000001'],
    name: 'Ann Archer',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    preferred_username: 'ann@example.com',
    rh: 'I',
    scp: 'access_as_user',
    sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
    tid: TENANT,
    uti: 'fqiBqXLPj0eQa82S-IYFAA',
    ver: '2.0',
  };
  const entraIdToken = { ...entraV2, azp: undefined, scp: undefined, roles: ['Reader'], nonce: '123523' };
  const okta = {
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    iss: 'https://example.okta.com/oauth2/default',
    aud: 'api://placet',
    iat: IAT,
    exp: IAT + 3600,
    cid: '0oabv6kx4qq6h1U5l0h7',
    uid: '00ujmkLgagxeRrAg20g3',
    scp: ['openid', 'mcp'],
    auth_time: IAT - 20,
    sub: 'ann@example.com',
    groups: ['Everyone'],
  };
  const google = {
    aud: AUDIENCE,
    azp: '104029292853099978293',
    email: 'job@project.iam.gserviceaccount.com',
    email_verified: true,
    exp: IAT + 3600,
    iat: IAT,
    iss: 'https://accounts.google.com',
    sub: '104029292853099978293',
  };
  const keycloak = {
    ...times,
    jti: 'onrtac:8e2b',
    iss: 'https://sso.example.com/realms/company',
    aud: 'account',
    sub: 'f:9c3e:ann',
    typ: 'Bearer',
    azp: 'mcp-host',
    sid: 'ad9f1c',
    acr: '1',
    realm_access: { roles: ['offline_access'] },
    resource_access: { account: { roles: ['view-profile'] } },
    scope: 'profile email',
    groups: ['/org/team'],
  };

  it.each<[string, Partial<IssuerDocument>, Record<string, unknown>, string]>([
    [
      'Entra v2',
      { profile: 'entra', issuer: V2, subjectTokens: subjectTokens(entraV2.aud) },
      entraV2,
      `company/${entraV2.oid}`,
    ],
    [
      'Entra v1',
      { profile: 'entra', issuer: V1, subjectTokens: subjectTokens('api://placet') },
      { ...entraV2, iss: V1, aud: 'api://placet', ver: '1.0', azp: undefined, appid: 'x' },
      `company/${entraV2.oid}`,
    ],
    [
      'Entra v1 where v2 is trusted',
      { profile: 'entra', issuer: V2, subjectTokens: subjectTokens(entraV2.aud) },
      { ...entraV2, iss: V1 },
      'issuer_unknown',
    ],
    [
      'Entra of another directory',
      { profile: 'entra', issuer: V2, subjectTokens: subjectTokens(entraV2.aud) },
      { ...entraV2, tid: '00000000-0000-4000-8000-000000000000' },
      'identity',
    ],
    [
      'Entra without a directory',
      { profile: 'entra', issuer: V2, subjectTokens: subjectTokens(entraV2.aud) },
      { ...entraV2, tid: undefined },
      'identity',
    ],
    [
      'an ID token of Entra with roles',
      { profile: 'entra', issuer: V2, subjectTokens: subjectTokens(entraV2.aud) },
      entraIdToken,
      'type',
    ],
    [
      'Okta',
      { profile: 'okta', issuer: okta.iss, identity: { claim: '/uid' }, subjectTokens: subjectTokens('api://placet') },
      okta,
      'company/00ujmkLgagxeRrAg20g3',
    ],
    [
      'an ID token of Okta',
      { profile: 'okta', issuer: okta.iss, subjectTokens: subjectTokens('api://placet') },
      { ...okta, cid: undefined, scp: undefined },
      'type',
    ],
    [
      'a service account of Google',
      { profile: 'google', issuer: google.iss, subjectTokens: subjectTokens(AUDIENCE) },
      google,
      'company/104029292853099978293',
    ],
    [
      'an ID token of Google',
      { profile: 'google', issuer: google.iss, subjectTokens: subjectTokens(AUDIENCE) },
      { ...google, at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q' },
      'type',
    ],
    [
      'Keycloak for account',
      { profile: 'keycloak', issuer: keycloak.iss, subjectTokens: subjectTokens('placet') },
      keycloak,
      'audience',
    ],
    [
      'Keycloak for account where that is listed',
      { profile: 'keycloak', issuer: keycloak.iss, subjectTokens: subjectTokens('account') },
      keycloak,
      'company/f:9c3e:ann',
    ],
    [
      'Keycloak with an audience mapper',
      { profile: 'keycloak', issuer: keycloak.iss, subjectTokens: subjectTokens('placet') },
      { ...keycloak, aud: ['placet', 'account'] },
      'company/f:9c3e:ann',
    ],
    [
      'an ID token of Keycloak',
      { profile: 'keycloak', issuer: keycloak.iss, subjectTokens: subjectTokens('placet') },
      { ...keycloak, aud: 'placet', typ: 'ID' },
      'type',
    ],
    [
      'a refresh token of Keycloak',
      { profile: 'keycloak', issuer: keycloak.iss, subjectTokens: subjectTokens('placet') },
      { ...keycloak, aud: 'placet', typ: 'Refresh' },
      'type',
    ],
  ])('%s', async (_what, over, said, expected) => {
    const text = made({ header: { typ: 'JWT' }, claims: said });
    const byOurKeys = new TokenVerifier(new OurKeys(new Outgoing('home', 'home')), parseJson);
    const verified = byOurKeys.verify([stored(over)], text, { tenant: 'home', use: 'subject', now: NOW });
    const came = await verified.then(
      ({ subject }) => subject!.id,
      ({ fault: why }: { fault?: string }) => why,
    );
    expect(came).toBe(expected);
  });
});

describe('another use', () => {
  const workloads = (audiences?: string[]) => [
    stored({ subjectTokens: undefined, workloads: audiences ? { audiences } : {} }),
  ];

  it('takes assertions of workloads for the audiences that the Issuer names, or ours', async () => {
    const text = made({ header: { typ: undefined } });
    const use = 'workload';
    expect(await fault(text, workloads([AUDIENCE]), { use })).toBe('believed');
    expect(await fault(text, workloads(), { use, audiences: [AUDIENCE] })).toBe('believed');
    expect(await fault(text, workloads(), { use, audiences: ['https://other.example'] })).toBe('audience');
    expect(await fault(text, workloads(), { use })).toBe('audience');
    expect(await fault(text, workloads(['https://other.example']), { use, audiences: [AUDIENCE] })).toBe('audience');
    expect(await fault(made({ claims: claims({ exp: IAT + 86_401 }) }), workloads([AUDIENCE]), { use })).toBe(
      'lifetime',
    );
    expect(await fault(text, [stored()], { use })).toBe('issuer_unknown');
  });

  const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
  it.each<[string, Record<string, unknown>, string]>([
    ['of a person', { sub: '3f2c' }, 'believed'],
    ['of a session', { sub: undefined, sid: 'x' }, 'believed'],
    ['of nobody', { sub: undefined }, 'claims_missing'],
    ['with a nonce', { nonce: 'x' }, 'type'],
    ['without its event', { events: {} }, 'type'],
    ['for another client', { aud: 'other' }, 'audience'],
  ])('takes a logout token %s: %s', async (_what, over, expected) => {
    const signIn = { clientId: 'placet', authentication: 'none' as const, scopes: ['openid'] };
    const text = made({
      header: { typ: 'logout+jwt' },
      claims: claims({ aud: 'placet', events: { [EVENT]: {} }, ...over }),
    });
    expect(await fault(text, [stored({ signIn })], { use: 'logout' })).toBe(expected);
  });
});
