import { describe, expect, it } from 'vitest';
import { isReachable } from './addresses.js';

describe('an address', () => {
  const none = { loopback: false, privateRanges: false };
  const all = { loopback: true, privateRanges: true };

  it.each([
    ['93.184.216.34', true, true],
    ['2606:2800:220:1:248:1893:25c8:1946', true, true],
    ['127.0.0.1', false, true],
    ['127.8.9.1', false, true],
    ['::1', false, true],
    ['::ffff:127.0.0.1', false, true],
    ['::ffff:7f00:1', false, true],
    ['10.1.2.3', false, true],
    ['172.31.255.255', false, true],
    ['172.32.0.1', true, true],
    ['192.168.0.1', false, true],
    ['::ffff:192.168.0.1', false, true],
    ['100.64.0.1', false, true],
    ['fd12::1', false, true],
    ['169.254.169.254', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['64:ff9b::a9fe:a9fe', false, false],
    ['2002:a9fe:a9fe::1', false, false],
    ['::127.0.0.1', false, false],
    ['::ffff:93.184.216.34', true, true],
    ['::ffff:0:127.0.0.1', false, false],
    ['::ffff:0:a9fe:a9fe', false, false],
    ['100:0:0:1::1', false, false],
    ['5f00::1', false, false],
    ['4000::1', false, false],
    ['fe80::1%1', false, false],
    ['::ffff:127.0.0.1%1', false, true],
    ['fe80::1', false, false],
    ['0.0.0.0', false, false],
    ['::', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
    ['ff02::1', false, false],
  ])('%s is reached by anybody: %s, by who may go into private networks: %s', (address, byNone, byAll) => {
    expect(isReachable(address, none)).toBe(byNone);
    expect(isReachable(address, all)).toBe(byAll);
  });
});
