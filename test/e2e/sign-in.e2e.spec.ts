import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cookies } from '../support/browser.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let url: string;

beforeAll(async () => {
  company = await startCompany();
  ({ url } = company.service);
});
afterAll(() => company.close());

const SESSION = '__Host-placet';
const ATTEMPT = '__Host-placet-attempt';
const home = async (cookies: Cookies) => cookies.fetch(`${url}/t/default/`);

describe('a person', () => {
  it('signs in, is somebody, and signs out', async () => {
    const cookies = await company.signIn('ann');
    const page = await home(cookies);
    expect(page.status).toBe(200);
    const text = await page.text();
    expect(text).toContain('Ann Example');
    expect(text).toContain('user:company/ann');
    const [, token] = /name="token" value="([^"]+)"/.exec(text)!;
    const out = await cookies.fetch(`${url}/t/default/sign-out`, {
      method: 'POST',
      body: new URLSearchParams({ token: token! }),
      headers: { Origin: url },
    });
    expect(out.status).toBe(200);
    expect(out.headers.get('refresh')).toContain(`${company.idp.issuer}/session/end?`);
    expect(out.headers.get('refresh')).toContain('id_token_hint=');
    expect(cookies.get(url, SESSION)).toBeUndefined();
    expect((await home(cookies)).status).toBe(303);
  });
});
