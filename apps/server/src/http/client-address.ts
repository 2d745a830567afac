import type { IncomingMessage } from 'node:http';
import { Networks, normalAddress, UNKNOWN_ADDRESS } from '#identity';

/**
 * Tells from which address a request comes: that of the connection or, where the connection is from a proxy that is
 * trusted, what the proxies say in `X-Forwarded-For`. The other way of saying it (`Forwarded`, RFC 7239) is not read: a
 * proxy that sets one header and passes the other on would let the client choose.
 */
export class ClientAddresses {
  readonly #proxies: Networks | undefined;

  /** @param trustedProxies networks; none: the header is never looked at */
  constructor(trustedProxies: readonly string[] = []) {
    this.#proxies = trustedProxies.length === 0 ? undefined : new Networks(trustedProxies);
  }

  /**
   * The normalised address, or `unknown`, which lies in no network.
   *
   * INVARIANT: every entry that counts was written by a trusted proxy. The last is by the one that is connected, and an
   * entry further left counts only if all to its right are trusted proxies themselves.
   */
  of(request: IncomingMessage): string {
    const connected = connectedAddress(request);
    if (!this.#proxies?.contains(connected)) return connected;
    const forwarded = request.headers['x-forwarded-for'];
    const entries = forwarded === undefined ? [] : [forwarded].flat().join(',').split(',');
    let furthest = connected;
    for (const entry of entries.reverse()) {
      const address = addressOf(entry.trim());
      if (address === undefined) return UNKNOWN_ADDRESS;
      furthest = address;
      if (!this.#proxies.contains(address)) break;
    }
    return furthest;
  }
}

const MAPPED_IPV4 = '::ffff:';

/** What the system says is normalised already, but for IPv4 on an IPv6 socket and for zones. */
function connectedAddress({ socket: { remoteAddress } }: IncomingMessage): string {
  if (remoteAddress === undefined) return UNKNOWN_ADDRESS;
  if (!remoteAddress.includes(':')) return remoteAddress;
  if (remoteAddress.startsWith(MAPPED_IPV4) && remoteAddress.includes('.'))
    return remoteAddress.slice(MAPPED_IPV4.length);
  return normalAddress(remoteAddress) ?? UNKNOWN_ADDRESS;
}

/** An entry of the header. Some proxies add the port, and then brackets to IPv6. */
function addressOf(entry: string): string | undefined {
  const [, ipv4, ipv6] = /^(?:([\d.]+):\d{1,5}|\[([^\]]+)\](?::\d{1,5})?)$/.exec(entry) ?? [];
  return normalAddress(ipv4 ?? ipv6 ?? entry);
}
