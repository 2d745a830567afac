import { randomBytes } from 'node:crypto';
import { NamedSecrets } from '#config';
import { startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.js';
import type { Standalone } from '../../support/standalone.js';
import { companyDocuments } from './documents.js';

/** A company's identity provider, which people of it know, and what Placet needs to be a client of it. */
export interface Company {
  readonly idp: IdentityProvider;
  /** The secret that an Issuer document calls `company`. */
  readonly secrets: NamedSecrets;
  /** Registers Placet, and the application that people work with. */
  register(url: string): void;
}

/** Where the application gets its answers; nothing listens there. */
export const APPLICATION_CALLBACK = 'http://localhost/assistant/callback';

/** Starts it with two people: Ann of engineering, who leads a team and is on call, and Bob of sales. */
export async function startCompany(): Promise<Company> {
  const idp = await startIdentityProvider();
  const ann = { name: 'Ann Example', roles: ['team-lead'], groups: ['engineering', 'on-call'] };
  idp.people.set('ann', { sub: 'ann', claims: { ...ann, email: 'ann@example.com' } });
  idp.people.set('bob', { sub: 'bob', claims: { name: 'Bob Example', email: 'bob@example.com', groups: ['sales'] } });
  const secret = randomBytes(24).toString('base64url');
  return {
    idp,
    secrets: NamedSecrets.read({ PLACET_SECRET_DEFAULT__COMPANY: secret }),
    register(url) {
      const ours = `${url}/t/default/sign-in/company`;
      idp.client({
        client_id: 'placet',
        client_secret: secret,
        redirect_uris: [`${ours}/callback`],
        post_logout_redirect_uris: [`${url}/t/default/signed-out`],
        backchannel_logout_uri: `${ours}/backchannel-logout`,
        backchannel_logout_session_required: true,
      });
      // An application on the person's own machine keeps no secret.
      idp.client({ client_id: 'assistant', application_type: 'native', redirect_uris: [APPLICATION_CALLBACK] });
    },
  };
}

/** Saves the documents as the owner of the tenant, and makes the key of the application. */
export async function settle({ url, ownerKey }: Standalone, idp: IdentityProvider): Promise<string> {
  const text = companyDocuments(idp)
    .map((document) => JSON.stringify(document))
    .join('\n---\n');
  await asOwner(url, ownerKey, 'POST', '/api/v1/documents/apply', { files: [{ path: 'company.yaml', text }] });
  // It may speak for nobody: whom it asks for, a token proves.
  const rights = { subjects: [], subjectProperties: [], resourceProperties: [], explain: true };
  const made = await asOwner(url, ownerKey, 'POST', '/api/v1/keys', { host: 'assistant', rights });
  return (made as { readonly key: string }).key;
}

/** Calls the administration API with the owner's key. Rejects where it refuses. */
export async function asOwner(
  url: string,
  ownerKey: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: {
      Authorization: `Bearer ${ownerKey}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} was refused: ${await response.text()}`);
  return response.json();
}
