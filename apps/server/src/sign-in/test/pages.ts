import type { ServerResponse } from 'node:http';
import type { AbuseLimits } from '#http';
import { ATTEMPT_COOKIE, dropCookie } from '#identity';
import { html } from '../../pages/html.js';
import { sendPage, type Page } from '../../pages/page.js';
import type { Tested } from '../sign-in.service.js';

/** Asks whoever opens the address of a test whether they want to be looked at. */
export const testPage = (tenant: string, issuer: string, title: string, id: string): Page => ({
  title: 'Test of a sign-in',
  body: html`<p>
      An administrator is testing the sign-in with <strong>${title}</strong>. You will not be signed in here.
    </p>
    <p>What is said of you there (who you are, your groups and other claims) is shown to that administrator.</p>
    <form method="post" action="/t/${encodeURIComponent(tenant)}/sign-in/${encodeURIComponent(issuer)}/test">
      <input type="hidden" name="id" value="${id}" />
      <button class="primary">Begin the test</button>
    </form>`,
});

/** The same whatever came of it: that is for the administrator to read. */
export const testOverPage: Page = {
  title: 'The test is over',
  body: html`<p>Go back to your terminal: it says what came of it. Nobody was signed in.</p>`,
};

/** Ends a test at the browser. One that came to nothing counts as what a sign-in would have counted. */
export function endTest(
  response: ServerResponse,
  { wouldSignIn }: Tested,
  limits: Pick<AbuseLimits, 'failed'>,
  address: string,
): void {
  if (!wouldSignIn) limits.failed('sign_in', address);
  sendPage(response, 200, testOverPage, { 'Set-Cookie': [dropCookie(ATTEMPT_COOKIE)] });
}
