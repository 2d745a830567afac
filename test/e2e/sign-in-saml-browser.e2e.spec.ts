import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANN, startSamlCompany, type SamlCompany } from '../support/saml/company.js';
import { samlIssuer } from '../support/saml/sign-in.js';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`${CHROMIUM} is not there: what needs a browser is skipped (apt-get install chromium)`);

describe.skipIf(!isThere)('in a browser, a person of a SAML identity provider', () => {
  let company: SamlCompany;
  let browser: Browser;

  beforeAll(async () => {
    company = await startSamlCompany();
    company.idp.person = ANN;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => {
    await browser?.close();
    await company?.close();
  });

  /** A page, and what the browser complains of on it. */
  async function open(options: { javaScriptEnabled?: boolean } = {}): Promise<{ page: Page; wrong: string[] }> {
    const page = await (await browser.newContext(options)).newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    return { page, wrong };
  }
  const refusedByPolicy = (wrong: readonly string[]) =>
    wrong.filter((text) => text.includes('Content Security Policy'));

  it('signs in, and out', async () => {
    const { page, wrong } = await open();
    await page.goto(`${company.service.url}/t/default/`);
    await page.getByRole('link', { name: 'Sign in with company' }).click();
    await page.getByText('You are signed in as').waitFor();
    expect(await page.getByText('Ann Example').count()).toBe(1);
    expect(new URL(page.url()).pathname).toBe('/t/default/');
    const cookies = (await page.context().cookies(company.service.url)).filter(({ name }) =>
      name.startsWith('__Host-'),
    );
    expect(cookies).toMatchObject([{ name: '__Host-placet', httpOnly: true, secure: true, sameSite: 'Lax' }]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    expect(refusedByPolicy(wrong)).toEqual([]);
    await page.context().close();
  });

  it('signs in where no scripts run, by two buttons', async () => {
    const { page } = await open({ javaScriptEnabled: false });
    await page.goto(`${company.service.url}/t/default/sign-in/company`);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(company.callback);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('You are signed in as').waitFor();
    await page.context().close();
  });

  it('who begins at the provider comes to a sign-in that this browser begins', async () => {
    await company.apply(samlIssuer(company.idp, { idpInitiated: 'bounce' }));
    const { page, wrong } = await open();
    const answer = await company.idp.unsolicited(company.entityId, company.callback);
    await page.goto(company.idp.entityId);
    await page.setContent(
      `<form method="post" action="${company.callback}"><input name="SAMLResponse" value="${answer}"><button>Tile</button></form>`,
    );
    const before = company.idp.requests.length;
    await page.getByRole('button', { name: 'Tile' }).click();
    await page.getByText('You are signed in as').waitFor();
    expect(company.idp.requests.length).toBe(before + 1);
    expect(refusedByPolicy(wrong)).toEqual([]);
    await page.context().close();
  });

  it('is not signed in as somebody else by a page of another site', async () => {
    await company.apply(samlIssuer(company.idp));
    const { Cookies } = await import('../support/browser.js');
    const answer = await company.answered(new Cookies(), { ...ANN, name: 'mallory' });
    company.idp.person = ANN;
    const { page } = await open();
    await page.goto(company.idp.entityId);
    await page.setContent(
      `<form method="post" action="${company.callback}"><input name="SAMLResponse" value="${answer}"><button>Win</button></form>`,
    );
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByText('no sign-in under way').waitFor();
    await page.context().close();
  });
});
