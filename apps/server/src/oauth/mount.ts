import { hash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Refusal, requestIdOf, toProblem, traceOf } from '#http';
import { partyOf, TokenRefused } from '#identity';
import type { PublicAddress } from '../http/public-address.js';
import { SECURITY_HEADERS, sendProblem } from '../http/responses.js';
import type { Log } from '../operations/log.js';
import type { Metrics } from '../operations/metrics.js';
import type { DevicePages } from './device-pages.js';
import {
  DEVICE_CODE_GRANT,
  endpointsOf,
  JWT_BEARER_GRANT,
  OFFERED_SCOPES,
  resourceMetadata,
  ROUTES,
  serverMetadata,
} from './endpoints.js';
import { AttemptLimit } from './attempt-limit.js';
import { LIFETIMES } from './lifetimes.js';
import type { AuthorizationServer, Providers } from './providers.js';
import { FormError, readForm, requestFor, sendOAuth, sendOAuthError } from './requests.js';
import type { SigningKeys } from './signing-keys.js';
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

export interface MountParts {
  readonly providers: Providers;
  readonly pages: DevicePages;
  readonly signingKeys: SigningKeys;
  readonly workloads: Workloads;
  /** Takes note of the workload that a request has proven to be of. */
  readonly noteWorkload: (request: IncomingMessage, client: string) => void;
  readonly guard: EndpointGuard;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly address: PublicAddress;
  /** How long a device is told to wait between two questions for its tokens. */
  readonly devicePollSeconds: number;
  /** The tenant of which the metadata speak where no tenant is named. */
  readonly homeTenant: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

const OF_TENANT = /^\/t\/([a-z0-9][a-z0-9_-]{0,62})(\/(?:oauth\/[a-z/]+|\.well-known\/openid-configuration))$/;
const INSERTED =
  /^\/\.well-known\/(oauth-authorization-server|openid-configuration|oauth-protected-resource)\/t\/([a-z0-9][a-z0-9_-]{0,62})$/;
const RESOURCE = '/.well-known/oauth-protected-resource';

/** Endpoints that take forms. */
const FORMS = {
  [ROUTES.token]: 'token',
  [ROUTES.introspection]: 'introspection',
  [ROUTES.revocation]: 'revocation',
  [ROUTES.device_authorization]: 'device_authorization',
} as const;

/**
 * Sign-ins of devices that one party may begin in a while: nobody has proven anything yet, and each is kept for as long as
 * its code is good.
 */
const BEGUN_BY_ADDRESS = [100, LIFETIMES.deviceCode * 1000] as const;

/** How much sooner than it was told to a device may ask: timers and networks are not exact. */
const POLL_TOLERANCE = 0.6;

/** Serves the authorization servers of all tenants, before Nest. */
export class OAuthMount {
  /** When devices last asked, by digests of their codes. */
  readonly #polls = new Map<string, number>();
  readonly #begun = new AttemptLimit(...BEGUN_BY_ADDRESS);
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(private readonly parts: MountParts) {}

  /** Handles what is ours, and hands on the rest. */
  before(next: RequestListener): RequestListener {
    return (request, response) => {
      const path = pathOf(request);
      if (!path.startsWith('/t/') && !path.startsWith('/.well-known/oauth') && !path.startsWith('/.well-known/openid'))
        return next(request, response);
      const [, name, within] = OF_TENANT.exec(path) ?? [];
      const [, document, of] = INSERTED.exec(path) ?? [];
      if (path === RESOURCE) return void this.#run(request, response, path, async () => this.#resource(response));
      if (name !== undefined)
        return void this.#run(request, response, `/t/:tenant${within!}`, () =>
          this.#serve(request, response, name, within!),
        );
      if (of !== undefined)
        return void this.#run(request, response, '/.well-known', () =>
          this.#metadata(request, response, of, document!),
        );
      return next(request, response);
    };
  }

  /** Resolves when no request is under way. */
  async drain(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    route: string,
    work: () => Promise<void>,
  ): Promise<void> {
    this.#underWay++;
    const began = performance.now();
    const requestId = requestIdOf(request);
    response.setHeader('X-Request-ID', requestId);
    try {
      await work();
    } catch (error) {
      const problem = error instanceof FormError ? undefined : toProblem(error);
      if (!problem) sendOAuthError(response, 400, 'invalid_request', (error as Error).message);
      else {
        sendProblem(response, error, this.parts.address.url);
        this.parts.log.failed(error, problem, { requestId, trace: traceOf(request), path: route });
      }
    } finally {
      this.parts.metrics.requested(route, response.statusCode, performance.now() - began);
      if (--this.#underWay === 0) this.#idle?.();
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, name: string, path: string): Promise<void> {
    const endpoint = FORMS[path as keyof typeof FORMS] as (typeof FORMS)[keyof typeof FORMS] | undefined;
    if (path === ROUTES.code_verification) {
      allow(request, 'GET', 'HEAD', 'POST');
      return this.parts.pages.handle(request, response, await this.#server(name));
    }
    if (endpoint !== undefined) {
      allow(request, 'POST');
      return this.#form(request, response, await this.#server(name), endpoint);
    }
    allow(request, 'GET', 'HEAD');
    if (path === ROUTES.jwks) {
      const { tenant } = await this.#server(name);
      return sendPublic(response, await this.parts.signingKeys.published(tenant));
    }
    if (path === '/.well-known/openid-configuration')
      return this.#metadata(request, response, name, 'openid-configuration');
    throw new Refusal('not_found', `there is no ${path}`);
  }

  async #metadata(request: IncomingMessage, response: ServerResponse, name: string, document: string): Promise<void> {
    allow(request, 'GET', 'HEAD');
    const { endpoints, letsDevicesIn } = await this.#server(name);
    if (document !== 'oauth-protected-resource')
      return sendPublic(response, serverMetadata(endpoints, await letsDevicesIn()));
    sendPublic(response, resourceMetadata(this.parts.address.url, endpoints.issuer, endpoints.issuer));
  }

  #resource(response: ServerResponse): void {
    const { address, homeTenant } = this.parts;
    sendPublic(response, resourceMetadata(address.url, address.url, endpointsOf(address.url, homeTenant).issuer));
  }

  async #server(name: string): Promise<AuthorizationServer> {
    const server = await this.parts.providers.named(name);
    if (!server) throw new Refusal('not_found', 'there is no such tenant');
    return server;
  }

  async #form(
    request: IncomingMessage,
    response: ServerResponse,
    server: AuthorizationServer,
    endpoint: (typeof FORMS)[keyof typeof FORMS],
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

  readonly #workload = new WeakMap<IncomingMessage, string>();

  /** Completes a form, or answers it where that is all that there is to it. */
  async #answered(
    request: IncomingMessage,
    response: ServerResponse,
    server: AuthorizationServer,
    endpoint: (typeof FORMS)[keyof typeof FORMS],
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

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function allow({ method = '' }: IncomingMessage, ...methods: readonly string[]): void {
  if (!methods.includes(method)) throw new Refusal('method_not_allowed', `this takes ${methods.join(', ')} only`);
}

/** The name in HTTP Basic, to count by; whether it is true is found out later. */
function clientOfBasic(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([^ ]+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
}

/** Metadata and public keys may be kept, and read from everywhere. */
const sendPublic = (response: ServerResponse, body: object): void =>
  sendOAuth(response, 200, body, { 'Cache-Control': 'max-age=300', 'Access-Control-Allow-Origin': '*' });
