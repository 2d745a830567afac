import { html, type Html } from '../pages/html.js';
import type { Page } from '../pages/page.js';
import type { SignInReason } from './connector.js';
import type { SignInIssuer } from './connectors.js';
import type { PersonSession } from './person-sessions.js';

/** The choice of a way to sign in: by the domain of an e-mail address, or by title. */
export function choicePage(
  tenant: string,
  issuers: readonly SignInIssuer[],
  returnTo: string | undefined,
  unknownDomain = false,
): Page {
  const open = issuers.length === 1 ? issuers : issuers.filter(({ signIn }) => signIn.domains === undefined);
  const byDomain = issuers.length > 1 && issuers.some(({ signIn }) => signIn.domains !== undefined);
  const nobody = html`<p>
    Nobody can sign in here yet: an administrator has to add an Issuer with <code>signIn</code>.
  </p>`;
  const links = open.map(
    (issuer) =>
      html`<p>
        <a class="button" href="${beginPath(tenant, issuer.name, returnTo)}">Sign in with ${titleOf(issuer)}</a>
      </p>`,
  );
  return {
    title: 'Sign in',
    body: html`${issuers.length === 0 ? nobody : undefined}
    ${unknownDomain ? html`<p role="alert">Nobody with an address of that domain signs in here.</p>` : undefined}
    ${byDomain ? addressForm(tenant, returnTo) : undefined} ${links}`,
  };
}

const addressForm = (tenant: string, returnTo: string | undefined): Html =>
  html`<form method="post" action="/t/${encodeURIComponent(tenant)}/sign-in">
    <label for="email">Your e-mail address at work</label>
    <input id="email" name="email" type="email" autocomplete="username" maxlength="320" required autofocus />
    ${returnTo === undefined ? undefined : html`<input type="hidden" name="return_to" value="${returnTo}" />`}
    <button class="primary">Continue</button>
  </form>`;

/** Sends the browser on. A page and not a redirect: what a form leads to is held against the policy of its page. */
export const onwardPage = (title: string, text: string, to: string): Page => ({
  title,
  body: html`<p>${text}</p>
    <p><a class="button" href="${to}">Continue</a></p>`,
});

/**
 * Brings an answer that another site has posted once more, from a page of ours: the cookie that says which browser began the
 * sign-in comes with that request alone (SameSite=Lax).
 */
export const againPage = (path: string, answer: string): Page => ({
  title: 'Signing in',
  sendsItself: true,
  body: html`<form method="post" action="${path}">
    <input type="hidden" name="SAMLResponse" value="${answer}" />
    <input type="hidden" name="again" value="1" />
    <button class="primary">Continue</button>
  </form>`,
});

const titleOf = ({ signIn, name }: SignInIssuer): string => signIn.title ?? name;

/** Where a sign-in by an Issuer begins. */
export function beginPath(tenant: string, issuer: string, returnTo: string | undefined): string {
  const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo }).toString()}`;
  return `/t/${encodeURIComponent(tenant)}/sign-in/${encodeURIComponent(issuer)}${query}`;
}

/** Who is signed in, and the way out. */
export const homePage = (tenant: string, session: PersonSession, token: string): Page => ({
  title: 'Signed in',
  body: html`<p>You are signed in as <strong>${session.name ?? session.person}</strong>.</p>
    <dl>
      <dt>Tenant</dt>
      <dd>${tenant}</dd>
      <dt>Person</dt>
      <dd>${session.person}</dd>
    </dl>
    <p><a class="button" href="/t/${encodeURIComponent(tenant)}/requests">What I am asked</a></p>
    <form method="post" action="/t/${encodeURIComponent(tenant)}/sign-out">
      <input type="hidden" name="token" value="${token}" />
      <button>Sign out</button>
    </form>`,
});

export const signedOutPage = (tenant: string): Page => ({
  title: 'Signed out',
  body: html`<p>You are signed out.</p>
    <p><a class="button" href="/t/${encodeURIComponent(tenant)}/sign-in">Sign in</a></p>`,
});

/** What went wrong, for a person, and a way to begin anew. Nothing of why is told that is not theirs to mend. */
export const problemPage = (sentence: string, tenant: string | undefined): Page => ({
  title: 'That did not work',
  body: html`<p role="alert">${sentence}</p>
    ${
      tenant === undefined
        ? undefined
        : html`<p><a class="button" href="/t/${encodeURIComponent(tenant)}/sign-in">Start again</a></p>`
    }`,
});

const GENERIC = 'The sign-in could not be completed. Start again; if it goes on, tell your administrator the time.';

/** What a person is told, and with which status. */
export const TOLD: Readonly<Record<SignInReason, { readonly status: number; readonly sentence: string }>> = {
  attempt_missing: {
    status: 400,
    sentence: 'This browser has no sign-in under way, or it took longer than ten minutes. Start again.',
  },
  attempt_used: { status: 400, sentence: 'This sign-in was finished before. Start again.' },
  not_configured: { status: 404, sentence: 'Nobody can sign in this way. Ask your administrator.' },
  provider_unreachable: {
    status: 503,
    sentence: 'The identity provider does not answer. Try again in a moment.',
  },
  provider_refused: { status: 403, sentence: 'The identity provider has not confirmed the sign-in. Start again.' },
  response_invalid: { status: 403, sentence: GENERIC },
  token_invalid: { status: 403, sentence: GENERIC },
  not_proven: {
    status: 403,
    sentence: 'The user name or the password is wrong, or too many were tried: wait a minute and try again.',
  },
  identity_missing: { status: 403, sentence: GENERIC },
  requirement_unmet: { status: 403, sentence: 'This account may not sign in here. Ask your administrator.' },
  not_strong_enough: {
    status: 403,
    sentence: 'The identity provider has not confirmed the sign-in in the way that is needed. Start again.',
  },
  suspended: { status: 403, sentence: 'This account may not sign in here. Ask your administrator.' },
  signed_out_meanwhile: { status: 403, sentence: GENERIC },
  overtaken: { status: 403, sentence: 'Something about this account has changed meanwhile. Start again.' },
};
