import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { openLdapIssuer, READER_SECRETS } from '../support/directories/company.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../support/directories/open-ldap.js';
import { startTestService, type TestService } from '../support/service.js';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`${CHROMIUM} is not there: what needs a browser is skipped (apt-get install chromium)`);
const NAME = `in a browser, a person of a directory${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`;

describe.skipIf(!isThere || !hasOpenLdap)(NAME, () => {
  let ldap: OpenLdap;
  let service: TestService;
  let browser: Browser;

  beforeAll(async () => {
    ldap = await startOpenLdap();
    await ldap.person('ann', { displayName: 'Ann <b>Example</b>' });
    service = await startTestService({
      quickstart: false,
      attempts: { sign_in: 10_000, session: 10_000, password: 10_000 },
      secrets: NamedSecrets.read(READER_SECRETS),
    });
    service.secrets.add(READER.password, 'pw-of-ann', 'not-her-password');
    const text = JSON.stringify(openLdapIssuer(ldap));
    await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'corp.yaml', text }] } });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await ldap?.close();
  });

  /** A page, and what the browser complains of on it. */
  async function open(options: { javaScriptEnabled?: boolean } = {}): Promise<{ page: Page; wrong: string[] }> {
    const page = await (await browser.newContext(options)).newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    page.on('dialog', (dialog) => wrong.push(dialog.message()));
    return { page, wrong };
  }
  async function type(page: Page, username: string, password: string): Promise<void> {
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
  const cookiesOf = async (page: Page) =>
    (await page.context().cookies(service.url)).filter(({ name }) => name.startsWith('__Host-'));

  it('signs in by user name and password on a page of ours, and out', async () => {
    const { page, wrong } = await open();
    await page.goto(`${service.url}/t/default/`);
    await page.getByRole('link', { name: 'Sign in with corp' }).click();
    // Whoever comes here can type at once.
    await page.locator('#username:focus').waitFor();
    await type(page, 'ann', 'pw-of-ann');
    await page.getByText('You are signed in as').waitFor();
    expect(await page.getByText('Ann <b>Example</b>').count()).toBe(1);
    expect(new URL(page.url()).pathname).toBe('/t/default/');
    expect(await cookiesOf(page)).toMatchObject([
      { name: '__Host-placet', httpOnly: true, secure: true, sameSite: 'Lax' },
    ]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    // Going back shows nobody's password, and sends nothing again.
    await page.goBack();
    expect(await page.locator('input[type=password]').count()).toBe(0);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it.each([true, false])(
    'who has mistyped tries again, and finds nothing of it on the page (scripts: %s)',
    async (on) => {
      const { page, wrong } = await open({ javaScriptEnabled: on });
      await page.goto(`${service.url}/t/default/sign-in/corp`);
      await type(page, 'ann', 'not-her-password');
      await page.getByRole('alert').waitFor();
      expect(await page.getByRole('alert').innerText()).toContain('The user name or the password is wrong');
      expect(await page.getByLabel('User name').inputValue()).toBe('');
      expect(await page.getByLabel('Password').inputValue()).toBe('');
      expect(await page.content()).not.toContain('not-her-password');
      expect((await cookiesOf(page)).map(({ name }) => name)).not.toContain('__Host-placet');
      await type(page, 'ann', 'pw-of-ann');
      await page.getByText('You are signed in as').waitFor();
      expect(wrong.filter((text) => !text.includes('403 (Forbidden)'))).toEqual([]);
      await page.context().close();
    },
  );

  it('is not signed in by a form of another site, whatever it knows', async () => {
    const { page } = await open();
    await page.goto(`${service.url}/t/default/sign-in/corp`);
    const token = await page.locator('input[name=token]').inputValue();
    const place = page.url();
    await page.goto('data:text/html,<p>elsewhere</p>');
    await page.setContent(`<form method="post" action="${place}"><input name="token" value="${token}">
      <input name="username" value="ann"><input name="password" value="pw-of-ann"><button>Win</button></form>`);
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByText('That did not work').waitFor();
    expect((await cookiesOf(page)).map(({ name }) => name)).not.toContain('__Host-placet');
    await page.context().close();
  });

  it('cannot be asked for a password within a frame of another page', async () => {
    const { page, wrong } = await open();
    await page.setContent(`<iframe src="${service.url}/t/default/sign-in/corp"></iframe>`);
    await expect.poll(() => wrong.join(' ')).toContain('frame-ancestors');
    await page.context().close();
  });
});
