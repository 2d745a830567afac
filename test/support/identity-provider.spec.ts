import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cookies } from './browser.js';
import { startIdentityProvider, type IdentityProvider } from './identity-provider.js';

const REDIRECT = 'http://localhost:1/callback';
let idp: IdentityProvider;

beforeAll(async () => {
  idp = await startIdentityProvider();
  idp.client({ client_id: 'placet', client_secret: 'a-secret-of-the-client-of-32-bytes', redirect_uris: [REDIRECT] });
  idp.client({ client_id: 'job', client_secret: 'a-secret-of-the-job-of-32-bytes!' });
  idp.people.set('3f2c', { sub: '3f2c', claims: { email: 'ann@example.com', groups: ['eng', 'all'] } });
});
afterAll(() => idp.close());

const configurationOf = (client: string, secret: string) =>
  oidc.discovery(new URL(idp.issuer), client, secret, undefined, { execute: [oidc.allowInsecureRequests] });

it('signs a person in without a human, by the rules of openid-client', async () => {
  const config = await configurationOf('placet', 'a-secret-of-the-client-of-32-bytes');
  const [pkceCodeVerifier, expectedState, expectedNonce] = [
    oidc.randomPKCECodeVerifier(),
    oidc.randomState(),
    oidc.randomNonce(),
  ];
  idp.keyboard = { sub: '3f2c' };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    acr_values: 'urn:company:mfa',
    max_age: '60',
  });
  const back = await new Cookies().follow(url.href, (to) => to.startsWith(REDIRECT));
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back), {
    pkceCodeVerifier,
    expectedState,
    expectedNonce,
    maxAge: 60,
  });
  expect(tokens.claims()).toMatchObject({
    sub: '3f2c',
    email: 'ann@example.com',
    groups: ['eng', 'all'],
    acr: 'urn:company:mfa',
    amr: ['pwd'],
  });
});

it('issues access tokens that are JWTs, and signs whatever else a test wants', async () => {
  const config = await configurationOf('job', 'a-secret-of-the-job-of-32-bytes!');
  const { access_token } = await oidc.clientCredentialsGrant(config, {
    resource: 'https://placet.example',
    scope: 'api',
  });
  const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri!));
  const { protectedHeader, payload } = await jwtVerify(access_token, keys, { audience: 'https://placet.example' });
  expect(protectedHeader.typ).toBe('at+jwt');
  expect(payload).toMatchObject({ iss: idp.issuer, client_id: 'job' });
  const odd = await idp.sign({ iss: 'https://elsewhere.example' }, { header: { typ: 'JWT' } });
  expect((await jwtVerify(odd, keys)).payload).toEqual(decodeJwt(odd));
});
