import { html } from '../../pages/html.js';
import type { Page } from '../../pages/page.js';
import { TOLD } from '../pages.js';

/** What the page is about; nothing of what was typed before comes back. */
export interface AskedPassword {
  readonly tenant: string;
  readonly issuer: string;
  /** Binds the form to the sign-in that is under way in this browser. */
  readonly token: string;
  readonly title: string;
  readonly isRefused: boolean;
}

/** Asks for a user name and a password. */
export const passwordPage = ({ tenant, issuer, token, title, isRefused }: AskedPassword): Page => ({
  title: `Sign in with ${title}`,
  body: html`${isRefused ? html`<p role="alert">${TOLD.not_proven.sentence}</p>` : undefined}
    <form method="post" action="/t/${encodeURIComponent(tenant)}/sign-in/${encodeURIComponent(issuer)}/password">
      <input type="hidden" name="token" value="${token}" />
      <label for="username">User name</label>
      <input
        id="username"
        name="username"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        maxlength="256"
        required
        autofocus
      />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required />
      <button class="primary">Sign in</button>
    </form>`,
});
