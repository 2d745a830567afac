import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cookies } from '../support/browser.js';
import { placet } from '../support/command-line.js';
import { COMPANY_SECRET, startCompany, type Company } from '../support/signed-in.js';
import { sentOn } from '../support/sign-in-tests.js';
import { as } from '../support/terminal.js';

let company: Company;

beforeAll(async () => {
  company = await startCompany();
});
afterAll(() => company.close());

/** A command line, and what a person at a browser does once it names an address. */
const run = (args: readonly string[], atBrowser?: (url: string) => Promise<void>) =>
  placet(['idp', 'test', ...args], {
    environment: as(company.service),
    ...(atBrowser ? { noted: (notes) => atBrowser(/open (\S+) /.exec(notes)![1]!) } : {}),
  });

const sign = async (url: string): Promise<void> => {
  const cookies = new Cookies();
  company.idp.keyboard = { sub: 'ann' };
  const back = await cookies.follow(await sentOn(cookies, url), (to) => new URL(to).pathname.endsWith('/callback'));
  expect(await (await cookies.fetch(back)).text()).toContain('Go back to your terminal');
};

describe('idp test', () => {
  it('says of each step what was there', async () => {
    const { code, stdout, stderr } = await run(['company']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ok {7}document {15}the Issuer 'company', by oidc/);
    expect(stdout.trim().split('\n')).toHaveLength(11);
    expect(stdout).not.toContain(COMPANY_SECRET);
  });

  it('tells every step of a sign-in at a browser, and what it comes to', async () => {
    const { code, stdout } = await run(['company', '--sign-in', '--no-browser'], sign);
    expect(code).toBe(0);
    for (const line of [
      /^ok {7}token_endpoint .*\/token is asked for the tokens of the code$/m,
      /^ok {7}id_token /m,
      /^ok {7}identity {15}the claim \/sub$/m,
      /^subject: user:company\/ann$/m,
      /^groups: company:staff$/m,
      /^claim email: "ann@example.com"$/m,
      /^somebody would be signed in; it was a test, and nobody was$/m,
    ])
      expect(stdout).toMatch(line);
  });

  it('exits with 1 and the mend where a step fails', async () => {
    company.idp.client({ client_id: 'placet', client_secret: 'x'.repeat(32), redirect_uris: [] });
    const { code, stdout } = await run(['company']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^failed {3}redirect_uri .*\n {32}mend: register this very redirect URI/m);
    const json = await run(['company', '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ issuer: 'company', protocol: 'oidc' });
  });

  it('says so where nobody comes back in time', async () => {
    const opened = await run(['company', '--sign-in', '--no-browser', '--wait', '2'], async (url) => {
      await sentOn(new Cookies(), url);
    });
    expect(opened.code).toBe(1);
    expect(opened.stdout).toMatch(/^failed {3}response {15}the browser did not come back within 2 s$/m);
    const unopened = await run(['company', '--sign-in', '--no-browser', '--wait', '1']);
    expect(unopened.stdout).toMatch(/^failed {3}request {16}nobody has opened the address within 1 s$/m);
  });

  it.each([
    [['nobody'], 1, "there is no Issuer named 'nobody'"],
    [['company', '--wait', 'long'], 2, '--wait needs a number of seconds'],
    [[], 2, "'idp test' needs ISSUER"],
  ])('refuses %j', async (args, exit, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(exit);
    expect(stderr).toContain(message);
  });
});
