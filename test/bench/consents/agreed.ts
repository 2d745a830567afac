import { Cookies } from '../../support/browser.js';
import type { IdentityProvider } from '../../support/identity-provider.js';
import type { Cluster } from '../revocation/cluster.js';

/** Most requests of one host: it may ask only so often within an hour. */
export const OF_ONE_HOST = 300;

/** The documents of the bench. The result is the browser of the one person whom everything is asked of. */
export async function askingCompany(cluster: Cluster, idp: IdentityProvider, consent: string): Promise<Cookies> {
  const signIn = `${cluster.replicas[0]!.url}/t/default/sign-in/company`;
  idp.client({ client_id: 'placet', redirect_uris: [`${signIn}/callback`] });
  const files = [{ path: 'company.yaml', text: documents(idp.issuer, consent) }];
  await cluster.administer('POST', '/api/v1/documents/apply', { files });
  idp.people.set('boss', { sub: 'boss' });
  idp.keyboard = { sub: 'boss' };
  const cookies = new Cookies();
  const back = await cookies.follow(signIn, (to) => new URL(to).pathname.endsWith('/callback'));
  const answer = await cookies.fetch(back);
  if (answer.status !== 303) throw new Error(`${back} answers ${answer.status}: ${await answer.text()}`);
  return cookies;
}

const documents = (issuer: string, consent: string): string => `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Server, name: files }
---
{ kind: Issuer, name: company, issuer: '${issuer}', signIn: { clientId: placet, authentication: none } }
---
kind: Policy
name: reading
target: { servers: [files], actions: [tools/call], resources: ['*'] }
rules:
  - { name: all, effect: allow, to: [any] }
  - { name: ask, effect: ask, to: [any], consent: { by: ['user:company/boss'], ${consent} } }
`;

/** A new host, and a key of it. */
export async function newHost(cluster: Cluster, host: string): Promise<string> {
  const files = [{ path: 'host.yaml', text: `{ kind: Host, name: ${host} }` }];
  await cluster.administer('POST', '/api/v1/documents/apply', { files });
  const rights = { subjects: ['user:*'] };
  return (await cluster.administer<{ key: string }>('POST', '/api/v1/keys', { host, rights })).key;
}

/** What a host asks: that somebody may read. */
export const questionOf = (name: string) => ({
  subject: { type: 'user', id: name },
  server: 'files',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
  tool: { definition: { name: 'read', inputSchema: { type: 'object' } } },
});

/** Has people asked for it, and has them agree. The result is the id of the approval. */
export async function agreedTo(url: string, boss: Cookies, key: string, name: string, choice: object): Promise<string> {
  const question = questionOf(name);
  const asHost = async <T>(path: string, body: object): Promise<T> => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    return read<T>(await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }));
  };
  const { evaluation_id } = await asHost<{ evaluation_id: string }>('/mcp/v1/decisions', question);
  const request = { denial: { evaluation_id }, mcp: question };
  const { task } = await asHost<{ task: { id: string } }>('/access/v1/requests', request);
  const path = `${url}/api/v1/approvals/${task.id}`;
  const { shown_digest: shown } = await read<{ shown_digest: string }>(await boss.fetch(path));
  const headers = { 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' };
  const body = JSON.stringify({ answer: 'agree', shown, choice });
  await read(await boss.fetch(`${path}/answer`, { method: 'POST', headers, body }));
  return task.id;
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url}: ${text}`);
  return JSON.parse(text) as T;
}
