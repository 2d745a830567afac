import { hash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type z } from 'zod';
import { BODY_LIMIT, checkContentType, parseJson, readBody, Refusal, requestIdOf, traceOf, type Problem } from '#http';
import { findings, placeOf, PLAIN_WORDS, type Finding } from '#policy';
import type { ClientAddresses } from '../http/client-address.js';
import type { LastUses } from '../http/last-uses.js';
import type { Gate } from '../http/gate.js';
import type { PublicAddress } from '../http/public-address.js';
import { sendJson, sendProblem } from '../http/responses.js';
import type { Log } from '../operations/log.js';
import type { Metrics } from '../operations/metrics.js';
import type { Caller } from '../http/gate.js';

/** What a route knows of its request besides the body. */
export interface FrontRequest extends Caller {
  readonly requestDigest: string;
  readonly trace: string | undefined;
  /** By which the caller knows a request again that it has sent before. */
  readonly idempotencyKey: string | undefined;
}

/** A decision route: its body's schema, and what it answers. */
export interface FrontRoute<Body extends z.ZodType = z.ZodType> {
  readonly path: string;
  readonly body: Body;
  /** Of an answer that is no error; 200 if left out. */
  readonly status?: number;
  answer(body: z.output<Body>, request: FrontRequest): Promise<unknown>;
  /** How this front's own standard wants errors to look. */
  adapt?(problem: Problem): Problem;
}

/** Says that a route's parts belong together; the types are forgotten afterwards. */
export const frontRoute = <Body extends z.ZodType>(route: FrontRoute<Body>): FrontRoute => route;

/**
 * The decision routes, handled before Nest: they are asked tens of thousands of times a second, and half of that would
 * go into routing. The rules are those of every other route: authentication, type, size, strict JSON, one error format.
 */
export class FrontDoor {
  readonly #routes: ReadonlyMap<string, FrontRoute>;
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(
    routes: readonly FrontRoute[],
    private readonly gate: Gate,
    private readonly addresses: ClientAddresses,
    private readonly uses: LastUses,
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly address: PublicAddress,
  ) {
    this.#routes = new Map(routes.map((route) => [route.path, route]));
  }

  /** Handles what is ours, and hands on the rest. */
  before(next: RequestListener): RequestListener {
    return (request, response) => {
      const route = this.#routes.get(pathOf(request));
      if (!route) return next(request, response);
      void this.#handle(route, request, response);
    };
  }

  /** Resolves when no request is under way. */
  async drain(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #handle(route: FrontRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++;
    const began = performance.now();
    const requestId = requestIdOf(request);
    const headers = { 'X-Request-ID': requestId };
    const address = this.addresses.of(request);
    let status = 500;
    try {
      status = route.status ?? 200;
      sendJson(response, status, await this.#answer(route, request, address), headers);
    } catch (thrown) {
      const error = this.gate.told(thrown, address);
      const problem = sendProblem(response, error, this.address.url, headers, route.adapt?.bind(route));
      status = problem.status;
      this.log.failed(error, problem, { requestId, trace: traceOf(request), path: route.path });
    } finally {
      this.metrics.requested(route.path, status, performance.now() - began);
      if (--this.#underWay === 0) this.#idle?.();
    }
  }

  async #answer(route: FrontRoute, request: IncomingMessage, address: string): Promise<unknown> {
    if (request.method !== 'POST') throw new Refusal('method_not_allowed', `${route.path} takes POST only`);
    const caller = await this.gate.callerOf(request.headers.authorization, address);
    checkContentType(request, ['application/json']);
    const bytes = await readBody(request, BODY_LIMIT);
    const value = parseJson(bytes);
    const parsed = route.body.safeParse(value, PLAIN_WORDS);
    if (!parsed.success) throw invalid(parsed.error, value);
    const known: FrontRequest = {
      ...caller,
      requestDigest: hash('sha256', bytes),
      trace: traceOf(request),
      idempotencyKey: idempotencyKeyOf(request),
    };
    const answer = await route.answer(parsed.data, known);
    this.uses.used(caller.tenant, caller.key.id);
    return answer;
  }
}

/** An Idempotency-Key of 1 to 255 printable characters (draft-ietf-httpapi-idempotency-key-header). Throws Refusal for others. */
function idempotencyKeyOf({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key))) return key;
  throw new Refusal('invalid_request', 'Idempotency-Key: 1 to 255 printable characters');
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** More mistakes than this in one body are not told. */
const MAX_ERRORS = 100;

/** What a schema finds wrong with a value, as one sentence and as a list. */
export function invalid(error: z.ZodError, value: unknown): Refusal {
  const found = findings(error, value).slice(0, MAX_ERRORS);
  return new Refusal('invalid_request', sentence(found[0]!), {
    errors: found.map((finding) => ({ path: placeOf(finding.path), message: finding.message })),
  });
}

function sentence({ path, message, about }: Finding): string {
  if (path.length === 0) return `the body: ${message}`;
  // That a member is missing, or not known, is told of what it would be in.
  const where = placeOf(about === 'missing' || about === 'unknown' ? path.slice(0, -1) : path);
  return where === '' ? message : `${where}: ${message}`;
}
