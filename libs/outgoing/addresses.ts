import { BlockList, isIPv6 } from 'node:net';

/** Which addresses besides those of the public internet may be gone to. */
export interface Reach {
  /** This machine. */
  readonly loopback: boolean;
  /** Networks of companies. */
  readonly privateRanges: boolean;
}

/** Whether an address is one of the public internet, or one that the reach has. What is neither is never gone to. */
export function isReachable(address: string, { loopback, privateRanges }: Reach): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(address, family)) return loopback;
  if (PRIVATE.check(address, family)) return privateRanges;
  return !SPECIAL.check(address, family) && (family === 'ipv4' || PUBLIC.check(address, family));
}

/** `net/prefix`, each by its own family; IPv4 in IPv6 (`::ffff:0:0/96`) is looked up among those of IPv4. */
function listOf(...networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, prefix] = network.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

const LOOPBACK = listOf('127.0.0.0/8', '::1/128');

/** Global unicast, all of it that was ever given out (RFC 4291 §2.4), and IPv4 in IPv6, which is looked up as what it is. */
const PUBLIC = listOf('2000::/3', '::ffff:0:0/96');

/** RFC 1918, RFC 6598 (shared), RFC 4193 (unique local). */
const PRIVATE = listOf('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');

/**
 * The registries of special-purpose addresses (RFC 6890): this network, link-local (where clouds tell secrets), protocol
 * assignments, documentation, benchmarks, multicast, reserved; of IPv6 what embeds IPv4 addresses, too.
 */
const SPECIAL = listOf(
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
);
