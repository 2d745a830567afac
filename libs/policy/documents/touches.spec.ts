import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, documents, NOW } from '#policy/testing';
import { PolicySet } from '../compile/policy-set.js';
import { decide } from '../decide/decide.js';
import type { DecisionInput } from '../decide/request.js';
import { parseDocuments } from './parse.js';
import { documentName, type AnyDocument } from './schema.js';
import { serverIdentities } from './server-identity.js';
import { keyOfIssuerText, keyOfServerIdentity, touchedKeys } from './touches.js';

const read = (text: string): AnyDocument => {
  const { documents: found, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return found[0]!.document;
};

describe('touchedKeys', () => {
  it.each<[string, string[]]>([
    ['{ kind: Role, name: r }', ['*']],
    [
      '{ kind: Policy, name: p, target: { servers: [s], actions: [a], resources: [a] }, rules: [{ name: r, effect: deny, to: ["user:ann"] }] }',
      ['*'],
    ],
    ['{ kind: Tenant, name: t, defaults: {} }', ['*']],
    [
      '{ kind: Test, name: t, defaults: { subject: { id: a }, host: h, server: s, action: x }, cases: [{ name: c, expect: { effect: deny } }] }',
      [],
    ],
    [
      '{ kind: Binding, name: b, subjects: ["user:ann", "user:bob"], roles: [r] }',
      ['subject:user:ann', 'subject:user:bob'],
    ],
    [
      '{ kind: Binding, name: b, subjects: ["group:emea", "user:ann"], roles: [r] }',
      ['group:emea', 'group:*', 'subject:user:ann'],
    ],
    ['{ kind: Subject, id: ann }', ['subject:user:ann']],
    [
      '{ kind: Subject, id: ann, groups: [emea], aliases: [{ type: mail, id: a@x }] }',
      ['subject:user:ann', 'subject:mail:a@x'],
    ],
    ['{ kind: Scope, server: s }', ['server:s']],
    ['{ kind: Scope, name: n, host: h }', ['host:h']],
    ['{ kind: Resource, type: t, id: a }', ['*']],
    ['{ kind: Resource, server: s, type: t, id: a }', ['server:s']],
    ['{ kind: Server, name: s }', ['server:s']],
    [
      '{ kind: Server, name: s, identity: { url: "https://X.com" } }',
      ['server:s', keyOfServerIdentity('https://x.com/')],
    ],
    ['{ kind: Host, name: h }', ['host:h']],
    [
      '{ kind: Issuer, name: i, issuer: "https://idp.example.com" }',
      ['issuer:i', keyOfIssuerText('https://idp.example.com'), 'administration'],
    ],
    [
      '{ kind: Mapping, name: m, issuer: i, rules: [{ name: r, when: always, stop: true }] }',
      ['issuer:i', 'administration'],
    ],
    ['{ kind: AdministratorRole, name: r }', ['administration']],
    ['{ kind: AdministratorBinding, name: b, to: ["user:ann"], roles: [owner] }', ['administration']],
  ])('of %s are %j', (text, keys) => {
    const document = read(text);
    expect(touchedKeys(undefined, document)).toEqual(keys);
    expect(touchedKeys(document, undefined)).toEqual(keys);
    expect(touchedKeys(document, document)).toEqual(keys);
  });

  it.each<[string, string, string[]]>([
    [
      '{ kind: Binding, name: b, subjects: ["user:ann"], roles: [r] }',
      '{ kind: Binding, name: b, subjects: ["user:bob"], roles: [r] }',
      ['subject:user:ann', 'subject:user:bob'],
    ],
    ['{ kind: Scope, name: n, server: s }', '{ kind: Scope, name: n, host: h }', ['server:s', 'host:h']],
    ['{ kind: Resource, type: t, id: a }', '{ kind: Resource, server: s, type: t, id: a }', ['*']],
    [
      '{ kind: Subject, id: ann, aliases: [{ type: mail, id: a@x }] }',
      '{ kind: Subject, id: ann, aliases: [{ type: mail, id: b@x }] }',
      ['subject:user:ann', 'subject:mail:a@x', 'subject:mail:b@x'],
    ],
  ])('of a change count both versions: %s and %s', (before, after, keys) => {
    expect(touchedKeys(read(before), read(after))).toEqual(keys);
  });

  it('are none where nothing is', () => {
    expect(touchedKeys(undefined, undefined)).toEqual([]);
  });

  it('are short however long the command line of a server is', () => {
    const key = keyOfServerIdentity(serverIdentities({ command: ['x'.repeat(4096)] })[0]!);
    expect(key).toMatch(/^server:#[0-9a-f]{64}$/);
  });
});

const url = fc.constantFrom('https://files.example.com/mcp', 'https://crm.example.com/mcp');
const command = fc.constantFrom(['npx', 'files'], ['npx', 'crm']);
const identity = fc.oneof(
  fc.constant(undefined),
  url.map((where) => ({ url: where })),
  command.map((words) => ({ command: words })),
);

/** A tenant with resources and with servers that have identities, which the common arbitraries leave out. */
const tenant: fc.Arbitrary<AnyDocument[]> = fc
  .tuple(documents, identity, identity, fc.boolean(), fc.constantFrom('emea', 'apac'))
  .map(([all, one, other, described, region]): AnyDocument[] => {
    const identities = [one, JSON.stringify(one) === JSON.stringify(other) ? undefined : other];
    const named = all.map((document) => {
      const made = document.kind === 'Server' ? identities[document.name === 'files' ? 0 : 1] : undefined;
      return made ? ({ ...document, identity: made } as AnyDocument) : document;
    });
    const resource = {
      kind: 'Resource',
      server: 'files',
      type: 'tool',
      id: 'read_file',
      properties: { region },
    } as const;
    const policy = {
      kind: 'Policy',
      name: 'described',
      target: { servers: ['files'], actions: ['tools/call'], resources: ['read_file'] },
      rules: [{ name: 'r', effect: 'deny', to: ['any'], when: 'resource.properties.region == "apac"' }],
    } as AnyDocument;
    return described ? [...named, resource, policy] : named;
  });

/** A call that names people by their aliases, too, and servers by whatever leads to them. */
const anyCall: fc.Arbitrary<DecisionInput> = fc
  .tuple(call, fc.boolean(), fc.option(url, { nil: undefined }), fc.option(command, { nil: undefined }), fc.boolean())
  .map(([input, byAlias, where, words, named]) => ({
    ...input,
    subject: byAlias ? { ...input.subject, type: 'identity', id: `${input.subject.id}@example.com` } : input.subject,
    server: {
      ...(named || (where === undefined && words === undefined) ? input.server : {}),
      ...(where === undefined ? {} : { url: where }),
      ...(words === undefined ? {} : { command: words }),
    },
  }));

const setOf = (all: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document, version: 1 })));
const sameName = (one: AnyDocument, other: AnyDocument): boolean =>
  one.kind === other.kind && documentName(one) === documentName(other);

describe('a change', () => {
  it('shares a key with every decision that comes out otherwise after it', () => {
    let different = 0;
    let narrow = 0;
    fc.assert(
      fc.property(tenant, tenant, fc.nat(), fc.boolean(), anyCall, (all, others, which, isDeletion, input) => {
        const candidates = isDeletion ? all : others;
        const changed = candidates[which % candidates.length]!;
        const before = all.find((document) => sameName(document, changed));
        const after = isDeletion ? undefined : changed;
        const rest = all.filter((document) => !sameName(document, changed));

        const { keys, ...decided } = decide(setOf(all), input, [], NOW);
        const { keys: _keys, ...decidedAfter } = decide(setOf(after ? [...rest, after] : rest), input, [], NOW);
        if (JSON.stringify(decided) === JSON.stringify(decidedAfter)) return;
        const touched = touchedKeys(before, after);
        different++;
        if (!touched.includes('*')) narrow++;
        expect(touched.includes('*') || touched.some((key) => keys.includes(key))).toBe(true);
      }),
      { numRuns: Math.max(10_000, Number(process.env.PLACET_LAW_RUNS ?? 0)) },
    );
    expect(different).toBeGreaterThan(50);
    expect(narrow).toBeGreaterThan(20);
  });
});
