import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ATTEMPT_COOKIE, readAttempt, writeAttempt } from '#identity';
import { Cookies } from '../support/browser.js';
import { ANN, startSamlCompany, type SamlCompany } from '../support/saml/company.js';
import { startCompany, type Company } from '../support/signed-in.js';
import type { TestService } from '../support/service.js';

const isSignedIn = async (service: TestService, cookies: Cookies) =>
  (await cookies.fetch(`${service.url}/t/default/`)).status === 200;
const sessionsOf = async (service: TestService, person: string) =>
  (await service.call('GET', `/api/v1/people/${encodeURIComponent(person)}/sessions`)).body.items.length as number;

describe('a sign-in by OpenID Connect that is held up once the provider has said who it is', () => {
  let company: Company;

  beforeAll(async () => {
    company = await startCompany();
  });
  afterEach(() => {
    company.idp.tamper = undefined;
  });
  afterAll(() => company.close());

  const says = (groups: readonly string[], name = 'Ann Example') =>
    company.idp.people.set('ann', { sub: 'ann', claims: { name, email: 'ann@example.com', groups: [...groups] } });
  const known = async () =>
    (await company.service.call('GET', '/api/v1/people/user:company%2Fann')).body as Record<string, unknown>;

  /** A sign-in whose token is made and does not arrive before `meanwhile` is over. */
  async function heldUp(
    meanwhile: () => Promise<unknown>,
    begun: (cookies: Cookies) => void = () => undefined,
  ): Promise<{ cookies: Cookies; answer: Response }> {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann');
    begun(cookies);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const made = new Promise<void>((resolve) => {
      company.idp.tamper = async (answer) => {
        company.idp.tamper = undefined;
        resolve();
        await released;
        return answer;
      };
    });
    const answering = cookies.fetch(back);
    await made;
    await meanwhile();
    release();
    return { cookies, answer: await answering };
  }

  it('gives nothing back that a newer one has taken away, and comes to no session', async () => {
    says(['staff', 'admins']);
    const { cookies, answer } = await heldUp(async () => {
      says(['staff']);
      await company.signIn('ann');
    });
    expect(await known()).toMatchObject({ claims: { groups: ['staff'] } });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('has changed meanwhile. Start again.');
    expect(await isSignedIn(company.service, cookies)).toBe(false);
    expect(await sessionsOf(company.service, 'user:company/ann')).toBe(1);
  });

  it('does so neither where it was begun by a clock that is ahead', async () => {
    const { keyCheck, url } = company.service;
    says(['staff', 'admins']);
    const { answer } = await heldUp(
      async () => {
        says(['staff']);
        await company.signIn('ann');
      },
      (cookies) => {
        const attempt = readAttempt(cookies.get(url, ATTEMPT_COOKIE), keyCheck, Date.now())!;
        cookies.put(url, ATTEMPT_COOKIE, writeAttempt({ ...attempt, begunAt: Date.now() + 60_000 }, keyCheck));
      },
    );
    expect(answer.status).toBe(403);
    expect(await known()).toMatchObject({ claims: { groups: ['staff'] } });
  });

  it('nor goes its name over a newer one', async () => {
    says(['staff'], 'Ann Before');
    await heldUp(async () => {
      says(['staff'], 'Ann After');
      await company.signIn('ann');
    });
    expect(await known()).toMatchObject({ name: 'Ann After' });
  });

  it('comes to a session where the same is said', async () => {
    says(['staff']);
    const { cookies } = await heldUp(() => company.signIn('ann'));
    expect(await isSignedIn(company.service, cookies)).toBe(true);
  });

  it('is followed by one that says what is so now', async () => {
    says(['staff', 'more']);
    const cookies = await company.signIn('ann');
    expect(await isSignedIn(company.service, cookies)).toBe(true);
    expect(await known()).toMatchObject({ claims: { groups: ['staff', 'more'] } });
  });
});

describe('an answer by SAML that a browser keeps while the person signs in anew', () => {
  let company: SamlCompany;

  beforeAll(async () => {
    company = await startSamlCompany();
  });
  afterAll(() => company.close());

  const said = (...groups: string[]) => ({ ...ANN, attributes: { ...ANN.attributes, groups } });

  it('gives nothing back that the newer one has taken away, and comes to no session', async () => {
    const old = new Cookies();
    const kept = await company.answered(old, said('staff', 'admins'));
    const newer = new Cookies();
    await company.signIn(newer, said('staff'));
    const answer = await company.post(old, kept);
    expect(answer.status).toBe(403);
    expect(await isSignedIn(company.service, old)).toBe(false);
    expect(await isSignedIn(company.service, newer)).toBe(true);
    const { body } = await company.service.call('GET', '/api/v1/people/user:company%2Fann-0001');
    expect(JSON.stringify(body.claims)).not.toContain('admins');
    const cookies = new Cookies();
    await company.signIn(cookies, said('staff', 'admins'));
    expect(await isSignedIn(company.service, cookies)).toBe(true);
  });
});
