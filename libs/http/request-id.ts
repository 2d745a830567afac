import type { IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';

/** The id of a request: the caller's, if it is printable and not too long, else one of ours. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\x20-\x7e]{1,512}$/.test(given) ? given : randomUUID();
}

/** The trace that a request belongs to (W3C Trace Context, `traceparent`); undefined for none, or for a malformed one. */
export function traceOf(request: IncomingMessage): string | undefined {
  const given = request.headers.traceparent;
  if (typeof given !== 'string' || !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given)) return undefined;
  return /^00-0{32}|^00-.{32}-0{16}/.test(given) ? undefined : given;
}
