import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cookies } from '../support/browser.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let url: string;

beforeAll(async () => {
  company = await startCompany({ sweepEveryMs: 100 });
  ({ url } = company.service);
});
afterAll(() => company.close());

/** Looks at rows, or changes them as time would, as the superuser. */
async function sql<Row>(text: string): Promise<Row[]> {
  const client = await company.service.database.connect('superuser');
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

const home = (cookies: Cookies) => cookies.fetch(`${url}/t/default/`);
const sessions = () =>
  sql<{ over: boolean; hinted: boolean }>(
    'select ended_at is not null as over, sealed_hint is not null as hinted from placet.session',
  );

describe('a session that is over', () => {
  it('has its ID token shown to the provider a last time, and kept no longer; later it is gone, and nobody is in by it', async () => {
    const cookies = await company.signIn('ann');
    const kept = cookies.get(url, '__Host-placet')!;
    expect(await sessions()).toEqual([{ over: false, hinted: true }]);
    const token = /name="token" value="([^"]+)"/.exec(await (await home(cookies)).text())![1]!;
    const answer = await cookies.fetch(`${url}/t/default/sign-out`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
      headers: { Origin: url },
    });
    expect(answer.headers.get('refresh')).toContain('id_token_hint=ey');
    expect(await sessions()).toEqual([{ over: true, hinted: false }]);
    await sql(`update placet.session set ended_at = now() - interval '31 days'`);
    await expect.poll(sessions).toEqual([]);
    const late = new Cookies();
    late.put(url, '__Host-placet', kept);
    expect((await home(late)).status).toBe(303);
    expect((await fetch(`${url}/api/v1/me`, { headers: { Cookie: `__Host-placet=${kept}` } })).status).toBe(401);
  });
});

describe('sign-ins that are refused', () => {
  it('are one record at first, and the log has each', async () => {
    for (let each = 0; each < 50; each++) {
      expect((await fetch(`${url}/t/default/sign-in/company/callback?code=x&state=x`)).status).toBe(400);
    }
    const records = () =>
      sql<{ about: object }>(
        `select body::json -> 'about' as about from placet.ledger_record where kind = 'sign_in_refused'`,
      );
    await expect.poll(async () => (await records()).length).toBe(1);
    expect((await records())[0]!.about).toMatchObject({ reason: 'attempt_missing', issuer: 'company', count: 1 });
    expect(company.service.log.filter((line) => line.includes('sign-in refused'))).toHaveLength(50);
  });
});
