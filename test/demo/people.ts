import type { Standalone } from '../support/standalone.js';
import { settlePerson } from './home.js';
import { asOwner, type Company } from './sso/company.js';

/** Lets Placet know the company's identity provider, and that ann of the quickstart is who signs in there as `ann`. */
export async function letAnnSignIn(placet: Standalone, company: Company, home: string): Promise<void> {
  const { url, ownerKey } = placet;
  company.register(url);
  const issuer = {
    kind: 'Issuer',
    name: 'company',
    issuer: company.idp.issuer,
    groups: { prefix: 'company:' },
    signIn: { clientId: 'placet', authentication: 'client_secret_basic', clientSecret: 'company' },
  };
  const files = [{ path: 'people.yaml', text: JSON.stringify(issuer) }];
  await asOwner(url, ownerKey, 'POST', '/api/v1/documents/apply', { files });
  await settlePerson(placet, 'user:ann', { alias: { type: 'user', id: 'company/ann' }, home });
  // Whoever comes to its sign-in page is ann, also from a second terminal.
  company.idp.keyboard = { sub: 'ann' };
}
