import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Client } from 'ldapts';

/** One server, and whom to believe that it is the one. */
export interface Server {
  readonly url: string;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: string | undefined;
}

/** RFC 4511 §4.14. */
const START_TLS = '1.3.6.1.4.1.1466.20037';

/**
 * A socket to a server at one of its addresses, of which TLS is proven to be with the server of that name. Rejects where it is
 * not, and after a time (ms).
 *
 * INVARIANT: what came before TLS is read by somebody else than what comes behind it: the beginning of an answer that was put
 * in on the wire would else be ended by the first byte of a true one, and be taken for it.
 */
export async function securedSocket({ url, ca }: Server, address: string, withinMs: number): Promise<TLSSocket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const tls: ConnectionOptions = {
    ...(ca === undefined ? {} : { ca }),
    // By which the certificate is held against the name; an address is looked for among the addresses that it has.
    ...(isIP(host) === 0 ? { servername: host, host } : { host }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  };
  const isSecure = protocol === 'ldaps:';
  const made: Socket[] = [];
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('it does not answer in time')), withinMs);
  const opened = async (): Promise<TLSSocket> => {
    if (isSecure) return handshake({ ...tls, host: address, port: Number(port || 636) }, made);
    const plain = connectPlain(Number(port || 389), address);
    made.push(plain);
    await askForTls(url, plain);
    return handshake({ ...tls, socket: plain }, made);
  };
  try {
    return await Promise.race([opened(), late.promise]);
  } catch (error) {
    for (const socket of made) socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** With a client of its own, which reads nothing afterwards. */
async function askForTls(url: string, plain: Socket): Promise<void> {
  const client = new Client({ url, createConnection: once(() => plain) });
  await client.exop(START_TLS);
  plain.removeAllListeners('data');
}

function handshake(options: ConnectionOptions, made: Socket[]): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options, () => resolve(socket));
    made.push(socket);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}

/** A maker of a connection that makes one. */
export function once<T>(make: () => T): never {
  let isMade = false;
  const first = (): T => {
    if (isMade) throw new Error('the connection is over');
    isMade = true;
    return make();
  };
  return first as never;
}
