import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { partyOf, TokenRefused } from '#identity';
import { SECURITY_HEADERS } from '../http/responses.js';
import type { Log } from '../operations/log.js';
import { AttemptLimit } from './attempt-limit.js';
import { DEVICE_CODE_GRANT, JWT_BEARER_GRANT, OFFERED_SCOPES, ROUTES } from './endpoints.js';
import { LIFETIMES } from './lifetimes.js';
import type { AuthorizationServer } from './providers.js';
import { readForm, requestFor, sendOAuthError } from './requests.js';
import { AssertionRefused, type Workloads } from './workloads.js';

/** An attempt at an endpoint where somebody proves who they are, or guesses. */
export interface EndpointAttempt {
  readonly endpoint: keyof typeof ROUTES;
  readonly tenant: string;
  readonly client: string | undefined;
  readonly address: string;
}

/** Keeps attempts within limits. */
export interface EndpointGuard {
  /** How many seconds there must be no such attempt; 0: it may be made now. */
  waitFor(attempt: EndpointAttempt): number;
  /** It was refused. */
  failed(attempt: EndpointAttempt): void;
}

export interface FormParts {
  readonly workloads: Workloads;
  /** Takes note of the workload that a request has proven to be of. */
  readonly noteWorkload: (request: IncomingMessage, client: string) => void;
  readonly guard: EndpointGuard;
  readonly addressOf: (request: IncomingMessage) => string;
  /** How long a device is told to wait between two questions for its tokens. */
  readonly devicePollSeconds: number;
  readonly log: Log;
}

/** Endpoints that take forms. */
export const FORMS = {
  [ROUTES.token]: 'token',
  [ROUTES.introspection]: 'introspection',
  [ROUTES.revocation]: 'revocation',
  [ROUTES.device_authorization]: 'device_authorization',
} as const;

/** One of them. */
export type FormEndpoint = (typeof FORMS)[keyof typeof FORMS];

/**
 * Sign-ins of devices that one party may begin in a while: nobody has proven anything yet, and each is kept for as long as
 * its code is good.
 */
const BEGUN_BY_ADDRESS = [100, LIFETIMES.deviceCode * 1000] as const;

/** How much sooner than it was told to a device may ask: timers and networks are not exact. */
const POLL_TOLERANCE = 0.6;

/** Reads forms, keeps attempts within limits, and hands on to the authorization server what it is to answer. */
export class OAuthForms {
  /** When devices last asked, by digests of their codes. */
  readonly #polls = new Map<string, number>();
  readonly #begun = new AttemptLimit(...BEGUN_BY_ADDRESS);
  /** Whose assertion it is that stands in a request. */
  readonly #workload = new WeakMap<IncomingMessage, string>();

