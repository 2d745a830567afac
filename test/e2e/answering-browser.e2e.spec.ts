import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAskingCompany, type AskingCompany } from '../support/asking.js';
import { connectorOf, patchOf, USER_SCHEMA } from '../support/scim.js';
import { companyIssuer } from '../support/signed-in.js';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`${CHROMIUM} is not there: what needs a browser is skipped (apt-get install chromium)`);

describe.skipIf(!isThere)('in a browser, a person', () => {
  let asking: AskingCompany;
  let browser: Browser;

  beforeAll(async () => {
    asking = await startAskingCompany();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => {
    await browser?.close();
    await asking?.close();
  });

  it('follows the link of a request, signs in, reads all of it, agrees in a better way, and takes it back', async () => {
    await asking.asks({ by: ['subject'], assurance: 'urn:company:mfa' });
    const given = {
      to: 'eve',
      text: `first${' '.repeat(300)}\n  second \u202eline`,
      script: '<img src=x onerror=alert(1)>',
    };
    const id = await asking.ask({ arguments: given });
    asking.idp.keyboard = { sub: 'ann', acr: 'urn:company:password' };
    const context = await browser.newContext({ viewport: { width: 700, height: 900 } });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    page.on('dialog', (dialog) => wrong.push(dialog.message()));

    await page.goto(`${asking.service.url}/t/default/requests/${id}`);
    await page.getByRole('link', { name: 'Sign in with company' }).click();
    await page.getByRole('heading', { name: 'Do you agree?' }).waitFor();
    // What there is to beware of stands before all else, and the choice below all that there is to read.
    const top = async (text: string) => (await page.getByText(text).first().boundingBox())!.y;
    expect(await top('Look twice.')).toBeLessThan(await top('Desk wants to use the tool send of Mail'));
    expect(await top('<img src=x onerror=alert(1)>')).toBeLessThan(await top('Your answer'));
    const shown = await page.locator('pre', { hasText: 'second' }).innerText();
    expect(shown).toBe('first⟨300 × U+0020⟩↵\n  second ⟨U+202E⟩line');
    // Nothing goes off to the side, where nobody looks.
    for (const width of [320, 700]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }

    // Nothing is chosen beforehand: the browser wants a choice first.
    expect(await page.locator('input[type=radio]:checked').count()).toBe(0);
    await page.getByRole('button', { name: 'Send my answer' }).click();
    expect(await asking.status(id)).toBe('pending');
    asking.idp.keyboard = { sub: 'ann' };
    await page.getByLabel('Agree, to this one call').check();
    const better = page.waitForRequest((request) => request.url().includes('/sign-in/company?acr='));
    await page.getByRole('button', { name: 'Send my answer' }).click();
    await better;
    await page.getByRole('heading', { name: 'Do you agree?' }).waitFor();
    expect(await asking.status(id)).toBe('pending');
    await page.getByLabel('Agree, to this one call').check();
    await page.getByRole('button', { name: 'Send my answer' }).click();
    await page.getByRole('heading', { name: 'Agreed' }).waitFor();
    expect(await asking.status(id)).toBe('approved');

    await page.getByRole('button', { name: 'Take my agreement back' }).click();
    await page.getByText('It was taken back: not used yet.').waitFor();
    expect(await asking.decide({ arguments: given, approval: id })).toMatchObject({ effect: 'ask' });
    // The page that says that it takes a better sign-in is a refusal.
    expect(wrong.filter((text) => !text.includes('403 (Forbidden)'))).toEqual([]);
    await context.close();
  });

  it('answers nothing by a page of another site', async () => {
    await asking.asks({ by: ['subject'] });
    const id = await asking.ask();
    asking.idp.keyboard = { sub: 'ann' };
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${asking.service.url}/t/default/sign-in/company`);
    await page.getByText('You are signed in as').waitFor();
    await page.goto(`${asking.service.url}/t/default/requests/${id}`);
    const fields = await page
      .locator('input[type=hidden]')
      .evaluateAll((all) => all.map((one) => (one as unknown as { outerHTML: string }).outerHTML).join(''));
    await page.goto(`${asking.idp.issuer}/.well-known/openid-configuration`);
    // Even with everything that the form has, which another site cannot know.
    await page.setContent(
      `<form method="post" action="${asking.service.url}/t/default/requests/${id}">${fields}<input name="answer" value="uses:1"><button>Go</button></form>`,
    );
    await page.getByRole('button', { name: 'Go' }).click();
    await page.getByText('That did not work').waitFor();
    expect(await asking.status(id)).toBe('pending');
    await page.goto(`${asking.service.url}/t/default/requests`);
    await page.getByRole('link', { name: 'Desk wants to use the tool send of Mail' }).click();
    await page.getByLabel('Refuse').check();
    await page.getByRole('button', { name: 'Send my answer' }).click();
    await page.getByRole('heading', { name: 'Refused' }).waitFor();
    expect(await asking.status(id)).toBe('denied');
    await context.close();
  });

  it('has agreed to nothing any more once their directory says that they have left', async () => {
    await asking.apply(companyIssuer(asking.idp, { provisioning: { scim: true } }));
    const scim = await connectorOf(asking.service, 'company');
    const user = { schemas: [USER_SCHEMA], userName: 'ann@example.com', externalId: 'ann', active: true };
    const made = await scim('POST', '/Users', user);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const setActive = (value: boolean) =>
      scim('PATCH', `/Users/${made.body.id}`, patchOf({ op: 'replace', value: { active: value } }));
    await asking.asks({ by: ['subject'], until: '1h' });
    const id = await asking.ask();
    const open = await asking.ask({ arguments: { to: 'dora' } });
    asking.idp.keyboard = { sub: 'ann' };
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${asking.service.url}/t/default/requests/${id}`);
    await page.getByRole('link', { name: 'Sign in with company' }).click();
    await page
      .getByLabel(/^Agree/)
      .first()
      .check();
    await page.getByRole('button', { name: 'Send my answer' }).click();
    await page.getByRole('heading', { name: 'Agreed' }).waitFor();
    expect(await asking.decide({ approval: id })).toMatchObject({ effect: 'allow' });
    await page.goto(`${asking.service.url}/t/default/requests/${open}`);
    await page
      .getByLabel(/^Agree/)
      .first()
      .check();

    expect((await setActive(false)).status).toBe(200);
    expect(await asking.decide({ approval: id })).toMatchObject({ effect: 'deny', reason: 'suspended' });
    // The page that they still have open answers nothing.
    await page.getByRole('button', { name: 'Send my answer' }).click();
    await page.getByRole('heading', { name: 'Agreed' }).waitFor({ state: 'detached' });
    expect(await asking.status(open)).toBe('cancelled');
    expect((await setActive(true)).status).toBe(200);
    await expect
      .poll(() => asking.decide({ approval: id }))
      .toMatchObject({ effect: 'ask', approval: { state: 'revoked' } });
    await context.close();
  });
});
