import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCompany, type Company } from '../support/signed-in.js';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`${CHROMIUM} is not there: what needs a browser is skipped (apt-get install chromium)`);

describe.skipIf(!isThere)('in a browser, a person', () => {
  let company: Company;
  let browser: Browser;

  beforeAll(async () => {
    company = await startCompany();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => {
    await browser?.close();
    await company?.close();
  });

  it('signs in and out; the cookie is for this host alone, and out of the reach of scripts', async () => {
    const { service, idp } = company;
    idp.keyboard = { sub: 'ann' };
    const context = await browser.newContext();
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(`${service.url}/t/default/`);
    await page.getByRole('link', { name: 'Sign in with company' }).click();
    await page.getByText('You are signed in as').waitFor();
    expect(new URL(page.url()).pathname).toBe('/t/default/');
    const [cookie, ...others] = (await context.cookies(service.url)).filter(({ name }) => name.startsWith('__Host-'));
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: '__Host-placet',
      domain: '127.0.0.1',
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
    });
    expect(await page.evaluate('document.cookie')).toBe('');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.waitForURL(/\/t\/default\/signed-out/);
    expect((await context.cookies(service.url)).filter(({ name }) => name === '__Host-placet')).toEqual([]);
    // The provider's own session is over as well: it asks again who it is.
    idp.keyboard = undefined;
    await page.goto(`${service.url}/t/default/sign-in/company`);
    await page.getByText('has not confirmed the sign-in').waitFor();
    expect(wrong.filter((text) => text.includes('Content Security Policy'))).toEqual([]);
    await context.close();
  });

  it('is not signed out, and changes nothing, by a page of another site', async () => {
    const { service, idp } = company;
    idp.keyboard = { sub: 'ann' };
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${service.url}/t/default/sign-in/company`);
    await page.getByText('You are signed in as').waitFor();
    await page.goto(`${idp.issuer}/.well-known/openid-configuration`);
    await page.setContent(
      `<form method="post" action="${service.url}/t/default/sign-out"><input name="token" value="x"><button>Go</button></form>`,
    );
    await page.getByRole('button', { name: 'Go' }).click();
    await page.getByText('That did not work').waitFor();
    await page.goto(`${service.url}/t/default/`);
    await page.getByText('You are signed in as').waitFor();
    await context.close();
  });

  it('finds the provider by the domain of an address', async () => {
    const { service, idp } = company;
    idp.keyboard = { sub: 'ann' };
    const second = { clientId: 'x', authentication: 'none', domains: ['elsewhere.example'] };
    await company.apply({ kind: 'Issuer', name: 'second', issuer: 'https://idp.elsewhere.example', signIn: second });
    const signIn = {
      clientId: 'placet',
      authentication: 'client_secret_basic',
      clientSecret: 'company',
      domains: ['example.com'],
    };
    await company.apply({ kind: 'Issuer', name: 'company', issuer: idp.issuer, signIn });
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${service.url}/t/default/sign-in`);
    await page.getByLabel('Your e-mail address at work').fill('anybody@example.com');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('You are signed in as').waitFor();
    await context.close();
  });
});
