import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attemptSecrets, newAttempt, readAttempt, writeAttempt } from './attempt.js';
import { readCookie, setCookie } from './cookies.js';
import { endOfSession } from './limits.js';
import { isSameOrigin } from './same-origin.js';
import { formToken, newSessionValue, sessionMac } from './session-cookie.js';
import { isStrongEnough } from './strength.js';

const check = { pepper: randomBytes(32), environment: 'prod' };

describe('the cookie of a session', () => {
  it('has a MAC of its own in every environment, and under every pepper', () => {
    const value = newSessionValue();
    const mac = sessionMac(value, check)!;
    expect(sessionMac(value, check)).toEqual(mac);
    expect(sessionMac(value, { ...check, environment: 'dev' })).not.toEqual(mac);
    expect(sessionMac(value, { ...check, pepper: randomBytes(32) })).not.toEqual(mac);
    expect(formToken(value, check)).not.toBe(mac.toString('base64url'));
  });

  it.each(['', 'x', 'a'.repeat(44), `${'a'.repeat(42)}!`])('cannot be %j', (value) =>
    expect(sessionMac(value, check)).toBeUndefined(),
  );
});

describe('an attempt', () => {
  const attempt = newAttempt({
    tenant: 't',
    connector: 'entra',
    returnTo: '/',
    maxAge: null,
    acr: [],
    begunAt: 1000,
  });
  const value = writeAttempt(attempt, check);

  it('is read as it was written, for ten minutes', () => {
    expect(readAttempt(value, check, 1000)).toEqual(attempt);
    expect(readAttempt(value, check, 600_999)).toEqual(attempt);
    expect(readAttempt(value, check, 601_000)).toBeUndefined();
  });

  it.each([
    ['nothing', undefined],
    ['no text', ''],
    ['no MAC', value.split('.')[0]],
    ['more parts', `${value}.x`],
    ['another body', `${Buffer.from('{}').toString('base64url')}.${value.split('.')[1]}`],
    ['another MAC', `${value.split('.')[0]}.${randomBytes(32).toString('base64url')}`],
  ])('is none with %s', (_what, text) => expect(readAttempt(text, check, 1000)).toBeUndefined());

  it('is none in another environment', () =>
    expect(readAttempt(value, { ...check, environment: 'dev' }, 1000)).toBeUndefined());

  it('has secrets that the cookie does not give away, each for one thing', () => {
    const { state, nonce, verifier, mac } = attemptSecrets(attempt, check);
    expect(new Set([state, nonce, verifier, mac.toString('base64url'), attempt.seed]).size).toBe(5);
    expect(attemptSecrets(newAttempt(attempt), check).state).not.toBe(state);
    expect(verifier).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('shares no secret with a test, be the seed the same', () => {
    const test = { ...attempt, test: 'a' };
    const [real, tried, other] = [attempt, test, { ...attempt, test: 'b' }].map((each) => {
      const { state, nonce, verifier, mac } = attemptSecrets(each, check);
      return [state, nonce, verifier, mac.toString('base64url')];
    });
    expect(new Set([...real!, ...tried!, ...other!]).size).toBe(12);
    expect(readAttempt(writeAttempt(test, check), check, 1000)).toEqual(test);
  });
});

describe('cookies', () => {
  it.each([
    ['a=1; __Host-placet=x; b=2', 'x'],
    ['__Host-placet=x', 'x'],
    ['__Host-placet=x; __Host-placet=x', 'x'],
    ['__Host-placet=x; __Host-placet=y', undefined],
    ['x__Host-placet=x', undefined],
    ['__Host-placet-attempt=x', undefined],
    [undefined, undefined],
  ])('in %j', (header, value) => expect(readCookie(header, '__Host-placet')).toBe(value));

  it('are set for this host alone', () =>
    expect(setCookie('__Host-x', 'v', 1.5)).toBe('__Host-x=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1'));
});

describe('a request of a browser', () => {
  const ours = 'https://placet.example';
  it.each([
    ['same-origin', undefined, true],
    ['same-origin', ours, true],
    ['same-origin', 'null', true],
    ['same-origin', 'https://evil.example', false],
    ['same-site', ours, false],
    ['cross-site', ours, false],
    ['cross-site', 'null', false],
    ['none', undefined, false],
    [undefined, ours, true],
    [undefined, undefined, false],
    [undefined, 'null', false],
    [undefined, 'https://evil.example', false],
    [undefined, `${ours}.evil.example`, false],
    [undefined, 'http://placet.example', false],
  ])('from %j with the origin %j', (site, origin, is) =>
    expect(isSameOrigin({ 'sec-fetch-site': site, origin }, ours)).toBe(is),
  );
});

describe('limits', () => {
  const times = { createdAt: 0, seenAt: 50, idleEndsAt: 1000, endsAt: 1000 };
  it.each([
    [{ idleMs: 100, absoluteMs: 500 }, 150],
    [{ idleMs: 1000, absoluteMs: 500 }, 500],
    [{ idleMs: 5000, absoluteMs: 5000 }, 1000],
  ])('%j end a session at %d', (limits, end) => expect(endOfSession(times, limits)).toBe(end));
});

describe('a proof', () => {
  const now = 1_000_000_000;
  const proof = { acr: 'mfa', amr: [], authTime: now - 60_000 };
  it.each([
    [proof, { acr: [], maxAge: null }, true],
    [proof, { acr: ['mfa', 'key'], maxAge: 300 }, true],
    [proof, { acr: ['key'], maxAge: null }, false],
    [{ ...proof, acr: null }, { acr: ['mfa'], maxAge: null }, false],
    [proof, { acr: [], maxAge: 20 }, false],
    [{ ...proof, authTime: null }, { acr: [], maxAge: 300 }, false],
    [{ ...proof, authTime: now + 3_600_000 }, { acr: [], maxAge: 300 }, false],
  ])('%j is enough for %j: %j', (strength, demand, is) => expect(isStrongEnough(strength, demand, now)).toBe(is));
});
