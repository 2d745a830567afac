import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Client, InvalidCredentialsError, ResultCodeError, type Entry, type Filter } from 'ldapts';
import { DirectoryError } from './errors.js';

/** For a connection with its TLS handshake, and for one operation, in ms. */
const CONNECT_MS = 5000;
const OPERATION_MS = 10_000;

/** What one connection may bring at most, in bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Entries that one page has. Active Directory gives a thousand at most. */
const PAGE = 500;

/** Attributes whose values are bytes. */
const BYTES = ['objectGUID', 'objectSid', 'tokenGroups'];

/** One server, and whom to believe that it is the one. */
export interface Server {
  readonly url: string;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: string | undefined;
}

/** What is looked for. Filters are objects: no text that somebody typed is ever parsed as one. */
export interface Wanted {
  readonly scope: 'base' | 'sub';
  readonly filter?: Filter;
  readonly attributes: readonly string[];
  /** Entries that are wanted at most; left out: all, in pages. */
  readonly most?: number;
}

/**
 * A connection to one server of a directory, over TLS with a certificate that is good for the name in its URL.
 *
 * INVARIANT: one connection is made and never another in its place: ldapts would connect anew in silence, without StartTLS,
 * and send the next password in the clear.
 */
export class Connection implements AsyncDisposable {
  readonly #client: Client;
  readonly #limit: NodeJS.Timeout;

  private constructor(client: Client, socket: () => Socket | undefined) {
    this.#client = client;
    this.#limit = setInterval(() => {
      if ((socket()?.bytesRead ?? 0) > MOST_BYTES) socket()!.destroy();
    }, 100).unref();
  }

  /**
   * Connects to a server at one of its addresses. Throws DirectoryError (`unreachable`). With `ldaps:` the first operation
   * connects, and throws it.
   */
  static async open(server: Server, address: string): Promise<Connection> {
    let socket: Socket | undefined;
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => limit.reject(new Error('it does not answer in time')), CONNECT_MS);
    try {
      const opened = open(server, address, (made) => (socket = made));
      return new Connection(await Promise.race([opened, limit.promise]), () => socket);
    } catch (cause) {
      socket?.destroy();
      throw new DirectoryError('unreachable', `${server.url}: ${(cause as Error).message}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether a name and its password belong together. Throws DirectoryError for everything but yes and no. */
  async proves(name: string, password: string): Promise<boolean> {
    // RFC 4513 §5.1.2: a bind without a password proves nothing, and lenient servers say yes to it.
    if (password === '' || name === '') return false;
    try {
      await this.#client.bind(name, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError) return false;
      throw failure(error);
    }
  }

  /** The entries below a place. References to other servers are not followed. Throws DirectoryError. */
  async search(base: string, { scope, filter, attributes, most }: Wanted): Promise<readonly Entry[]> {
    const asked = attributes.map((name) => name.replace(/;.*$/, ''));
    try {
      const { searchEntries } = await this.#client.search(base, {
        scope,
        ...(filter ? { filter } : {}),
        attributes: [...attributes],
        explicitBufferAttributes: BYTES.filter((name) => asked.includes(name)),
        derefAliases: 'never',
        timeLimit: OPERATION_MS / 1000,
        ...(most === undefined ? { paged: { pageSize: PAGE } } : { sizeLimit: most }),
      });
      return searchEntries;
    } catch (error) {
      throw failure(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#limit);
    await this.#client.unbind().catch(() => undefined);
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

async function open({ url, ca }: Server, address: string, made: (socket: Socket) => void): Promise<Client> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const tls: ConnectionOptions = {
    ...(ca === undefined ? {} : { ca }),
    // By which the certificate is held against the name; an address is looked for among the addresses that it has.
    ...(isIP(host) === 0 ? { servername: host, host } : { host }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  };
  const common = { url, timeout: OPERATION_MS, connectTimeout: CONNECT_MS };
  if (protocol === 'ldaps:') {
    const to = { ...tls, host: address, port: Number(port || 636) };
    return new Client({ ...common, createSecureConnection: once(() => kept(connectTls(to), made)) });
  }
  const client = new Client({
    ...common,
    createConnection: once(() => kept(connectPlain(Number(port || 389), address), made)),
    createSecureConnection: once((options: ConnectionOptions) => kept(connectTls(options), made)),
  });
  await client.startTLS(tls);
  return client;
}

function kept<T extends Socket>(socket: T, made: (socket: Socket) => void): T {
  made(socket);
  return socket;
}

/** A maker of a connection that makes one. */
function once<T>(make: (options: ConnectionOptions) => T): never {
  let isMade = false;
  const first = (options: ConnectionOptions): T => {
    if (isMade) throw new Error('the connection is over');
    isMade = true;
    return make(options);
  };
  return first as never;
}
