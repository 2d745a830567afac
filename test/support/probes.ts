import { generateKeyPairSync } from 'node:crypto';
import { CONSENT_ID } from './consent-rows.js';

/** What a tenant has that another one might ask for. */
export interface Things {
  /** The name of its Role, Server, Host, Policy, draft and Suspension, and the id of its person and of its records. */
  readonly name: string;
  /** Of a key. */
  readonly key: string;
  /** Of a connector. */
  readonly connectorToken: string;
  /** Of an OAuth client. */
  readonly client: string;
  /** Of a person's session. */
  readonly session: string;
  readonly revision: number;
  readonly evaluation: string;
  /** Of a request for consent. */
  readonly request: string;
  readonly tenant: string;
}

/** One call of an operation about somebody's things. */
export interface Probe {
  /** By the path's parameters. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Whose key makes it; the owner's, if left out. */
  readonly as?: 'host';
  /** That whoever has the things sees them by it. */
  readonly shows?: true;
}

const role = (name: string) => ({ kind: 'Role', name, description: 'by a stranger' });

const files = (name: string) => [{ path: 'r.yaml', text: JSON.stringify(role(name)) }];

const asked = ({ name }: Things) => ({
  subject: { type: 'user', id: name },
  action: { name: 'read' },
  resource: { type: 'record', id: name },
});

const message = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

/** Agrees to what it has not been shown. */
const ANSWER = { answer: 'agree', shown: '0'.repeat(64) };

/** A public key of a client. */
export const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

/**
 * For every operation of the API, how one tenant would try to reach what another one has. A new operation needs a line here:
 * the spec that walks openapi.json says so.
 */