  constructor(private readonly parts: FormParts) {}

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    server: AuthorizationServer,
    endpoint: FormEndpoint,
  ): Promise<void> {
    const form = await readForm(request);
    const client = form.get('client_id') ?? clientOfBasic(request.headers.authorization);
    const attempt = { endpoint, tenant: server.tenant, client, address: this.parts.addressOf(request) };
    const wait = this.parts.guard.waitFor(attempt) || this.#waitToBegin(attempt);
    if (wait > 0) {
      const headers = { 'Retry-After': String(Math.ceil(wait)) };
      return sendOAuthError(response, 429, 'temporarily_unavailable', 'too many attempts: wait', headers);
    }
    if (await this.#answered(request, response, server, endpoint, form)) {
      if (response.statusCode !== 200) this.parts.guard.failed(attempt);
      return;
    }
    const { issuer } = server.endpoints;
    const copy = requestFor(request, { mountPath: new URL(issuer).pathname, path: ROUTES[endpoint], form });
    const workload = this.#workload.get(request);
    if (workload !== undefined) this.parts.noteWorkload(copy, workload);
    for (const [header, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(header, value);
    await server.handle(copy, response);
    // Devices that wait for their person are told so with an error, and do nothing wrong.
    if (response.statusCode >= 400 && form.get('grant_type') !== DEVICE_CODE_GRANT) this.parts.guard.failed(attempt);
  }

  /** In seconds. Counts what begins now. */
  #waitToBegin({ endpoint, address }: EndpointAttempt): number {
    if (endpoint !== 'device_authorization') return 0;
    const party = partyOf(address);
    if (!this.#begun.allows(party)) return LIFETIMES.deviceCode;
    this.#begun.count(party);
    return 0;
  }

  /** Completes a form, or answers it where that is all that there is to it. */
  async #answered(
    request: IncomingMessage,
    response: ServerResponse,
    server: AuthorizationServer,
    endpoint: FormEndpoint,
    form: URLSearchParams,
  ): Promise<boolean> {
    const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    if (scopes.some((scope) => !(OFFERED_SCOPES as readonly string[]).includes(scope))) {
      sendOAuthError(response, 400, 'invalid_scope', `scopes are ${OFFERED_SCOPES.join(', ')}`);
      return true;
    }
    const grant = form.get('grant_type');
    if (isOfDevices(endpoint, grant) && !(await server.letsDevicesIn())) {
      sendOAuthError(response, 400, 'unauthorized_client', 'device sign-in is switched off in this tenant');
      return true;
    }
    if (endpoint === 'device_authorization' && scopes.length === 0) form.set('scope', 'administer');
    if (endpoint !== 'token') return false;
    if (grant === DEVICE_CODE_GRANT && this.#pollsTooOften(form.get('device_code') ?? '')) {
      const seconds = this.parts.devicePollSeconds;
      sendOAuthError(response, 400, 'slow_down', `wait ${seconds} seconds between two questions`);
      return true;
    }
    if (scopes.length === 0 && (grant === 'client_credentials' || grant === JWT_BEARER_GRANT))
      form.set('scope', 'decide');
    return grant === JWT_BEARER_GRANT && !(await this.#identified(request, response, server, form));
  }

  /** Finds out whose assertion it is: the client need not say who it is. */
  async #identified(
    request: IncomingMessage,
    response: ServerResponse,
    server: AuthorizationServer,
    form: URLSearchParams,
  ): Promise<boolean> {
    const { workloads, log } = this.parts;
    try {
      const address = this.parts.addressOf(request);
      const assertion = form.get('assertion') ?? '';
      const client = await workloads.identify(server.tenant, assertion, server.endpoints, address);
      const named = form.get('client_id');
      if (named !== null && named !== client) throw new AssertionRefused('it is of another client');
      form.set('client_id', client);
      this.#workload.set(request, client);
      return true;
    } catch (error) {
      if (!(error instanceof TokenRefused || error instanceof AssertionRefused)) throw error;
      const detail = error instanceof TokenRefused ? error.detail : error.message;
      log.warn('assertion refused', { tenant: server.tenant, detail });
      sendOAuthError(response, 400, 'invalid_grant', 'the assertion is not good here');
      return false;
    }
  }

  #pollsTooOften(deviceCode: string): boolean {
    const digest = hash('sha256', deviceCode, 'base64url');
    const now = performance.now();
    const last = this.#polls.get(digest) ?? -Infinity;
    if (this.#polls.size >= 10_000) this.#polls.clear();
    this.#polls.set(digest, now);
    return now - last < this.parts.devicePollSeconds * 1000 * (1 - POLL_TOLERANCE);
  }
}

/** Refresh tokens are given to devices only. */
const isOfDevices = (endpoint: EndpointAttempt['endpoint'], grant: string | null): boolean =>
  endpoint === 'device_authorization' ||
  (endpoint === 'token' && (grant === DEVICE_CODE_GRANT || grant === 'refresh_token'));

/** The name in HTTP Basic, to count by; whether it is true is found out later. */
function clientOfBasic(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([^ ]+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
}
