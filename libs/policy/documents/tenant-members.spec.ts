import { describe, expect, it } from 'vitest';
import { parseDocuments } from './parse.js';

const problems = (webhooks: string): string[] =>
  parseDocuments({
    text: `{ kind: Tenant, name: t, defaults: { effect: deny }, notifications: { webhooks: [${webhooks}] } }`,
  }).problems.map(({ message }) => message);

describe('webhooks of a Tenant document', () => {
  it.each([
    '{ url: "https://a.example/x?y", secret: s, events: [requested] }',
    '{ url: "http://127.0.0.1:8080/", secret: s, events: [requested, answered, cancelled, revoked] }',
  ])('can be %s', (webhook) => {
    expect(problems(webhook)).toEqual([]);
  });

  it.each([
    ['{ url: "http://a.example/", secret: s, events: [requested] }', /https/],
    ['{ url: "https://u:p@a.example/", secret: s, events: [requested] }', /https/],
    ['{ url: "https://a.example/", events: [requested] }', /./],
    ['{ url: "https://a.example/", secret: s, events: [] }', /./],
    ['{ url: "https://a.example/", secret: s, events: [used] }', /requested, answered, cancelled, revoked/],
    [
      '{ url: "https://a.example/", secret: s, events: [requested] }, { url: "https://a.example/", secret: s, events: [revoked] }',
      /same URL/,
    ],
    ['', /./],
  ])('cannot be %s', (webhooks, says) => {
    expect(problems(webhooks).join()).toMatch(says);
  });
});
