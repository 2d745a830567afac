import type { Answer, TestService } from './service.js';

/** A call of a connector, below /scim/v2, with its token. */
export type Scim = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** A connector of an Issuer, with a token of its own; `key` is another token to call with. */
export async function connectorOf(service: TestService, issuer: string, over: object = {}): Promise<Scim> {
  const made = await service.call('POST', '/api/v1/connector-tokens', { body: { issuer, ...over } });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return scimWith(service, made.body.token as string);
}

/** Calls with a token. */
export const scimWith =
  (service: TestService, key: string, url?: string): Scim =>
  (method, path, body, headers = {}) =>
    service.call(method, `/scim/v2${path}`, {
      key,
      ...(url === undefined ? {} : { url }),
      ...(body === undefined ? {} : { body, headers: { 'Content-Type': 'application/scim+json', ...headers } }),
      ...(body === undefined ? { headers } : {}),
    });

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** The body of a PATCH. */
export const patchOf = (...operations: readonly object[]) => ({ schemas: [PATCH_SCHEMA], Operations: operations });
