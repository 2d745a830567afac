import type { LookupAddress, LookupOptions } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isReachable, type Reach } from './addresses.js';

/** A request that was not made, or came to nothing. The message is for the log: it names hosts. */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError';
}

/** What can be sent besides headers. */
type Body = ConstructorParameters<typeof Response>[0];

/** What a request is made of besides its URL. */
export interface OutgoingOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly signal?: AbortSignal | null | undefined;
}

/** Asks for every address of a name. */
type Resolve = (
  name: string,
  how: LookupOptions,
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** Where a request may lead, and how names on the way are looked up. */
export interface WayOut {
  readonly reach: Reach;
  readonly resolve: Resolve;
  /** Says of an address out of reach what is not looked for there, and which setting says so. */
  readonly beyond: string;
}

const TIME_LIMIT_MS = 5000;
const SIZE_LIMIT = 1024 * 1024;

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Whether a URL is on this machine by the names that are no matter of DNS. */
export const isLoopbackUrl = (url: string): boolean => LOOPBACK_NAMES.includes(new URL(url).hostname);

/**
 * Sends one request by a way out: by https (plain http leads to this machine only), on a connection of its own, to addresses
 * that are looked at after names were resolved, for five seconds and a megabyte at most. Throws OutgoingError.
 */
export async function sendOut(url: URL, options: OutgoingOptions, way: WayOut): Promise<Response> {
  const { method = 'GET', headers = {}, body, signal } = options;
  checkUrl(url, way);
  const bytes = body === undefined || body === null ? undefined : Buffer.from(await new Response(body).arrayBuffer());
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  const answer = await answerOf(
    url,
    {
      method,
      headers: { ...headers, 'Accept-Encoding': 'identity', ...(bytes ? { 'Content-Length': bytes.length } : {}) },
      // A connection that was made for one target must not serve another, whose reach may be less.
      agent: false,
      lookup: (name, how, done) => lookup(name, how, way, done),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    },
    bytes,
  );
  return responseOf(url, answer, await contentOf(url, answer));
}

/** Plain http leads no further than this machine; names are looked at again when they are resolved. */
function checkUrl(url: URL, way: WayOut): void {
  const isPlain = url.protocol === 'http:' && way.reach.loopback && LOOPBACK_NAMES.includes(url.hostname);
  if (url.protocol !== 'https:' && !isPlain) throw new OutgoingError(`${url.origin}: only https leads out`);
  if (url.username !== '' || url.password !== '') throw new OutgoingError(`${url.host}: a URL has no password`);
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) checkAddress(url.hostname, address, way);
}

function checkAddress(name: string, address: string, { reach, beyond }: WayOut): void {
  if (!isReachable(address, reach)) throw new OutgoingError(`${name} is at ${address}, ${beyond}`);
}

type Resolved = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Resolves a name, and refuses it if one of its addresses is out of reach: the connection goes to what was looked at. */
function lookup(name: string, how: LookupOptions, way: WayOut, done: Resolved): void {
  way.resolve(name, how, (error, addresses) => {
    if (error) return done(error, '');
    try {
      if (addresses.length === 0) throw new OutgoingError(`${name} has no address`);
      for (const { address } of addresses) checkAddress(name, address, way);
    } catch (refused) {
      return done(refused as Error, '');
    }
    if (how.all === true) return done(null, addresses);
    done(null, addresses[0]!.address, addresses[0]!.family);
  });
}

function answerOf(url: URL, options: RequestOptions, bytes: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options, resolve);
    request.on('error', (error) => reject(asOutgoing(url, error)));
    request.end(bytes);
  });
}

function contentOf(url: URL, answer: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= SIZE_LIMIT) chunks.push(chunk);
      else answer.destroy(new OutgoingError(`${url.host} answers with more than ${SIZE_LIMIT} bytes`));
    });
    answer.on('end', () => resolve(Buffer.concat(chunks, size)));
    answer.on('error', (error) => reject(asOutgoing(url, error)));
    answer.on('close', () => reject(new OutgoingError(`${url.host} broke off`)));
  });
}

const asOutgoing = (url: URL, error: Error): OutgoingError =>
  error instanceof OutgoingError ? error : new OutgoingError(`${url.host}: ${error.message}`, { cause: error });

/** Statuses whose answers have no body. */
const EMPTY: readonly number[] = [204, 205, 304];

function responseOf(url: URL, { statusCode = 0, headers }: IncomingMessage, content: Buffer): Response {
  if (statusCode < 200 || statusCode > 599) throw new OutgoingError(`${url.host} answers with status ${statusCode}`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new OutgoingError(`${url.host} answers in an encoding that was not asked for`);
  }
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  return new Response(EMPTY.includes(statusCode) ? null : new Uint8Array(content), {
    status: statusCode,
    headers: list,
  });
}
