import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, callArguments, documents, NOW } from '#policy/testing';
import { PolicySet } from '../compile/policy-set.js';
import { decide, decideListing } from '../decide/decide.js';
import { BY_TOOL, type DecisionInput } from '../decide/request.js';
import { parseDocuments } from '../documents/parse.js';
import { documentName, type AnyDocument } from '../documents/schema.js';
import type { Effect } from '../model.js';
import { referenceDecide } from '../testing/reference.js';
import { accessOf, withinBoundaries, type Access } from './access.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);
const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: RUNS });

const compiled = (all: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document, version: 1 })));

const RANK: Readonly<Record<Effect, number>> = { deny: 0, ask: 1, allow: 2 };

const nameless = (access: Access) =>
  access.rules().rules.map(({ ref, effect, outcome }) => [`${ref.policy}/${ref.rule}`, effect, outcome]);

/** The same about somebody of whom only what is stored is known, as whoever asks who can do what knows it. */
const asStored = ({ subject: { type, id }, ...input }: DecisionInput): DecisionInput => ({
  ...input,
  subject: { type, id, properties: {}, assurance: 'asserted' },
});

describe('somebody’s access', () => {
  it('is what the reference interpreter decides of that one request', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const set = compiled(all);
        const access = accessOf(set, input, NOW);
        const { reason } = decide(set, input, [], NOW);
        if (reason !== 'obligations_conflict')
          expect(access.effect).toBe(referenceDecide(all, input, new Set(), NOW).effect);
        expect(access).toMatchObject({ conditional: false, denied: access.effect === 'deny' ? reason : null });
      }),
    );
  });

  it('without arguments is at least what any arguments give, and what a listing says', () => {
    holds(
      fc.property(documents, call, callArguments, (all, input, given) => {
        const set = compiled(all);
        const open = { ...input, arguments: 'unknown' as const };
        const access = accessOf(set, open, NOW);
        const { effect } = referenceDecide(all, { ...input, arguments: given }, new Set(), NOW);
        expect(RANK[access.effect]).toBeGreaterThanOrEqual(RANK[effect]);
        if (!access.conditional && access.effect !== 'allow')
          expect(RANK[effect]).toBeLessThanOrEqual(RANK[access.effect]);
        const { effect: listed, conditional, denied } = decideListing(set, open, NOW);
        expect(access).toMatchObject({ effect: listed, conditional, denied });
        expect(denied === null).toBe(listed !== 'deny');
      }),
    );
  });

  it('says of a deny why, as the decision says it that is a deny whatever the arguments are', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const set = compiled(all.filter(({ kind }) => kind !== 'Scope'));
        const { denied } = accessOf(set, { ...input, arguments: 'unknown' }, NOW);
        if (denied === null || denied === 'rule_in_error') return;
        // Guardrails come before all of these.
        // With arguments another deny rule can come first, and schemas are not among the random documents.
        expect([denied, 'guardrail', 'denied_by_rule', 'rule_in_error']).toContain(decide(set, input, [], NOW).reason);
      }),
    );
  });

  it('names for every rule but those in error a way in which the rule names them', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const access = accessOf(compiled(all), asStored(input), NOW);
        for (const { effect, outcome, reached } of access.rules().rules) {
          if (outcome === 'true') expect(reached).not.toEqual([]);
          expect(effect === 'allow' && outcome === 'error').toBe(false);
        }
      }),
    );
  });

  it('ends with the binding that it names, if that is the only way', () => {
    holds(
      fc.property(documents, call, (all, one) => {
        const input = asStored(one);
        const before = accessOf(compiled(all), input, NOW);
        for (const { ref, outcome, reached } of before.rules().rules) {
          const [only] = reached;
          if (outcome !== 'true' || reached.length !== 1 || only!.by !== 'role') continue;
          const less = all.filter(
            (document) => documentName(document) !== only!.binding || document.kind !== 'Binding',
          );
          expect(less).toHaveLength(all.length - 1);
          const after = nameless(accessOf(compiled(less), input, NOW));
          expect(after).not.toContainEqual([`${ref.policy}/${ref.rule}`, expect.anything(), 'true']);
        }
      }),
    );
  });
});