export const PROBES: Readonly<Record<string, (things: Things) => Probe>> = {
  'GET /api/v1/documents': () => ({ shows: true }),
  'POST /api/v1/documents/validate': ({ name }) => ({ body: { files: files(name) } }),
  'POST /api/v1/documents/apply': ({ name }) => ({ body: { files: files(name), dry_run: true } }),
  'GET /api/v1/documents/{kind}/{name}': ({ name }) => ({ path: { kind: 'Role', name }, shows: true }),
  'PUT /api/v1/documents/{kind}/{name}': ({ name }) => ({
    path: { kind: 'Role', name },
    body: role(name),
    headers: { 'If-Match': '"1"' },
  }),
  'DELETE /api/v1/documents/{kind}/{name}': ({ name }) => ({
    path: { kind: 'Role', name },
    headers: { 'If-Match': '"1"' },
  }),
  'GET /api/v1/documents/{kind}/{name}/versions': ({ name }) => ({ path: { kind: 'Role', name }, shows: true }),
  'GET /api/v1/documents/{kind}/{name}/versions/{version}': ({ name }) => ({
    path: { kind: 'Role', name, version: '1' },
    shows: true,
  }),
  'GET /api/v1/drafts': () => ({ shows: true }),
  'GET /api/v1/drafts/{name}': ({ name }) => ({ path: { name }, shows: true }),
  'PUT /api/v1/drafts/{name}': ({ name }) => ({
    path: { name },
    body: { files: files(name) },
    headers: { 'If-Match': '"1"' },
  }),
  'DELETE /api/v1/drafts/{name}': ({ name }) => ({ path: { name }, headers: { 'If-Match': '"1"' } }),
  'POST /api/v1/drafts/{name}/approve': ({ name }) => ({ path: { name }, headers: { 'If-Match': '"1"' } }),
  'POST /api/v1/drafts/{name}/publish': ({ name }) => ({ path: { name }, body: { message: 'why' } }),
  'GET /api/v1/revisions': () => ({ shows: true }),
  'GET /api/v1/revisions/{revision}': ({ revision }) => ({ path: { revision: String(revision) }, shows: true }),
  'GET /api/v1/diff': ({ revision }) => ({ query: `?from=0&to=${revision}`, shows: true }),
  'POST /api/v1/rollback': ({ revision }) => ({ body: { to: revision, message: 'why' } }),
  'GET /api/v1/keys': () => ({ shows: true }),
  'POST /api/v1/keys': ({ name }) => ({ body: { host: name } }),
  'GET /api/v1/keys/{id}': ({ key }) => ({ path: { id: key }, shows: true }),
  'POST /api/v1/keys/{id}/rotate': ({ key }) => ({ path: { id: key }, body: {} }),
  'PATCH /api/v1/keys/{id}': ({ key }) => ({ path: { id: key }, body: { cidrs: ['10.0.0.0/8'] } }),
  'DELETE /api/v1/keys/{id}': ({ key }) => ({ path: { id: key } }),
  'GET /api/v1/connector-tokens': () => ({ shows: true }),
  'POST /api/v1/connector-tokens': ({ name }) => ({ body: { issuer: name } }),
  'POST /api/v1/connector-tokens/{id}/rotate': ({ connectorToken }) => ({ path: { id: connectorToken }, body: {} }),
  'DELETE /api/v1/connector-tokens/{id}': ({ connectorToken }) => ({ path: { id: connectorToken } }),
  'GET /api/v1/consents/suggestions': () => ({}),
  'GET /api/v1/suspensions': () => ({ shows: true }),
  'PUT /api/v1/suspensions/{of}/{name}': ({ name }) => ({ path: { of: 'Server', name }, body: {} }),
  'DELETE /api/v1/suspensions/{of}/{name}': ({ name }) => ({ path: { of: 'Server', name } }),
  'POST /api/v1/access/subjects': ({ name }) => ({ body: { server: name, resource: { id: name } } }),
  'POST /api/v1/access/review': () => ({ shows: true }),
  'GET /api/v1/access/capabilities': ({ name }) => ({ query: `?format=casl&subject=user:${name}&host=${name}` }),
  'POST /api/v1/access/capabilities': ({ name }) => ({ body: { subject: { id: name }, host: name } }),
  'GET /api/v1/decisions/{evaluation_id}': ({ evaluation }) => ({
    path: { evaluation_id: evaluation },
    shows: true,
  }),
  'POST /api/v1/mappings/try': ({ name }) => ({ body: { issuer: name, claims: { sub: name } } }),
  'GET /api/v1/clients': () => ({ shows: true }),
  'POST /api/v1/clients': ({ name }) => ({ body: { host: name } }),
  'GET /api/v1/clients/{id}': ({ client }) => ({ path: { id: client }, shows: true }),
  'PATCH /api/v1/clients/{id}': ({ client }) => ({ path: { id: client }, body: { cidrs: ['10.0.0.0/8'] } }),
  'DELETE /api/v1/clients/{id}': ({ client }) => ({ path: { id: client } }),
  'POST /api/v1/clients/{id}/rotate': ({ client }) => ({ path: { id: client }, body: {} }),
  'PUT /api/v1/clients/{id}/keys': ({ client }) => ({ path: { id: client }, body: { keys: { keys: [PUBLIC_KEY] } } }),
  // Replaces the caller's own keys, whatever others have.
  'POST /api/v1/signing-keys/rotate': () => ({}),
  'POST /api/v1/saml-keys/rotate': () => ({}),
  'POST /api/v1/issuers/{name}/examine': ({ name }) => ({ path: { name } }),
  'POST /api/v1/issuers/{name}/sign-in-tests': ({ name }) => ({ path: { name } }),
  'GET /api/v1/sign-in-tests/{id}': ({ name }) => ({ path: { id: name } }),
  'GET /api/v1/people': () => ({ shows: true }),
  'GET /api/v1/people/{id}': ({ name }) => ({ path: { id: name }, shows: true }),
  'GET /api/v1/people/{id}/sessions': ({ name }) => ({ path: { id: name }, shows: true }),
  'POST /api/v1/people/{id}/sign-out': ({ name }) => ({ path: { id: name } }),
  'GET /api/v1/me/sessions': () => ({}),
  'DELETE /api/v1/me/sessions/{id}': ({ session }) => ({ path: { id: session } }),
  'GET /api/v1/me/requests': () => ({}),
  'GET /api/v1/me/requests/{id}': ({ request }) => ({ path: { id: request } }),
  'POST /api/v1/me/requests/{id}/answer': ({ request }) => ({ path: { id: request }, body: ANSWER }),
  'DELETE /api/v1/me/requests/{id}/answer': ({ request }) => ({ path: { id: request } }),
  'GET /api/v1/me/consents': () => ({}),
  'DELETE /api/v1/me/consents': () => ({}),
  'GET /api/v1/me/consents/{id}': () => ({ path: { id: CONSENT_ID } }),
  'DELETE /api/v1/me/consents/{id}': () => ({ path: { id: CONSENT_ID } }),
  'GET /api/v1/me/consents/{id}/receipt': () => ({ path: { id: CONSENT_ID } }),
  'GET /api/v1/me/activity': () => ({}),
  'GET /api/v1/me/delegations': () => ({}),
  'POST /api/v1/me/delegations': ({ name }) => ({ body: { to: name, until: '2999-01-01T00:00:00Z' } }),
  'DELETE /api/v1/me/delegations/{id}': () => ({ path: { id: `cd_${'a'.repeat(22)}` } }),
  'GET /api/v1/consents': () => ({ shows: true }),
  'DELETE /api/v1/consents': ({ name }) => ({ query: `?subject=user:${name}&reason=why` }),
  'GET /api/v1/consents/{id}': () => ({ path: { id: CONSENT_ID }, shows: true }),
  'DELETE /api/v1/consents/{id}': () => ({ path: { id: CONSENT_ID }, query: '?reason=why' }),
  'GET /api/v1/consents/{id}/receipt': () => ({ path: { id: CONSENT_ID } }),
  'GET /api/v1/approvals': () => ({}),
  'GET /api/v1/approvals/{id}': ({ request }) => ({ path: { id: request } }),
  'POST /api/v1/approvals/{id}/answer': ({ request }) => ({ path: { id: request }, body: ANSWER }),
  'DELETE /api/v1/approvals/{id}/answer': ({ request }) => ({ path: { id: request } }),
  'POST /access/v1/requests': (things) => ({
    as: 'host',
    body: { ...asked(things), denial: { evaluation_id: things.evaluation } },
  }),
  'GET /access/v1/requests/{id}': ({ request }) => ({ as: 'host', path: { id: request } }),
  'POST /access/v1/requests/{id}/cancel': ({ request }) => ({ as: 'host', path: { id: request } }),
  'GET /api/v1/me': () => ({}),
  'GET /api/v1/tenants': () => ({}),
  'POST /api/v1/tenants': ({ tenant }) => ({ body: { name: tenant } }),
  'GET /api/v1/tenants/{name}': ({ tenant }) => ({ path: { name: tenant } }),
  'DELETE /api/v1/tenants/{name}': ({ tenant }) => ({ path: { name: tenant }, query: `?export=${'0'.repeat(64)}` }),
  'PUT /api/v1/tenants/{name}/suspension': ({ tenant }) => ({ path: { name: tenant }, body: {} }),
  'DELETE /api/v1/tenants/{name}/suspension': ({ tenant }) => ({ path: { name: tenant } }),
  'PUT /api/v1/tenants/{name}/quotas': ({ tenant }) => ({ path: { name: tenant }, body: { documents: 0 } }),
  'POST /api/v1/tenants/{name}/owner-key': ({ tenant }) => ({ path: { name: tenant }, body: { reason: 'why' } }),
  'POST /api/v1/tenants/{name}/export': ({ tenant }) => ({ path: { name: tenant } }),
  'GET /.well-known/authzen-configuration': () => ({}),
  'GET /.well-known/placet-key-pattern': () => ({}),
  'POST /mcp/v1/decisions': ({ name }) => ({
    as: 'host',
    body: {
      subject: { type: 'user', id: name },
      server: name,
      direction: 'client_to_server',
      message: message(name),
    },
  }),
  'POST /mcp/v1/listings': ({ name }) => ({
    as: 'host',
    body: { subject: { type: 'user', id: name }, server: name, method: 'tools/list', result: { tools: [{ name }] } },
  }),
  'POST /access/v1/evaluation': (things) => ({ as: 'host', body: asked(things) }),
  'POST /access/v1/evaluations': (things) => ({ as: 'host', body: { ...asked(things), evaluations: [{}, {}] } }),
  'POST /access/v1/search/subject': (things) => ({
    as: 'host',
    body: { ...asked(things), subject: { type: 'user' } },
    shows: true,
  }),
  'POST /access/v1/search/resource': (things) => ({
    as: 'host',
    body: { ...asked(things), resource: { type: 'record' } },
    shows: true,
  }),
  'POST /access/v1/search/action': ({ name }) => ({
    as: 'host',
    body: { subject: { type: 'user', id: name }, resource: { type: 'record', id: name } },
  }),
  'POST /access/v1/filter': (things) => ({ as: 'host', body: { ...asked(things), resource: { type: 'record' } } }),
};
