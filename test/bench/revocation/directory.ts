import type { Cluster } from './cluster.js';

/** A directory that provisions the people of the company (SCIM), with a token of its own. */
export interface Directory {
  /** Makes a user; returns the id. */
  create(sub: string): Promise<string>;
  /** Makes a group of some users; returns the id. */
  group(name: string): Promise<string>;
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  patch(path: string, ...operations: readonly object[]): Promise<void>;
}

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/** Connects a directory to the first replica of a cluster. */
export async function directoryOf(cluster: Cluster, issuer: string): Promise<Directory> {
  const { token } = await cluster.administer<{ token: string }>('POST', '/api/v1/connector-tokens', { issuer });
  const base = `${cluster.replicas[0]!.url}/scim/v2`;
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }
  return {
    call,
    async create(sub) {
      const name = { givenName: 'A', familyName: sub };
      const emails = [{ value: `${sub}@example.com`, type: 'work', primary: true }];
      const user = { schemas: [USER], userName: `${sub}@example.com`, externalId: sub, active: true, name, emails };
      return (await call<{ id: string }>('POST', '/Users', user)).id;
    },
    async group(displayName) {
      return (await call<{ id: string }>('POST', '/Groups', { schemas: [GROUP], displayName })).id;
    },
    async patch(path, ...operations) {
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
      await call('PATCH', path, { schemas, Operations: operations });
    },
  };
}
