import { once } from 'node:events';
import { readClientSettings } from '#config';
import { startIdentityProvider } from '../support/identity-provider.js';
import { endAll } from './demo.js';
import { settlePerson } from './home.js';
import { asOwner } from './sso/company.js';

/** People of the quickstart by the id of their Subject document, and as whom they sign in. */
const PEOPLE = [
  { subject: 'user:ann', sub: 'ann', name: 'Ann Example' },
  { subject: 'user:john@example.com', sub: 'john', name: 'John Example' },
] as const;

/** Where it goes on, and until when. */
interface PeopleOptions {
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
  /** The service, and its owner's key; left out: those of the command line. */
  readonly service?: { readonly url: string; readonly key: string | undefined };
}

/**
 * Lets people of the quickstart sign in at a service that runs on this machine, by an identity provider of its own that asks
 * who they are, until the signal. Rejects where the service does not take that. In the end nobody can sign in that way any more.
 */
export async function letQuickstartSignIn({
  write,
  signal,
  service = readClientSettings(),
}: PeopleOptions): Promise<void> {
  const { url, key: ownerKey } = service;
  if (ownerKey === undefined) throw new Error('set PLACET_KEY to the key of the owner, as the first start printed it');
  const idp = await startIdentityProvider();
  const ending = [() => idp.close()];
  try {
    idp.asksWho = true;
    for (const { sub, name } of PEOPLE) idp.people.set(sub, { sub, claims: { name, email: `${sub}@example.com` } });
    idp.client({
      client_id: 'placet',
      redirect_uris: [`${url}/t/default/sign-in/demo/callback`],
      post_logout_redirect_uris: [`${url}/t/default/signed-out`],
      // No secret: the service signs, and publishes its key.
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: await keysOf(url),
    });
    const issuer = {
      kind: 'Issuer',
      name: 'demo',
      issuer: idp.issuer,
      groups: { prefix: 'demo:' },
      signIn: { clientId: 'placet', scopes: ['openid', 'email', 'profile'], title: 'the demo' },
    };
    const files = [{ path: 'demo.yaml', text: JSON.stringify(issuer) }];
    await asOwner(url, ownerKey, 'POST', '/api/v1/documents/apply', { files });
    ending.push(() => withdraw(url, ownerKey));
    for (const { subject, sub } of PEOPLE)
      await settlePerson({ url, ownerKey }, subject, { alias: { type: 'user', id: `demo/${sub}` } });
    write(told(url));
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await endAll(ending);
  }
}

async function keysOf(url: string): Promise<unknown> {
  const response = await fetch(`${url}/t/default/oauth/jwks`).catch(() => undefined);
  if (!response?.ok) throw new Error(`no Placet answers at ${url}: start one, or set PLACET_URL`);
  return response.json();
}

/** Takes the Issuer away again: whoever has signed in by it is signed out by that. */
async function withdraw(url: string, ownerKey: string): Promise<void> {
  const address = `${url}/api/v1/documents/Issuer/demo`;
  const headers = { Authorization: `Bearer ${ownerKey}` };
  const found = await fetch(address, { headers });
  const etag = found.headers.get('etag');
  if (found.ok && etag !== null) await fetch(address, { method: 'DELETE', headers: { ...headers, 'If-Match': etag } });
}

const told = (url: string): string => `People of the quickstart can sign in now, at a browser:
  ann    answers for herself
  john   is a comms-lead, and approves mail to many

What they are asked: ${url}/t/default/requests
(Sign out there before the other one signs in, or use a private window.)
Ctrl-C ends it, and signs them out.
`;
