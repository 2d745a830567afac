import {
  Catch,
  createParamDecorator,
  HttpException,
  Injectable,
  type ArgumentMetadata,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { Refusal, requestIdOf, traceOf } from '#http';
import type { ConnectorPrincipal, Principal } from '#identity';
import { PLAIN_WORDS } from '#policy';
import { profileProblem, REQUESTS_PATH } from '../fronts/authzen/access-request.js';
import { invalid } from '../fronts/front-door.js';
import type { Log } from '../operations/log.js';
import type { Authenticator } from './authenticator.js';
import type { PublicAddress } from './public-address.js';
import type { ClientAddresses } from './client-address.js';
import { sendProblem } from './responses.js';
import { checkRight, RIGHT, type Right } from './rights.js';
import { isScim, SCIM_TYPE, scimAnswer } from './scim-errors.js';

/** A request of ours on its way through Nest. */
export interface PlacetRequest extends Request {
  principal?: Principal;
  connector?: ConnectorPrincipal;
  /** The body as it came, where it is read as a text. */
  text?: string;
}

/** The principal of the call. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<PlacetRequest>();
  if (!principal) throw new Error('a public route has no principal');
  return principal;
});

/** The connector of the call, where the route takes no other caller. */
export const CallingConnector = createParamDecorator(
  (_data: unknown, context: ExecutionContext): ConnectorPrincipal => {
    const { connector } = context.switchToHttp().getRequest<PlacetRequest>();
    if (!connector) throw new Error('a route that is not for connectors has none');
    return connector;
  },
);

/** The body as a text, for documents: their mistakes are told by line and column. */
export const BodyText = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  return context.switchToHttp().getRequest<PlacetRequest>().text ?? '';
});

/** What a request makes its effect depend on: `If-Match` and `If-None-Match`, as they came. */
export interface RequestConditions {
  readonly match: string | undefined;
  readonly none: string | undefined;
}

export const Conditions = createParamDecorator((_data: unknown, context: ExecutionContext): RequestConditions => {
  const { headers } = context.switchToHttp().getRequest<PlacetRequest>();
  return { match: headers['if-match'], none: headers['if-none-match'] };
});

/** Lets a call through to a route if whoever calls has the right that the route declares. */
@Injectable()
export class RightsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly addresses: ClientAddresses,
    /** The tenant whose operators manage the tenants. */
    private readonly home: string,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const right = this.reflector.getAllAndOverride<Right | undefined>(RIGHT, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (right === undefined) throw new Error('a route that declares no right');
    if (right === 'public') return true;
    const request = context.switchToHttp().getRequest<PlacetRequest>();
    if (right === 'connector') {
      request.connector = await this.authenticator.connectorOf(request, this.addresses.of(request));
      return true;
    }
    const principal = await this.authenticator.principalOf(request, this.addresses.of(request));
    request.principal = principal;
    if (right === 'any-caller') return true;
    if (principal.kind === 'host') {
      if (right.hosts) return true;
      throw new Refusal('not_an_administrator', 'the key of a host cannot administer');
    }
    if (right.on.includes('Tenancy') && principal.tenant !== this.home)
      throw new Refusal('forbidden', 'tenants are managed from the home tenant');
    checkRight(principal, right);
    return true;
  }
}

/**
 * Checks a parameter against the schema that its decorator names. Nest's own pipe would delete `__proto__`,
 * `constructor` and `prototype` from the body first.
 */
@Injectable()
export class SchemaPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (!schema) {
      if (type === 'custom') return value;
      throw new Error('a parameter without a schema');
    }
    const parsed = await (schema as z.ZodType).safeParseAsync(value, PLAIN_WORDS);
    if (parsed.success) return parsed.data;
    throw invalid(parsed.error, value);
  }
}

/** Turns whatever a route throws into a problem. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly address: PublicAddress,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const known = error instanceof HttpException ? asRefusal(error, request) : error;
    const requestId = String(response.getHeader('X-Request-ID') ?? requestIdOf(request));
    const scim = isScim(request.path) ? scimAnswer(known) : undefined;
    const adapt = request.path.startsWith(`${REQUESTS_PATH}/`) ? profileProblem : undefined;
    const problem = sendProblem(
      response,
      known,
      this.address.url,
      { 'X-Request-ID': requestId, ...(scim ? { 'Content-Type': SCIM_TYPE } : {}) },
      adapt,
      scim,
    );
    this.log.failed(known, problem, { requestId, trace: traceOf(request), path: request.path });
  }
}

/** What the framework itself refuses: a route that is not there, or a URL that cannot be decoded. */
function asRefusal(error: HttpException, request: Request): unknown {
  const status = error.getStatus();
  if (status === 404) return new Refusal('not_found', `there is no ${request.method} ${request.path}`);
  return status < 500 ? new Refusal('invalid_request', error.message) : error;
}
