import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Refusal, requestIdOf, toProblem, traceOf } from '#http';
import type { PublicAddress } from '../http/public-address.js';
import { sendProblem } from '../http/responses.js';
import type { Metrics } from '../operations/metrics.js';
import type { DevicePages } from './device-pages.js';
import { endpointsOf, RECEIPT_KEYS, resourceMetadata, ROUTES, serverMetadata } from './endpoints.js';
import { FORMS, OAuthForms, type FormEndpoint, type FormParts } from './forms.js';
import type { AuthorizationServer, Providers } from './providers.js';
import { FormError, sendOAuth, sendOAuthError } from './requests.js';
import type { SigningKeys } from './signing-keys.js';

export interface MountParts extends FormParts {
  readonly providers: Providers;
  readonly pages: DevicePages;
  readonly signingKeys: SigningKeys;
  readonly address: PublicAddress;
  /** The tenant of which the metadata speak where no tenant is named. */
  readonly homeTenant: string;
  readonly metrics: Metrics;
}

const OF_TENANT = /^\/t\/([a-z0-9][a-z0-9_-]{0,62})(\/(?:oauth\/[a-z/]+|\.well-known\/openid-configuration))$/;
const INSERTED =
  /^\/\.well-known\/(oauth-authorization-server|openid-configuration|oauth-protected-resource)\/t\/([a-z0-9][a-z0-9_-]{0,62})$/;
const RESOURCE = '/.well-known/oauth-protected-resource';

/** Serves the authorization servers of all tenants, before Nest. */
export class OAuthMount {
  readonly #forms: OAuthForms;
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(private readonly parts: MountParts) {
    this.#forms = new OAuthForms(parts);
  }

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
    const endpoint = FORMS[path as keyof typeof FORMS] as FormEndpoint | undefined;
    if (path === ROUTES.code_verification) {
      allow(request, 'GET', 'HEAD', 'POST');
      return this.parts.pages.handle(request, response, await this.#server(name));
    }
    if (endpoint !== undefined) {
      allow(request, 'POST');
      return this.#forms.handle(request, response, await this.#server(name), endpoint);
    }
    allow(request, 'GET', 'HEAD');
    if (path === ROUTES.jwks) {
      const { tenant } = await this.#server(name);
      return sendPublic(response, await this.parts.signingKeys.published(tenant));
    }
    if (path === RECEIPT_KEYS) {
      const { tenant } = await this.#server(name);
      return sendPublic(response, await this.parts.signingKeys.ofReceipts(tenant));
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
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function allow({ method = '' }: IncomingMessage, ...methods: readonly string[]): void {
  if (!methods.includes(method)) throw new Refusal('method_not_allowed', `this takes ${methods.join(', ')} only`);
}

/** Metadata and public keys may be kept, and read from everywhere. */
const sendPublic = (response: ServerResponse, body: object): void =>
  sendOAuth(response, 200, body, { 'Cache-Control': 'max-age=300', 'Access-Control-Allow-Origin': '*' });
