import type { Cookies } from '../browser.js';
import type { SamlProvider } from './identity-provider.js';

/** The Issuer document of the test's provider. */
export const samlIssuer = (idp: SamlProvider, signIn: object = {}, over: object = {}) => ({
  kind: 'Issuer',
  name: 'company',
  issuer: idp.entityId,
  groups: { prefix: 'company:' },
  signIn: { protocol: 'saml', url: idp.url, certificates: [idp.key.certificate], ...signIn },
  ...over,
});

/** What a browser does until the provider's page has an answer to be posted. */
export async function answerAt(idp: SamlProvider, cookies: Cookies, begin: string): Promise<string> {
  const to = await cookies.follow(begin, (next) => next.startsWith(idp.url));
  return hidden(await (await fetch(to)).text());
}

/** Posts an answer as a browser would: from the other site without cookies, and again from our own page. */
export async function postAnswer(cookies: Cookies, callback: string, answer: string): Promise<Response> {
  const first = await fetch(callback, { method: 'POST', body: new URLSearchParams({ SAMLResponse: answer }) });
  const page = await first.text();
  if (!page.includes('name="again"')) throw new Error(`${first.status}: ${page}`);
  return cookies.fetch(callback, {
    method: 'POST',
    body: new URLSearchParams({ SAMLResponse: hidden(page), again: '1' }),
  });
}

/** What a page has in its hidden field. */
const hidden = (page: string): string => /name="SAMLResponse"\s+value="([^"]*)"/.exec(page)?.[1] ?? fail(page);

const fail = (page: string): never => {
  throw new Error(`there is no answer in ${page.slice(0, 500)}`);
};
