import type { TLSSocket } from 'node:tls';
import { Client, InvalidCredentialsError, ResultCodeError, type Entry, type Filter } from 'ldapts';
import { DirectoryError } from './errors.js';
import { once, securedSocket, type Server } from './secured-socket.js';

/** For a connection with its TLS handshake, and for one operation, in ms. */
const CONNECT_MS = 5000;
const OPERATION_MS = 10_000;

/** What one operation may bring at most, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Entries that one page has. Active Directory gives a thousand at most. */
const PAGE = 500;

/** Attributes whose values are bytes. */
const BYTES = ['objectGUID', 'objectSid', 'tokenGroups'];

/** What is looked for. Filters are objects: no text that somebody typed is ever parsed as one. */
export interface Wanted {
  readonly scope: 'base' | 'sub';
  readonly filter?: Filter;
  readonly attributes: readonly string[];
  /** Entries that are wanted at most; left out: all, in pages. */
  readonly most?: number;
  /** Told where the server says that another one has a part of it, which is not asked. */
  readonly elsewhere?: () => unknown;
}

/** What a server's certificate says. */
export interface ServerCertificate {
  /** For which names it is good. */
  readonly names: string;
  readonly validUntil: Date;
}

/**
 * A connection to one server of a directory, over TLS with a certificate that is good for the name in its URL. What one
 * operation brings is bounded, and so is how long it all takes.
 *
 * INVARIANT: one connection is made and never another in its place: ldapts would connect anew in silence, without StartTLS,
 * and send the next password in the clear.
 */
export class Connection implements AsyncDisposable {
  readonly #client: Client;
  readonly #socket: TLSSocket;
  readonly #end: NodeJS.Timeout | undefined;
  #left = MOST_BYTES;

  private constructor(url: string, socket: TLSSocket, until: number) {
    this.#socket = socket;
    const handOver = once(() => {
      if (socket.destroyed) throw new Error('the connection is over');
      socket.on('data', ({ length }: Buffer) => {
        this.#left -= length;
        if (this.#left < 0) socket.destroy();
      });
      return socket;
    });
    // It is TLS by now, however it began: the client connects to nothing by itself.
    const secure = url.replace(/^ldap:/, 'ldaps:');
    this.#client = new Client({ url: secure, timeout: OPERATION_MS, createSecureConnection: handOver });
    if (Number.isFinite(until))
      this.#end = setTimeout(() => socket.destroy(), Math.max(0, until - performance.now())).unref();
  }

  /**
   * Connects to a server at one of its addresses. Throws DirectoryError (`unreachable`).
   * @param until when it is over, whatever is under way, by the clock of the process
   */
  static async open(server: Server, address: string, until = Infinity): Promise<Connection> {
    try {
      return new Connection(server.url, await securedSocket(server, address, CONNECT_MS), until);
    } catch (cause) {
      throw new DirectoryError('unreachable', `${server.url}: ${(cause as Error).message}`, { cause });
    }
  }

  /** Whether a name and its password belong together. Throws DirectoryError for everything but yes and no. */
  async proves(name: string, password: string): Promise<boolean> {
    // RFC 4513 §5.1.2: a bind without a password proves nothing, and lenient servers say yes to it.
    if (password === '' || name === '') return false;
    this.#left = MOST_BYTES;
    try {
      await this.#client.bind(name, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError) return false;
      throw failure(error);
    }
  }

  /** The entries below a place. References to other servers are not followed. Throws DirectoryError. */
  async search(base: string, wanted: Wanted): Promise<readonly Entry[]> {
    const { scope, filter, attributes, most } = wanted;
    const asked = attributes.map((name) => name.replace(/;.*$/, ''));
    this.#left = MOST_BYTES;
    try {
      const { searchEntries, searchReferences } = await this.#client.search(base, {
        scope,
        ...(filter ? { filter } : {}),
        attributes: [...attributes],
        explicitBufferAttributes: BYTES.filter((name) => asked.includes(name)),
        derefAliases: 'never',
        timeLimit: OPERATION_MS / 1000,
        ...(most === undefined ? { paged: { pageSize: PAGE } } : { sizeLimit: most }),
      });
      if (searchReferences.length > 0) wanted.elsewhere?.();
      return searchEntries;
    } catch (error) {
      throw failure(error);
    }
  }

  /** The first few entries below a place, by asking for a page of them. Throws DirectoryError. */
  async some(base: string, { filter, attributes }: Omit<Wanted, 'scope' | 'most'>): Promise<readonly Entry[]> {
    const explicitBufferAttributes = BYTES.filter((name) => attributes.includes(name));
    this.#left = MOST_BYTES;
    const wanted = { scope: 'sub', derefAliases: 'never', timeLimit: OPERATION_MS / 1000 } as const;
    try {
      const pages = this.#client.searchPaginated(base, {
        ...wanted,
        ...(filter ? { filter } : {}),
        attributes: [...attributes],
        explicitBufferAttributes,
        paged: { pageSize: 5 },
      });
      for await (const { searchEntries } of pages) return searchEntries;
      return [];
    } catch (error) {
      throw failure(error);
    }
  }

  /** The certificate that the server has shown. */
  get certificate(): ServerCertificate | undefined {
    const shown = this.#socket.getPeerX509Certificate();
    return shown && { names: shown.subjectAltName ?? shown.subject, validUntil: shown.validToDate };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#end);
    await this.#client.unbind().catch(() => undefined);
    this.#socket.destroy();
  }
}

/** Result codes by which a server says that another one may do better: busy, unavailable. */
const ELSEWHERE: readonly number[] = [51, 52];

/** What the directory answers is its word; what comes instead of an answer is none. */
function failure(error: unknown): DirectoryError {
  const { message } = error as Error;
  const isAnswer = error instanceof ResultCodeError && !ELSEWHERE.includes(error.code);
  return new DirectoryError(isAnswer ? 'misconfigured' : 'unreachable', message, { cause: error });
}
