import { readClientSettings } from '#config';
import { parseApiKey } from '#identity';
import { CommandError } from './command-error.js';
import { KeptSignIns } from './kept-sign-ins.js';
import { placed, type Placed } from './output.js';
import { refresh } from './sign-in.js';

export { CommandError };

/** What the service answers when it refuses a call (RFC 9457). */
interface ProblemBody {
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly Placed[];
}

/** The service's API, with the URL and the key out of the environment. */
export class Api {
  readonly #url: string;
  readonly #bearer: () => Promise<string>;
  readonly #hints: Hints;

  constructor({ url, key, configDirectory } = readClientSettings()) {
    this.#url = url;
    this.#hints = key === undefined ? OF_SIGN_INS : OF_KEYS;
    if (key === undefined) {
      const kept = new KeptSignIns(configDirectory);
      if (!kept.of(url)) {
        throw new CommandError(
          'PLACET_KEY is not set, and nobody is signed in: run placet login, or set it to the key of an administrator, or of a host to decide.',
        );
      }
      this.#bearer = () => accessToken(kept, url);
      return;
    }
    if (!parseApiKey(key)) throw new CommandError('PLACET_KEY is not a key of Placet, or mistyped.');
    this.#bearer = async () => key;
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#call('GET', path)) as T;
  }

  async post<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.#call('POST', path, body, headers)) as T;
  }

  async put<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.#call('PUT', path, body, headers)) as T;
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await this.#call('PATCH', path, body)) as T;
  }

  async delete<T>(path: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.#call('DELETE', path, undefined, headers)) as T;
  }

  /** What a POST answers, as it comes, however much it is. */
  async stream(path: string): Promise<AsyncIterable<Uint8Array>> {
    const bearer = await this.#bearer();
    let response: Response;
    try {
      response = await fetch(this.#url + path, {
        method: 'POST',
        headers: { Authorization: `Bearer ${bearer}` },
        redirect: 'error',
      });
    } catch (cause) {
      throw new CommandError(unanswered(this.#url, 'POST', cause), { cause });
    }
    const { ok, status, body } = response;
    if (ok && body) return body;
    const parsed = parse(await response.text()) ?? {};
    throw new CommandError(this.#describe(parsed, status), { cause: parsed });
  }

  /** The answer, or undefined where there is no such thing. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (error instanceof CommandError && (error.cause as ProblemBody | undefined)?.code === 'not_found')
        return undefined;
      throw error;
    }
  }

  async #call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const { ok, status, text } = await this.#fetch(method, path, body, headers);
    const parsed = parse(text);
    if (ok && parsed !== undefined) return parsed;
    if (parsed === undefined)
      throw new CommandError(`${this.#url} does not answer like a Placet (status ${status}). Mend PLACET_URL.`);
    throw new CommandError(this.#describe(parsed as ProblemBody, status), { cause: parsed });
  }

  #describe({ detail, code = '', errors }: ProblemBody, status: number): string {
    // Only the mistakes of documents say more than the sentence.
    if (code === 'documents_invalid' && errors && errors.length > 0) return errors.map(placed).join('\n');
    const hint = Object.hasOwn(this.#hints, code) ? `: ${this.#hints[code]}.` : '';
    return `${detail ?? `the service refused (status ${status})`}${hint}`;
  }

  async #fetch(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ ok: boolean; status: number; text: string }> {
    const bearer = await this.#bearer();
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          Authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(60_000),
      });
      // The body is part of it: the connection can end within.
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (cause) {
      throw new CommandError(unanswered(this.#url, method, cause), { cause });
    }
  }
}

/** How long before its end a token is renewed, in ms. */
const EARLY_MS = 30_000;

/** The access token of whoever is signed in, renewed where it is about to end. */
async function accessToken(kept: KeptSignIns, url: string): Promise<string> {
  const isFresh = ({ expiresAt }: { readonly expiresAt: number }) => expiresAt - EARLY_MS > Date.now();
  const present = kept.of(url);
  if (present && isFresh(present)) return present.accessToken;
  return kept.alone(async () => {
    // Another command may have done it meanwhile.
    const known = kept.of(url);
    if (!known) throw new CommandError('nobody is signed in any more: run placet login.');
    if (isFresh(known)) return known.accessToken;
    const renewed = await refresh(known);
    kept.keep(url, renewed);
    return renewed.accessToken;
  });
}

/** What fails before a request is sent. After that it may have been carried out, whatever became of the answer. */
const NOT_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function unanswered(url: string, method: string, error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown };
  if (method === 'GET' || NOT_SENT.has(code)) return `${url} cannot be reached. Start the service, or mend PLACET_URL.`;
  return `${url} did not answer to the end, so it may have been done or not: look before you do it again.`;
}

function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Hints = Readonly<Record<string, string>>;

/** What the person can do about it who sees only the command line. */
const OF_KEYS: Hints = {
  credentials_invalid: 'mend PLACET_KEY, or run placet login',
  not_an_administrator: 'set PLACET_KEY to the key of an administrator',
  not_a_host: 'set PLACET_KEY to the key of a host',
  identity_provider_unavailable: 'the log of the service says why',
};
const OF_SIGN_INS: Hints = {
  ...OF_KEYS,
  credentials_invalid: 'the sign-in is over, so run placet login',
  step_up_required: 'set PLACET_KEY to the key of an administrator',
};
