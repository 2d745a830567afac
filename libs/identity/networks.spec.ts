import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Networks, normalAddress, normalNetwork, partyOf } from './networks.js';

describe('addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['::', '::'],
    ['010.0.0.1', undefined],
    ['192.0.2.7:80', undefined],
    ['192.0.2', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('%s is %s', (text, normal) => {
    expect(normalAddress(text)).toBe(normal);
  });
});

describe('networks', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.255.3/17', '10.1.128.0/17'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::/0', '::/0'],
    ['10.0.0.0/33', undefined],
    ['::/129', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/-1', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['fe80::1%eth0/64', undefined],
    ['10.0.0', undefined],
    ['example.org', undefined],
  ])('%s is %s', (text, normal) => {
    expect(normalNetwork(text)).toBe(normal);
  });

  it.each([
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '::ffff:10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['::ffff:10.0.0.0/104'], '10.0.0.1', true],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['::/0'], '10.0.0.1', false],
    [['0.0.0.0/0'], '::1', false],
    [['0.0.0.0/0', '::/0'], 'unknown', false],
    [['192.0.2.1', '192.0.2.3'], '192.0.2.3', true],
    [[], '192.0.2.3', false],
  ])('%j has %s: %s', (networks, address, contains) => {
    expect(new Networks(networks).contains(address)).toBe(contains);
  });

  it('hold their own addresses, however they are written', () => {
    const ipv6 = fc.ipV6();
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), ipv6), fc.nat(128), (address, bits) => {
        const most = address.includes(':') ? 128 : 32;
        const network = normalNetwork(`${address}/${Math.min(bits, most)}`)!;
        expect(normalNetwork(network)).toBe(network);
        const isMapped = most === 128 && normalAddress(address)!.includes('.') && bits < 96;
        if (!isMapped) expect(new Networks([network]).contains(address)).toBe(true);
      }),
    );
  });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['no address', 'unknown'],
  ])('count as one party: %s as %s', (address, party) => {
    expect(partyOf(address)).toBe(party);
  });
});
