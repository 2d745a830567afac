import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { BODY_LIMIT, checkContentType, parseJson, readBody, Refusal, requestIdOf } from '#http';
import type { Metrics } from '../operations/metrics.js';
import type { PlacetRequest } from './nest.js';
import { SECURITY_HEADERS } from './responses.js';
import { isScim, SCIM_TYPE } from './scim-errors.js';

/** Whole sets of documents may be larger than other bodies: 32 MiB. */
const DOCUMENT_SET_LIMIT = 32 * 1024 * 1024;

const DOCUMENT_SETS = /^\/api\/v1\/(documents\/(apply|validate)|drafts\/[^/]+)$/;

/** Gives each request its id, and counts it when it is done. */
export function requestContext(metrics: Metrics): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const began = performance.now();
    response.setHeader('X-Request-ID', requestIdOf(request));
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    // The page of the API's description has styles and scripts of its own; it holds nothing of anybody's.
    if (request.path.startsWith('/docs')) response.removeHeader('Content-Security-Policy');
    response.on('finish', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none';
      metrics.requested(route, response.statusCode, performance.now() - began);
    });
    next();
  };
}

/** Reads bodies by the same rules as the decision routes. A document may also come as YAML; its text is kept. */
export const requestBody: RequestHandler = (request: PlacetRequest, _response: Response, next: NextFunction) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  const hasBody =
    Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  if (!hasBody) {
    // Nothing, said to be of no type, is a body without members: every route has its own word on what it misses.
    if (request.headers['content-type'] === undefined) request.body = {};
    return next();
  }
  read(request).then(() => next(), next);
};

/** Forms of our own pages, and what identity providers post: 64 KiB. */
const FORM_LIMIT = 64 * 1024;

/** An answer of SAML: 256 KiB of XML, in base64 in a form. */
const ANSWER_LIMIT = 512 * 1024;

const ANSWERS = /^\/t\/[^/]+\/sign-in\/[^/]+\/callback$/;

const FORM = 'application/x-www-form-urlencoded';

/** Where forms are taken. Nothing below these paths changes by the cookie of a session alone: each form has a token. */
const FORMS = /^\/t\/[^/]+\/(sign-in|sign-out|requests)(\/|$)/;

async function read(request: PlacetRequest): Promise<void> {
  if (FORMS.test(request.path)) {
    checkContentType(request, [FORM]);
    request.body = parseForm(await readBody(request, ANSWERS.test(request.path) ? ANSWER_LIMIT : FORM_LIMIT));
    return;
  }
  const isDocument = request.method === 'PUT' && request.path.startsWith('/api/v1/documents/');
  const type = checkContentType(request, [
    'application/json',
    ...(isScim(request.path) ? [SCIM_TYPE] : []),
    ...(isDocument ? ['application/yaml', 'application/x-yaml', 'text/yaml'] : []),
  ]);
  const bytes = await readBody(request, DOCUMENT_SETS.test(request.path) ? DOCUMENT_SET_LIMIT : BODY_LIMIT);
  if (type === 'application/json' || type === SCIM_TYPE) request.body = parseJson(bytes);
  if (isDocument) request.text = bytes.toString('utf8');
}

/** The members of a form; one that is there twice is refused, as with JSON. */
function parseForm(bytes: Buffer): Record<string, string> {
  const members = [...new URLSearchParams(bytes.toString('utf8'))];
  const form = Object.fromEntries(members);
  if (Object.keys(form).length === members.length) return form;
  throw new Refusal('invalid_request', 'the form has the same field twice');
}
