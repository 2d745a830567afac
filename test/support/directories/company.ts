import { Cookies } from '../browser.js';
import { AD_READER, type ActiveDirectory } from './active-directory.js';
import { READER, type OpenLdap } from './open-ldap.js';

/** Within which what a directory says is known on every replica: as short as a document may say. */
export const GOOD_FOR_SECONDS = 5;

/** The settings that the Issuer documents here need: the passwords of the accounts that read. */
export const READER_SECRETS = {
  PLACET_SECRET_DEFAULT__READER: READER.password,
  PLACET_SECRET_DEFAULT__AD_READER: AD_READER.password,
};

/** The Issuer `corp`, whose people an OpenLDAP has. */
export const openLdapIssuer = (ldap: OpenLdap, over: object = {}) => ({
  kind: 'Issuer',
  name: 'corp',
  issuer: 'ldap://ex.test',
  groups: { prefix: 'corp:' },
  signIn: {
    protocol: 'ldap',
    directory: 'generic',
    urls: [ldap.tlsUrl, ldap.url],
    ca: ldap.ca,
    account: READER.dn,
    password: 'reader',
    people: { base: `ou=people,${ldap.base}` },
    groups: { base: `ou=groups,${ldap.base}` },
    inactiveWhen: [{ attribute: 'employeeType', oneOf: ['left'] }],
    goodForSeconds: GOOD_FOR_SECONDS,
    ...over,
  },
});

/** The Issuer `corp`, whose people an Active Directory has. */
export const activeDirectoryIssuer = (server: ActiveDirectory) => ({
  kind: 'Issuer',
  name: 'corp',
  issuer: 'ldap://corp.test',
  groups: { prefix: 'corp:' },
  signIn: {
    protocol: 'ldap',
    directory: 'active-directory',
    urls: [server.localUrl],
    ca: server.ca,
    account: AD_READER.name,
    password: 'ad-reader',
    people: { base: server.base },
    groups: { base: server.base },
    goodForSeconds: GOOD_FOR_SECONDS,
  },
});

/** Where passwords of the Issuer `corp` are asked for. */
export const passwordPageOf = (url: string): string => `${url}/t/default/sign-in/corp/password`;

/** What binds the form of a page to its browser; empty where there is no form. */
export const tokenOf = (page: string): string => /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';

/** Begins a sign-in by the Issuer `corp`; returns what its form is bound by. */
export async function askedForPassword(url: string, cookies: Cookies): Promise<string> {
  const at = await cookies.follow(`${url}/t/default/sign-in/corp`, (to) => to.endsWith('/password'));
  return tokenOf(await (await cookies.fetch(at)).text());
}

/** Sends a form of the page for passwords, as a browser would. */
export const sendPassword = (
  url: string,
  cookies: Cookies,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  cookies.fetch(passwordPageOf(url), {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { Origin: url, ...headers },
  });

/** A whole sign-in by the Issuer `corp`, as a browser would; 303 where there is a session now. */
export async function signInByPassword(
  url: string,
  username: string,
  password: string,
  cookies = new Cookies(),
): Promise<{ readonly cookies: Cookies; readonly answer: Response }> {
  const token = await askedForPassword(url, cookies);
  return { cookies, answer: await sendPassword(url, cookies, { token, username, password }) };
}
