import { Cookies } from '../../support/browser.js';
import { startIdentityProvider } from '../../support/identity-provider.js';
import type { Cluster } from './cluster.js';

/** A company whose people its identity provider knows, and whose documents are saved. */
export interface Company {
  /** An access token of the identity provider about somebody, for an hour. */
  tokenOf(sub: string): Promise<string>;
  /** Signs somebody in at the first replica, as a browser would. */
  signIn(sub: string): Promise<void>;
  /** Gives people another name, of which the identity provider's is an alias. */
  nameOtherwise(subs: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const AUDIENCE = 'https://placet.example';

/**
 * Starts an identity provider in this process, and makes the tenant of a cluster trust it.
 * @param provisioning what the Issuer document says of it; left out: nothing
 */
export async function companyOf(cluster: Cluster, provisioning?: object): Promise<Company> {
  const idp = await startIdentityProvider();
  const signIn = `${cluster.replicas[0]!.url}/t/default/sign-in/company`;
  idp.client({ client_id: 'placet', redirect_uris: [`${signIn}/callback`] });
  const apply = async (text: string): Promise<void> => {
    await cluster.administer('POST', '/api/v1/documents/apply', { files: [{ path: 'company.yaml', text }] });
  };
  await apply(documents(idp.issuer, provisioning));
  return {
    tokenOf(sub) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: idp.issuer, aud: AUDIENCE, sub, iat: now, exp: now + 3600, groups: ['readers'] };
      return idp.sign(claims, { header: { typ: 'at+jwt' } });
    },
    async signIn(sub) {
      idp.people.set(sub, { sub });
      idp.keyboard = { sub };
      const cookies = new Cookies();
      const back = await cookies.follow(signIn, (to) => new URL(to).pathname.endsWith('/callback'));
      const answer = await cookies.fetch(back);
      if (answer.status !== 303) throw new Error(`${back} answers ${answer.status}: ${await answer.text()}`);
    },
    nameOtherwise: (subs) =>
      apply(
        subs.map((sub) => `kind: Subject\nid: ${sub}\naliases: [{ type: user, id: company/${sub} }]\n`).join('---\n'),
      ),
    close: () => idp.close(),
  };
}

const documents = (issuer: string, provisioning: object | undefined): string => `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Role, name: reader }
---
{ kind: Server, name: files }
---
{ kind: Host, name: desk }
---
{ kind: Binding, name: clerk, subjects: ['user:clerk'], roles: [reader] }
---
{ kind: Issuer, name: company, issuer: '${issuer}', subjectTokens: { audiences: ['${AUDIENCE}'] },
  signIn: { clientId: placet, authentication: none }${provisioning ? `, provisioning: ${JSON.stringify(provisioning)}` : ''} }
---
kind: Mapping
name: company
issuer: company
rules: [{ name: readers, when: [{ group: readers }], roles: [reader] }]
---
kind: Policy
name: reading
target: { servers: [files], actions: [tools/call], resources: ['*'] }
rules: [{ name: readers, effect: allow, to: ['role:reader'] }]
`;