const { documents: parsed, problems } = parseDocuments({
  text: `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: { operations: { deny: [admin] } } } }
---
{ kind: Host, name: desk }
---
{ kind: Host, name: closed }
---
{ kind: Host, name: stopped }
---
{ kind: Scope, host: closed, servers: { allow: [other] } }
---
kind: Server
name: files
tools: { read: { operation: read, arguments: { path: path } }, stat: { operation: read }, wipe: { operation: admin } }
---
{ kind: Scope, server: files, name: a-homes, paths: { allow: ['~/work/**'] } }
---
{ kind: Scope, server: files, name: b-no-links, resources: { deny: ['*link*'] } }
---
{ kind: Server, name: disk, tools: { read: { operation: read, arguments: { path: path } } } }
---
{ kind: Scope, server: disk, paths: { allow: ['/work/**'] } }
---
{ kind: Server, name: net }
---
{ kind: Scope, server: net, paths: { deny: ['~/secret/**'] } }
`,
});

describe('the boundaries of a host', () => {
  const set = compiled([
    ...parsed.map(({ document }) => document),
    { kind: 'Suspension', of: 'Host', name: 'stopped' },
  ]);

  const use = (host: string, server: string, type: string, id: string): DecisionInput => ({
    subject: { type: 'user', id: 'nobody', properties: {}, assurance: 'asserted' },
    agent: host,
    action: type === 'tool' ? 'tools/call' : 'resources/read',
    resource: { type, id, properties: {} },
    server: { name: server },
    arguments: {},
    operation: type === 'tool' ? BY_TOOL : 'read',
    session: null,
    context: {},
    kind: 'ordinary',
  });

  it('are those of valid documents', () => {
    expect(problems).toEqual([]);
  });

  it.each<[string, string, string, string, string]>([
    ['desk', 'files', 'tool', 'stat', 'inside'],
    ['desk', 'files', 'tool', 'read', 'perhaps'],
    ['desk', 'files', 'tool', 'wipe', 'outside_boundary'],
    ['desk', 'files', 'tool', 'undeclared', 'outside_boundary'],
    // Whose home it is decides; but what another clause or scope keeps out stays out.
    ['desk', 'files', 'resource', 'file:///home/ann/work/a', 'perhaps'],
    ['desk', 'files', 'resource', 'file:///home/ann/work/link', 'outside_boundary'],
    ['desk', 'net', 'resource', 'file:///home/ann/secret/a', 'perhaps'],
    ['desk', 'disk', 'resource', 'file:///work/a', 'inside'],
    ['desk', 'disk', 'resource', 'file:///home/ann/a', 'outside_boundary'],
    ['desk', 'disk', 'tool', 'read', 'perhaps'],
    ['closed', 'files', 'tool', 'stat', 'outside_boundary'],
    ['stopped', 'files', 'tool', 'stat', 'suspended'],
    ['unknown', 'files', 'tool', 'stat', 'agent_unknown'],
    ['desk', 'unknown', 'tool', 'stat', 'server_unknown'],
  ])('%s, %s, %s %s: %s', (host, server, type, id, expected) => {
    const { within, conditional, denied } = withinBoundaries(set, use(host, server, type, id));
    expect(within ? (conditional ? 'perhaps' : 'inside') : denied).toBe(expected);
  });

  it('are closed where there are none', () => {
    const bare = compiled(parsed.map(({ document }) => document).filter(({ kind }) => kind !== 'Tenant'));
    expect(withinBoundaries(bare, use('desk', 'files', 'tool', 'stat'))).toMatchObject({ within: false });
  });

  it('let through whatever is allowed or asked', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const random = compiled(all);
        const { effect } = decide(random, input, [], NOW);
        const stranger = { ...input.subject, id: '\u0000', properties: {} };
        const open: DecisionInput = { ...input, subject: stranger, arguments: 'unknown' };
        if (effect !== 'deny') expect(withinBoundaries(random, open).within).toBe(true);
      }),
    );
  });
});

it('tells no more than fifty rules of one access, and how many more there are', () => {
  const set = compiled([
    { kind: 'Host', name: 'desk' },
    { kind: 'Server', name: 's' },
    { kind: 'Tenant', name: 't', defaults: { effect: 'deny', hostScope: {} } },
    {
      kind: 'Policy',
      name: 'p',
      target: { servers: ['s'], actions: ['tools/call'], resources: ['*'] },
      rules: Array.from({ length: 70 }, (_, at) => ({ name: `r${at}`, effect: 'allow' as const, to: ['any'] })),
    },
  ]);
  const { rules, more } = accessOf(
    set,
    {
      subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
      agent: 'desk',
      action: 'tools/call',
      resource: { type: 'tool', id: 't', properties: {} },
      server: { name: 's' },
      arguments: {},
      operation: null,
      session: null,
      context: {},
      kind: 'ordinary',
    },
    NOW,
  ).rules();
  expect([rules.length, more]).toEqual([50, 20]);
});
