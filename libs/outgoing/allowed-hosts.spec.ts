import { describe, expect, it } from 'vitest';
import { allowedHost, isAllowed } from './allowed-hosts.js';

describe('an allowed host', () => {
  it.each<[string, string, boolean]>([
    ['hooks.example.com', 'https://hooks.example.com/a?b', true],
    ['hooks.example.com', 'https://HOOKS.example.com:443/', true],
    ['hooks.example.com', 'https://hooks.example.com:8443/', false],
    ['hooks.example.com', 'https://a.hooks.example.com/', false],
    ['hooks.example.com', 'https://hooks.example.com.evil.example/', false],
    ['hooks.example.com', 'https://evil.example/hooks.example.com', false],
    ['hooks.example.com', 'https://hooks.example.com./', false],
    ['hooks.example.com:8443', 'https://hooks.example.com:8443/', true],
    ['hooks.example.com:8443', 'https://hooks.example.com/', false],
    ['*.example.com', 'https://a.b.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://evilexample.com/', false],
    ['127.0.0.1', 'http://127.0.0.1/', false],
    ['127.0.0.1:80', 'http://127.0.0.1/', true],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/', true],
    ['127.0.0.1:8080', 'http://2130706433:8080/', true],
    ['[::1]:8080', 'http://[::1]:8080/', true],
  ])('%s is where %s leads: %s', (host, url, leads) => {
    expect(isAllowed([allowedHost(host)!], new URL(url))).toBe(leads);
  });
});
