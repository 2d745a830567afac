import { isIP } from 'node:net';
import { isReachable } from './addresses.js';
import { OutgoingError, type WayOut } from './send.js';

/**
 * The addresses of a host, for a connection that is not http: a connection has to go to one of these, and not to what the
 * name says later. Throws OutgoingError where one of them is out of reach.
 */
export async function addressesOf(host: string, { reach, resolve, beyond }: WayOut): Promise<readonly string[]> {
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  const found = isIP(literal) === 0 ? await resolved(host, resolve) : [literal];
  for (const address of found)
    if (!isReachable(address, reach)) throw new OutgoingError(`${host} is at ${address}, ${beyond}`);
  return found;
}

function resolved(host: string, resolve: WayOut['resolve']): Promise<readonly string[]> {
  return new Promise((done, refuse) => {
    resolve(host, {}, (error, addresses) => {
      if (error) refuse(new OutgoingError(`${host}: ${error.message}`, { cause: error }));
      else if (addresses.length === 0) refuse(new OutgoingError(`${host} has no address`));
      else done(addresses.map(({ address }) => address));
    });
  });
}
