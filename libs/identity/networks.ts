import { BlockList, isIP, SocketAddress } from 'node:net';

/** What an address is called that is not known. It lies in no network. */
export const UNKNOWN_ADDRESS = 'unknown';

/**
 * An IP address in the one form in which addresses are compared: without a zone, IPv6 as short as it can be, and IPv4 as
 * such also where it came mapped into IPv6. Undefined for what is none.
 */
export function normalAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0]!;
  const family = isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return address;
  const bytes = bytesOf(address);
  return isMapped(bytes) ? bytes.slice(12).join('.') : new SocketAddress({ address, family: 'ipv6' }).address;
}

/**
 * A network as `ADDRESS/BITS`, with no bit set behind the prefix; an address alone is a network of one. Undefined for what
 * is none.
 */
export function normalNetwork(text: string): string | undefined {
  const [given, prefix, ...more] = text.split('/');
  const family = isIP(given!);
  if (family === 0 || more.length > 0 || given!.includes('%')) return undefined;
  const bytes = bytesOf(given!);
  const most = bytes.length * 8;
  if (prefix !== undefined && (!/^(0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > most)) return undefined;
  const bits = prefix === undefined ? most : Number(prefix);
  const masked = bytes.map((byte, at) => byte & (0xff << Math.min(8, Math.max(0, 8 * (at + 1) - bits))) & 0xff);
  if (family === 4) return `${masked.join('.')}/${bits}`;
  if (bits >= 96 && isMapped(masked)) return `${masked.slice(12).join('.')}/${bits - 96}`;
  return `${textOf(masked)}/${bits}`;
}

/** A list of networks, to look addresses up in. IPv4 addresses lie in IPv4 networks only, and IPv6 ones in IPv6 ones. */
export class Networks {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  /** @param networks each as `normalNetwork` writes it; one that is none is an error */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const normal = normalNetwork(network);
      if (normal === undefined) throw new Error(`'${network}' is not a network`);
      const [address, bits] = normal.split('/') as [string, string];
      if (isIP(address) === 4) this.#ipv4.addSubnet(address, Number(bits), 'ipv4');
      else this.#ipv6.addSubnet(address, Number(bits), 'ipv6');
    }
  }

  /** Whether an address lies in one of the networks. What is not an address does not. */
  contains(address: string): boolean {
    const normal = normalAddress(address);
    if (normal === undefined) return false;
    return isIP(normal) === 4 ? this.#ipv4.check(normal, 'ipv4') : this.#ipv6.check(normal, 'ipv6');
  }
}

/** The network whose addresses one party may have by the thousand: an IPv4 address, or the /64 of an IPv6 one. */
export function partyOf(address: string): string {
  const normal = normalAddress(address);
  if (normal === undefined) return UNKNOWN_ADDRESS;
  return isIP(normal) === 4 ? normal : normalNetwork(`${normal}/64`)!;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

const isMapped = (bytes: readonly number[]): boolean =>
  bytes.length === 16 && MAPPED.every((byte, at) => bytes[at] === byte);

function bytesOf(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [head, tail] = address.split('::').map(groupsOf);
  const missing = 16 - head!.length - (tail?.length ?? 0);
  return [...head!, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
}

const groupsOf = (text: string): number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (group.includes('.')) return group.split('.').map(Number);
        const value = parseInt(group, 16);
        return [value >> 8, value & 0xff];
      });

function textOf(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
