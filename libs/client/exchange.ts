import type { ClientReasonCode } from './decision.js';
import { isJsonObject, own, type Json } from './json.js';

/** What came back: JSON with the status that was expected, or why it cannot be relied on. */
export type Reply =
  | {
      readonly body: Json;
      /** When the request that this answers was sent, by `performance.now()`. */
      readonly sentAt: number;
    }
  | Failure;

interface Failure {
  readonly failure: { readonly code: ClientReasonCode; readonly message: string };
}

interface ExchangeOptions {
  readonly url: string;
  readonly key: string;
  /** For everything: both tries, and reading the answer to its end. In ms. */
  readonly deadlineMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** One request to Placet. */
interface Sending {
  /** Default: POST. */
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON; left out: none. */
  readonly body?: unknown;
  /** Whether the same request may be sent a second time. */
  readonly mayRepeat: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The only one with which there is an answer; default 200. */
  readonly status?: number;
  /** How much longer than usual the answer may take, in ms. */
  readonly longerMs?: number;
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal | undefined;
}

/** Sends one request and reads one answer. Never rejects: whatever goes wrong is a Failure. */
export type Exchange = (sending: Sending) => Promise<Reply>;

/** A failure after which the same request may be sent once more: nobody can have decided it, or not for good. */
type Attempt = Reply & { readonly repeatable?: boolean };

/** Before a request is sent for the second time, in ms: a service that restarts needs a moment. */
const PAUSE = 50;

/** Talks to a Placet over HTTP. */
export function createExchange({ url, key, deadlineMs, fetch }: ExchangeOptions): Exchange {
  const base = url.replace(/\/+$/, '');
  return async (sending) => {
    const { body, mayRepeat, longerMs = 0 } = sending;
    const text = body === undefined ? null : written(body);
    if (text === undefined) return failure('pdp_refused', 'the request cannot be written as JSON');
    const attempt = (signal: AbortSignal): Promise<Attempt> => once({ fetch, base, key, sending, text, signal });
    const work = async (signal: AbortSignal): Promise<Reply> => {
      const first = await attempt(signal);
      if (!first.repeatable || !mayRepeat || signal.aborted) return first;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      return signal.aborted ? first : attempt(signal);
    };
    return withinDeadline(deadlineMs + longerMs, base, sending.signal, work);
  };
}

function written(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch {
    return undefined;
  }
}

/**
 * INVARIANT: resolves within the deadline whatever the work does: a `fetch` that ignores its signal is left behind, and
 * an answer that came while the host was busy past the deadline is too late.
 */
async function withinDeadline(
  deadlineMs: number,
  base: string,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply> {
  const tooLate = failure('pdp_unavailable', `Placet at ${base} did not answer within ${deadlineMs} ms`);
  const givenUp = failure('pdp_unavailable', 'the answer of Placet is not waited for any more');
  if (outer?.aborted) return givenUp;
  const began = performance.now();
  const controller = new AbortController();
  let end: (reply: Reply) => void = () => undefined;
  const ended = new Promise<Reply>((resolve) => {
    end = (reply) => {
      resolve(reply);
      controller.abort();
    };
  });
  const timer = setTimeout(() => end(tooLate), deadlineMs);
  const giveUp = () => end(givenUp);
  outer?.addEventListener('abort', giveUp);
  try {
    const reply = await Promise.race([work(controller.signal), ended]);
    return performance.now() - began > deadlineMs ? tooLate : reply;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', giveUp);
  }
}

interface Once extends Pick<ExchangeOptions, 'fetch' | 'key'> {
  readonly base: string;
  readonly sending: Sending;
  /** The body; null: none. */
  readonly text: string | null;
  readonly signal: AbortSignal;
}

async function once({ fetch, base, key, sending, text, signal }: Once): Promise<Attempt> {
  const { method = 'POST', path, headers = {}, status = 200 } = sending;
  const sentAt = performance.now();
  let response: Response;
  try {
    response = await fetch(base + path, {
      method,
      headers: {
        ...headers,
        Authorization: `Bearer ${key}`,
        ...(text === null ? {} : { 'Content-Type': 'application/json' }),
        Accept: 'application/json',
      },
      ...(text === null ? {} : { body: text }),
      // A redirect is answered by nobody whom the key was meant for.
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    return { ...failure('pdp_unavailable', `Placet at ${base} cannot be reached${codeOf(error)}`), repeatable: true };
  }
  try {
    return { ...(await read(response, base, status, sentAt)), repeatable: response.status === 503 };
  } catch (error) {
    return failure('pdp_unavailable', `the answer of Placet at ${base} ended before it was complete${codeOf(error)}`);
  }
}

async function read(response: Response, base: string, expected: number, sentAt: number): Promise<Reply> {
  const { status } = response;
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  const body = parse(await response.arrayBuffer());
  if (status !== expected) return refused(status, body, base);
  if (type !== 'application/json' || body === undefined) {
    return failure(
      'pdp_answer_invalid',
      `what answers at ${base} is no Placet, or not all of it came (${type || 'no content type'})`,
    );
  }
  return { body, sentAt };
}

function parse(bytes: ArrayBuffer): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}

/** An error answer by RFC 9457 says what to mend, and so does the client then. */
function refused(status: number, body: Json | undefined, base: string): Failure {
  const problem = isJsonObject(body) ? { code: own(body, 'code'), detail: own(body, 'detail') } : {};
  const known = typeof problem.code === 'string' && typeof problem.detail === 'string';
  const said = known ? `${problem.code as string}: ${problem.detail as string}` : `status ${status}`;
  if (status >= 500) return failure('pdp_unavailable', `Placet at ${base} cannot decide now (${said})`);
  if (status >= 400 && known) return failure('pdp_refused', `Placet refuses the request (${said})`);
  return failure('pdp_answer_invalid', `what answers at ${base} is no Placet (${said})`);
}

const failure = (code: ClientReasonCode, message: string): Failure => ({ failure: { code, message } });

/** What the system calls the cause of a failed fetch, as in ` (ECONNREFUSED)`. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? ` (${cause.code})` : '';
}
