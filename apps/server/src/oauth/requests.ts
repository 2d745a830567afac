import { IncomingMessage, type ServerResponse } from 'node:http';
import { readBody } from '#http';
import { SECURITY_HEADERS } from '../http/responses.js';

/** Largest form that is read, in bytes. */
const FORM_LIMIT = 48 * 1024;

/** Parameters that must not come twice: which of them counts, two readers could see differently. */
const SINGLE = ['grant_type', 'client_id', 'assertion', 'scope', 'device_code', 'user_code', 'xsrf', 'answer'];

/** A form that cannot be read. */
export class FormError extends Error {
  override readonly name = 'FormError';
}

/** Reads a form (`application/x-www-form-urlencoded`). Throws FormError and BodyError. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  if (type!.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new FormError('the content type must be application/x-www-form-urlencoded');
  const form = new URLSearchParams((await readBody(request, FORM_LIMIT)).toString('utf8'));
  const twice = SINGLE.find((name) => form.getAll(name).length > 1);
  if (twice !== undefined) throw new FormError(`${twice} is there twice`);
  return form;
}

/**
 * A request as the authorization server is to see it: under the tenant's path, with a form that was read already, and
 * without headers in which a proxy or a client could say what address it has.
 */
export function requestFor(
  request: IncomingMessage & { originalUrl?: string },
  { mountPath, path, form }: { readonly mountPath: string; readonly path: string; readonly form?: URLSearchParams },
): IncomingMessage {
  const copy = new IncomingMessage(request.socket) as IncomingMessage & { originalUrl?: string };
  copy.method = request.method;
  copy.httpVersion = request.httpVersion;
  copy.url = path;
  copy.originalUrl = mountPath + path;
  const { forwarded: _, 'x-forwarded-host': __, 'x-forwarded-proto': ___, ...headers } = request.headers;
  copy.headers = headers;
  if (form) {
    const bytes = Buffer.from(form.toString());
    copy.headers = { ...headers, 'content-length': String(bytes.length) };
    delete copy.headers['transfer-encoding'];
    copy.push(bytes);
  }
  copy.push(null);
  copy.complete = true;
  return copy;
}

/** Answers in the form that OAuth has for errors (RFC 6749, section 5.2). */
export function sendOAuthError(
  response: ServerResponse,
  status: number,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendOAuth(response, status, { error, error_description: description }, headers);
}

export function sendOAuth(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    ...(status === 413 ? { Connection: 'close' } : {}),
    ...headers,
  });
  response.end(text);
}
