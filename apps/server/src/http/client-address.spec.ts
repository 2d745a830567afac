import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ClientAddresses } from './client-address.js';

const request = (remoteAddress: string | undefined, forwarded?: string, more: object = {}): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: { ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }), ...more },
  }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  it.each<[string, string | undefined, string | undefined, string]>([
    ['a connection of its own', '198.51.100.1', undefined, '198.51.100.1'],
    ['a header from somebody who is not trusted', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['a header from a trusted proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['IPv4 on an IPv6 socket', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['what a client put there first', '10.0.0.1', '10.0.0.7, 192.168.7.7, 203.0.113.9', '203.0.113.9'],
    ['a chain of trusted proxies', '10.0.0.1', '203.0.113.9, 10.0.0.3, 10.0.0.2', '203.0.113.9'],
    ['a client within the network of the proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a trusted proxy that says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['a trusted proxy that does not know', '10.0.0.1', 'unknown', 'unknown'],
    ['nonsense right of an address', '10.0.0.1', '203.0.113.9, <script>', 'unknown'],
    ['nonsense left of the address', '10.0.0.1', '<script>, 203.0.113.9', '203.0.113.9'],
    ['an empty header', '10.0.0.1', '', 'unknown'],
    ['IPv4 with a port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['IPv6 with a port', '10.0.0.1', '[2001:DB8::1]:4711', '2001:db8::1'],
    ['IPv6', '10.0.0.1', '2001:db8:0::1', '2001:db8::1'],
    ['mapped IPv4', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['a proxy that is trusted by IPv6', 'fd00::1', '203.0.113.9', '203.0.113.9'],
    ['a connection that is gone', undefined, '203.0.113.9', 'unknown'],
  ])('%s', (_, connected, forwarded, address) => {
    const addresses = new ClientAddresses(['10.0.0.0/8', 'fd00::/8']);
    expect(addresses.of(request(connected, forwarded))).toBe(address);
  });

  it('is that of the connection where no proxy is trusted, whatever headers say', () => {
    const headers = { forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };
    expect(new ClientAddresses().of(request('10.0.0.1', '203.0.113.9', headers))).toBe('10.0.0.1');
  });

  it('is not read from headers of other names', () => {
    const headers = { forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };
    expect(new ClientAddresses(['10.0.0.1']).of(request('10.0.0.1', undefined, headers))).toBe('10.0.0.1');
  });
});
