import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The port is taken, or may not be used. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * For how long a connection is kept on which nothing is asked, in ms: longer than balancers and clients do (60 s). Node's own
 * five seconds are over before they have closed it, and a request that comes in while the process is busy finds it closed.
 */
const KEPT_MS = 75_000;

/** Resolves when the server listens. Throws ListenError. */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  server.keepAliveTimeout = KEPT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ListenError(describeListenError(error, host, port))),
    );
    server.listen(port, host, resolve);
  });
}

/** Under which a server is reached that listens on `host`. */
export function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/**
 * New connections are refused, idle ones ended; requests under way go on. A connection whose last request ends only now is
 * idle from then on, and would otherwise be waited for until its time is up.
 */
export async function stopListening(server: Server): Promise<void> {
  const sweeping = setInterval(() => server.closeIdleConnections(), 20);
  server.close(() => clearInterval(sweeping));
  server.closeIdleConnections();
}

function describeListenError({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken. Stop what uses it, or set PLACET_PORT to another port.`;
  if (code === 'EACCES') return `Port ${port} may not be used by this user. Set PLACET_PORT to one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${host} is no address of this machine. Set PLACET_HOST to one that is.`;
  return `The service cannot listen on ${host}:${port} (${code ?? message}).`;
}
