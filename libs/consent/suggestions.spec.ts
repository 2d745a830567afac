import { describe, expect, it } from 'vitest';
import { operationWord } from '#mcp';
import { decide, parseDocuments, PolicySet, type DecisionInput } from '#policy';
import type { AnsweredRule, AnsweredThing } from '#store';
import { suggestionOf } from './suggestions.js';

const BLOCK = { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' };

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Host, name: laptop }
---
kind: Server
name: mail
tools: { send: { operation: create }, drop: { operation: delete }, run: { operation: execute }, rule: { operation: admin }, odd: {} }
---
{ kind: Server, name: other, tools: { send: { operation: create } } }
---
kind: Policy
name: gated
target: { actions: [tools/call, resources/read], resources: ['*'] }
rules:
  - { name: all, effect: allow, to: [any] }
  - { name: gate, effect: ask, to: [any], unless: 'arguments.?free.orValue(false)', consent: { by: [subject] } }
`;

function setOf(text: string): PolicySet {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
}
const set = setOf(DOCUMENTS);

const rule = (over: Partial<AnsweredRule> = {}): AnsweredRule => ({
  policy: 'gated',
  rule: 'gate',
  consent: BLOCK,
  answers: 20,
  agreed: 20,
  ...over,
});

const thing = (over: Partial<AnsweredThing> = {}): AnsweredThing => ({
  agent: 'desk',
  server: 'mail',
  action: 'tools/call',
  resourceType: 'tool',
  resourceId: 'send',
  subjectType: 'user',
  subjectId: 'ann',
  answers: 10,
  agreed: 10,
  ...over,
});

/** What is answered when somebody does such a thing. */
function effect(policies: PolicySet, of: AnsweredThing, to = 'somebody new'): string {
  const input: DecisionInput = {
    subject: { type: of.subjectType, id: of.subjectId, properties: {}, assurance: 'asserted' },
    agent: of.agent,
    action: of.action,
    resource: { type: of.resourceType, id: of.resourceId, properties: {} },
    server: of.server === null ? null : { name: of.server },
    arguments: { to },
    operation: operationWord(of.action),
    session: null,
    context: {},
    definition: '0'.repeat(64),
    kind: 'ordinary',
  };
  return decide(policies, input, [], 0).effect;
}

/** The policies with what is suggested, compiled from its text. */
function applied(text: string, before = set): PolicySet {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return before.fork(
    documents.map(({ document }) => ({ kind: 'Policy', name: 'gated', stored: { document, version: 2 } })),
  );
}

const suggested = (things: readonly AnsweredThing[], of = set) => suggestionOf(of, rule(), things, operationWord);

describe('a suggestion', () => {
  it('allows what was agreed to, and no neighbour: no other combination either', () => {
    const things = [
      thing(),
      thing({ subjectId: 'bob' }),
      thing({ agent: 'laptop', resourceType: 'resource', resourceId: 'file:///a/b', action: 'resources/read' }),
    ];
    const suggestion = suggested(things)!;
    expect(suggestion).toMatchObject({ policy: 'gated', rule: 'gate', answers: 20, agreed: 20, needless: 30 });
    const after = applied(suggestion.document);
    for (const each of things) expect([effect(set, each), effect(after, each)]).toEqual(['ask', 'allow']);
    const neighbours: Partial<AnsweredThing>[] = [
      { subjectId: 'cy' },
      { subjectType: 'service', subjectId: 'ann' },
      { agent: 'laptop' },
      { server: 'other' },
      { resourceId: 'drop' },
      { action: 'resources/read', resourceType: 'resource', resourceId: 'file:///send' },
      { ...things[2], agent: 'desk' },
      { ...things[2], subjectId: 'bob' },
    ];
    for (const each of neighbours) expect(effect(after, thing(each)), JSON.stringify(each)).toBe('ask');
  });

  it('adds to an allow rule that asks one that does not, under the same conditions', () => {
    const asking = setOf(
      DOCUMENTS.replace('{ name: all, effect: allow, to: [any] }', '{ name: none, effect: deny, to: ["user:nobody"] }')
        .replace('effect: ask, to: [any]', `effect: allow, to: ["user:ann"], when: 'arguments.to != "eve"'`)
        .replace(/ unless: '[^']*',/, ''),
    );
    const suggestion = suggested([thing(), thing({ subjectId: 'bob' })], asking)!;
    const after = applied(suggestion.document, asking);
    expect([effect(asking, thing()), effect(after, thing())]).toEqual(['ask', 'allow']);
    expect([effect(asking, thing(), 'eve'), effect(after, thing(), 'eve')]).toEqual(['deny', 'deny']);
    // Whom the rule is not for it is not for now.
    expect(effect(after, thing({ subjectId: 'bob' }))).toBe('deny');
    expect(effect(after, thing({ agent: 'laptop' }))).toBe('ask');
  });

  it.each<[string, Partial<AnsweredThing>]>([
    ['deletes', { resourceId: 'drop' }],
    ['executes', { resourceId: 'run' }],
    ['administers', { resourceId: 'rule' }],
    ['does nobody knows what', { resourceId: 'odd' }],
    ['is not registered', { resourceId: 'unheard-of' }],
    ['is on a server that is not', { server: 'unheard-of' }],
    ['is on no server', { server: null }],
    ['is no method of MCP', { action: 'delete', resourceType: 'record' }],
    ['was refused once', { answers: 11 }],
    ['nobody agreed to', { answers: 0, agreed: 0 }],
  ])('has nothing in it that %s', (_, over) => {
    expect(suggested([thing(over)])).toBeUndefined();
    const beside = suggested([thing(over), thing({ subjectId: 'bob' })])!;
    expect(beside.needless).toBe(10);
    expect(effect(applied(beside.document), thing({ ...over, server: over.server ?? 'mail' }))).not.toBe('allow');
  });

  it('is no longer than a condition may be, and leaves out what is too much', () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      thing({ resourceId: 'send', subjectId: `p${index}`, agent: `h${index}` }),
    );
    const suggestion = suggested(many)!;
    expect(suggestion.needless).toBeGreaterThan(100);
    expect(suggestion.needless).toBeLessThan(1000);
    applied(suggestion.document);
  });
});
