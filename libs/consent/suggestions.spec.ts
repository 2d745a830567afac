import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationWord } from '#mcp';
import { canonicalJson, decide, lint, parseDocuments, PolicySet, type DecisionInput, type JsonObject } from '#policy';
import type { AnsweredRule, AnsweredThing } from '#store';
import { told, valuesOf } from './shown-values.js';
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

/** What people were shown of arguments. */
const shown = (given: JsonObject): AnsweredThing['arguments'] => valuesOf(given, []) as unknown as JsonObject[];

const thing = (over: Partial<AnsweredThing> = {}): AnsweredThing => ({
  agent: 'desk',
  server: 'mail',
  action: 'tools/call',
  resourceType: 'tool',
  resourceId: 'send',
  subjectType: 'user',
  subjectId: 'ann',
  purpose: null,
  arguments: shown({ to: 'max' }),
  answers: 10,
  agreed: 10,
  ...over,
});

interface Asked {
  readonly arguments?: JsonObject;
  readonly properties?: JsonObject;
  readonly context?: JsonObject;
}

/** What is answered when somebody does such a thing. */
function effect(policies: PolicySet, of: AnsweredThing, asked: Asked = {}): string {
  const input: DecisionInput = {
    subject: { type: of.subjectType, id: of.subjectId, properties: {}, assurance: 'asserted' },
    agent: of.agent,
    action: of.action,
    resource: { type: of.resourceType, id: of.resourceId, properties: asked.properties ?? {} },
    server: of.server === null ? null : { name: of.server },
    arguments: asked.arguments ?? { to: 'max' },
    operation: operationWord(of.action),
    session: null,
    context: asked.context ?? {},
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
    const toEve = { arguments: { to: 'eve' } };
    expect([effect(asking, thing(), toEve), effect(after, thing(), toEve)]).toEqual(['deny', 'deny']);
    expect(effect(after, thing(), { arguments: { to: 'ivo' } })).toBe('ask');
    // Whom the rule is not for it is not for now.
    expect(effect(after, thing({ subjectId: 'bob' }))).toBe('deny');
    expect(effect(after, thing({ agent: 'laptop' }))).toBe('ask');
  });

  it.each<[string, JsonObject, Asked]>([
    ['another argument', { to: 'max' }, { arguments: { to: 'eve' } }],
    ['one more argument', { to: 'max' }, { arguments: { to: 'max', cc: 'eve' } }],
    ['one more that is null', { to: 'max' }, { arguments: { to: 'max', cc: null } }],
    ['one less', { to: 'max', cc: 'ivo' }, { arguments: { to: 'max' } }],
    ['an argument of another type', { to: 'max' }, { arguments: { to: ['max'] } }],
    ['arguments where there were none', {}, { arguments: { to: 'max' } }],
    ['another member deep within', { of: { a: [{ b: 1 }] } }, { arguments: { of: { a: [{ b: 1, c: 1 }] } } }],
    ['another element', { of: ['a', 'b'] }, { arguments: { of: ['a', 'c'] } }],
    ['one more element', { of: [null] }, { arguments: { of: [null, null] } }],
    ['another value than null', { of: null }, { arguments: { of: 0 } }],
    ['another number', { of: 0.1 }, { arguments: { of: 0.2 } }],
    ['a purpose', { to: 'max' }, { arguments: { to: 'max' }, context: { purpose: 'fun' } }],
    ['an attribute that nobody was shown', { to: 'max' }, { arguments: { to: 'max' }, properties: { secret: true } }],
    ['an attribute of the action', { to: 'max' }, { arguments: { to: 'max' }, context: { action: { force: true } } }],
  ])('lets nothing through that has %s', (_what, given, other) => {
    const after = applied(suggested([thing({ arguments: shown(given) })])!.document);
    expect(effect(after, thing(), { arguments: given })).toBe('allow');
    expect(effect(after, thing(), other)).toBe('ask');
  });

  it('is for the purpose that was named, and for each call by itself', () => {
    const things = [
      thing({ purpose: told('a "report"\nfor max'), arguments: shown({ to: 'max' }) }),
      thing({ purpose: told('tidying'), arguments: shown({ to: 'ivo' }) }),
    ];
    const after = applied(suggested(things)!.document);
    const of = (purpose: string | undefined, to: string) =>
      effect(after, thing(), { arguments: { to }, context: purpose === undefined ? {} : { purpose } });
    expect([of('a "report"\nfor max', 'max'), of('tidying', 'ivo')]).toEqual(['allow', 'allow']);
    for (const purpose of ['tidying', 'a "report" for max', '', undefined]) expect(of(purpose, 'max')).toBe('ask');
  });

  it('lets exactly those arguments through that were agreed to, whatever they are', () => {
    const given = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 4,
    }) as fc.Arbitrary<JsonObject>;
    let said = 0;
    fc.assert(
      fc.property(given, given, (agreed, other) => {
        const suggestion = suggested([thing({ arguments: shown(agreed) })]);
        if (!suggestion) return;
        said++;
        const after = applied(suggestion.document);
        expect(effect(after, thing(), { arguments: agreed })).toBe('allow');
        for (const asked of [other, { ...agreed, ...other }, { ...agreed, '': 0 }])
          if (canonicalJson(asked) !== canonicalJson(agreed))
            expect(effect(after, thing(), { arguments: asked })).toBe('ask');
      }),
      { numRuns: 300 },
    );
    expect(said).toBeGreaterThan(30);
  });

  it.each<[string, Partial<AnsweredThing>]>([
    ['that were not shown whole', { arguments: shown({ text: 'x'.repeat(9000) }) }],
    ['with an empty object, whose type no condition can tell', { arguments: shown({ of: {} }) }],
    ['with a number that no condition can have', { arguments: shown({ of: 2 ** 60 }) }],
    ['of a record that does not say them', { arguments: null }],
    ['that no text of ours has', { arguments: [{ place: 'a.__proto__.b', type: 'number', text: 'x' }] }],
    ['that are within what is no object', { arguments: [...shown({ a: 1 })!, ...shown({ a: { b: 1 } })!] }],
    ['for a purpose that was not shown whole', { purpose: told('x'.repeat(9000)) }],
    ['for a purpose that no text of ours has', { purpose: 'a\u200bb' }],
  ])('has nothing in it of arguments %s', (_what, over) => {
    expect(suggested([thing(over)])).toBeUndefined();
    expect(suggested([thing(over), thing({ subjectId: 'bob' })])!.needless).toBe(10);
  });

  it('has nothing in it that lint finds', () => {
    const { document } = suggested([thing(), thing({ purpose: 'tidying', arguments: shown({ to: 'ivo', n: 1 }) })])!;
    const codes = (of: PolicySet) => lint(of.documents).map(({ code, message }) => `${code}: ${message}`);
    expect(codes(applied(document))).toEqual(codes(set));
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
