import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import type { Json, JsonObject } from '../model.js';
import { decide, decideListing, type Decision } from './decide.js';
import { OBLIGATIONS } from './obligations.js';
import { agreementsTo, type Consent } from './requirements.js';
import { BY_TOOL, type DecisionInput } from './request.js';

const BASE = `
{ kind: Host, name: desk }
---
{ kind: Subject, id: ann, aliases: [{ type: identity, id: ann@example.com }], groups: [] }
---
kind: Server
name: crm
tools: { query: { operation: read }, load: { operation: read, arguments: { path: path } } }
`;

const setOf = (rules: readonly string[], more: string[] = []): PolicySet => {
  const defaults = more.some((text) => text.includes('Tenant'))
    ? []
    : ['{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }'];
  const named = rules.map((rule, at) => `{ name: r${at}, to: [any], ${rule} }`).join(', ');
  const policy = `{ kind: Policy, name: p, target: { actions: ['*'], resources: ['*'] }, rules: [${named}] }`;
  const { documents, problems } = parseDocuments({
    text: [BASE, ...defaults, ...(rules.length > 0 ? [policy] : []), ...more].join('\n---\n'),
  });
  expect(problems).toEqual([]);
  return PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
};

const CALL: DecisionInput = {
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'tools/call',
  resource: { type: 'tool', id: 'query', properties: {} },
  server: { name: 'crm' },
  arguments: {},
  operation: BY_TOOL,
  definition: 'd'.repeat(64),
  session: null,
  context: {},
  kind: 'ordinary',
};

const call = (given: JsonObject): Partial<DecisionInput> => ({ arguments: given });
const can = (...supportedObligations: string[]): Partial<DecisionInput> => ({ supportedObligations });

/** What comes of the agreement of everybody who is asked by these rules. */
const agreed = (set: PolicySet, input: DecisionInput, ...rules: string[]): Consent[] =>
  agreementsTo(
    decide(set, { ...input, supportedObligations: undefined }, [], 0).requirements.filter(({ rule }) =>
      rules.includes(rule?.rule ?? 'default'),
    ),
  );

const decided = (rules: string[], input: Partial<DecisionInput> = {}, more: string[] = []): Decision =>
  decide(setOf(rules, more), { ...CALL, ...input }, [], 0);

const ASKED = 'consent: { by: [subject] }';
const ALL = 'effect: allow';
const kept = ({ obligations }: Decision): Json[] =>
  obligations.filter(({ type }) => type === 'fields').map(({ keep }) => keep!);

describe('an allow for some arguments', () => {
  const rule = 'effect: allow, fields: { arguments: [region, "filter.*"] }';

  it.each<[JsonObject, string]>([
    [{}, 'allow'],
    [{ region: 'emea' }, 'allow'],
    [{ region: ['emea'], filter: { a: 1, b: { c: 2 } } }, 'allow'],
    [{ region: 'emea', sql: 'drop' }, 'deny'],
    [{ filter: {} }, 'deny'],
    [{ filter: 1 }, 'deny'],
    [{ sql: null }, 'deny'],
    [{ 'filter.a': 1 }, 'deny'],
  ])('%j: %s', (given, effect) => {
    expect(decided([rule], call(given)).effect).toBe(effect);
  });

  it('is none for other arguments, whatever else it says', () => {
    expect(decided([`${rule}, obligations: [{ type: redact, fields: [a] }]`, ALL], call({ sql: 1 }))).toMatchObject({
      effect: 'allow',
      obligations: [],
    });
  });

  it('is listed as one that hangs on the arguments', () => {
    const listed = decideListing(setOf([rule]), { ...CALL, arguments: 'unknown' }, 0);
    expect(listed).toMatchObject({ effect: 'allow', conditional: true });
  });

  it('is not found by a search that knows no arguments', () => {
    expect(decided([rule], { arguments: 'unknown' }).effect).toBe('deny');
  });
});

describe('the fields of the result that an allow covers', () => {
  const fields = (...names: string[]) => `effect: allow, fields: { result: [${names.join(', ')}] }`;
  const noArgument = 'when: arguments.x == 1';

  it.each<[string, string[], string[], Json[]]>([
    ['those of the one rule', [fields('b', 'a')], [], [['a', 'b']]],
    ['all of the rules together', [fields('a', 'b'), fields('b', 'c')], [], [['a', 'b', 'c']]],
    ['everything where one rule says nothing', [fields('a'), ALL], [], []],
    ['not those of a rule that is false', [fields('a'), `${fields('b')}, when: 'false'`], [], [['a']]],
    ['not those of a rule in error', [fields('a'), `${fields('b')}, ${noArgument}`], [], [['a']]],
    ['not everything by a rule in error', [fields('a'), `${ALL}, ${noArgument}`], [], [['a']]],
    ['not those that must be agreed to first', [fields('a'), `${fields('b')}, ${ASKED}`], [], [['a']]],
    ['not everything that must be agreed to first', [fields('a'), `${ALL}, ${ASKED}`], [], [['a']]],
    ['what was agreed to', [`${fields('a')}, ${ASKED}`, `${fields('b')}, ${ASKED}`], ['r0', 'r1'], [['a', 'b']]],
    ['everything that was agreed to', [`${fields('a')}, ${ASKED}`, `${ALL}, ${ASKED}`], ['r0', 'r1'], []],
    [
      'what was agreed to, within what a rule in error covers',
      [`${ALL}, ${ASKED}`, `${fields('b')}, ${noArgument}`],
      ['r0'],
      [['b']],
    ],
    [
      'what was agreed to and what a rule in error covers, each by itself',
      [`${fields('a')}, ${ASKED}`, `${fields('b')}, ${noArgument}`],
      ['r0'],
      [['a'], ['b']],
    ],
    ['no shadow rule', [fields('a'), `${ALL}, enforce: false`], [], [['a']]],
    ['no ask rule', [fields('a'), `effect: ask, ${ASKED}`], ['r1'], [['a']]],
  ])('are %s', (_, rules, agreements, expected) => {
    const set = setOf(rules);
    const decision = decide(set, CALL, agreed(set, CALL, ...agreements), 0);
    expect(decision.effect).toBe('allow');
    expect(kept(decision)).toEqual(expected);
  });

  it('are limited by a rule in error where the default allows', () => {
    const tenant = `{ kind: Tenant, name: default, defaults: { effect: ask, ${ASKED}, hostScope: {} } }`;
    const set = setOf([`${fields('a')}, ${noArgument}`], [tenant]);
    expect(kept(decide(set, CALL, agreed(set, CALL, 'default'), 0))).toEqual([['a']]);
  });

  it('stand beside what is redacted', () => {
    const redact = 'obligations: [{ type: redact, fields: [a] }]';
    expect(decided([`${fields('a', 'b')}, ${redact}`]).obligations).toEqual([
      { type: 'redact', fields: ['a'] },
      { type: 'fields', keep: ['a', 'b'] },
    ]);
  });
});

describe('sessions that end', () => {
  const END = 'obligations: [{ type: session_termination }]';

  it('are those of the person, by the name that is stored', () => {
    const alias = { subject: { ...CALL.subject, type: 'identity', id: 'ann@example.com' } };
    expect(decided([`${ALL}, ${END}`], alias).obligations).toEqual([
      { type: 'session_termination', subject: 'user:ann' },
    ]);
  });

  it('are those of everybody whom a rule names', () => {
    const bob = 'obligations: [{ type: session_termination, subject: "user:bob" }]';
    expect(decided([`${ALL}, ${END}`, `${ALL}, ${bob}`, `${ALL}, ${bob}`]).obligations).toEqual([
      { type: 'session_termination', subject: 'user:ann' },
      { type: 'session_termination', subject: 'user:bob' },
    ]);
  });
});

describe('what a host can carry out', () => {
  const redact = 'obligations: [{ type: redact, fields: [ssn] }]';
  const log = 'obligations: [{ type: log, level: full }]';

  it.each<[string, string[], string[] | undefined, string, string | null]>([
    ['an allow without obligations, by a host that can do nothing', [ALL], [], 'allow', null],
    ['an allow with one that the host can do', [`${ALL}, ${redact}`], ['redact'], 'allow', null],
    ['an allow for a host that says nothing', [`${ALL}, ${redact}`], undefined, 'allow', null],
    ['an allow with one that it cannot do', [`${ALL}, ${redact}`], ['log'], 'deny', "'redact'"],
    ['an allow with two', [`${ALL}, ${redact}`, `${ALL}, ${log}`], ['step-up'], 'deny', "'log' and 'redact'"],
    ['one of a rule in error', [ALL, `${ALL}, when: arguments.x == 1, ${redact}`], [], 'deny', "'redact'"],
    ['one of a rule that is false', [ALL, `${ALL}, when: 'false', ${redact}`], [], 'allow', null],
    ['the fields of a result', ['effect: allow, fields: { result: [a] }'], ['redact', 'mask'], 'deny', "'fields'"],
    ['an ask that could only come to a deny', [ALL, `effect: ask, ${ASKED}, ${redact}`], [], 'deny', "'redact'"],
    ['an ask that can be carried out', [ALL, `effect: ask, ${ASKED}, ${redact}`], ['redact'], 'ask', null],
    ['a name that is not its own', [`${ALL}, ${redact}`], ['toString', 'Redact', 'custom:redact'], 'deny', "'redact'"],
    ['a deny', ['effect: deny', `${ALL}, ${redact}`], [], 'deny', null],
  ])('%s', (_, rules, supported, effect, named) => {
    const decision = decided(rules, { supportedObligations: supported });
    expect(decision.effect).toBe(effect);
    expect(decision.detail).toBe(named && `the host does not say that it can carry out ${named}`);
    if (named !== null)
      expect(decision).toMatchObject({ reason: 'obligation_unsupported', obligations: [], requirements: [] });
  });

  const paths = ['{ kind: Scope, server: crm, paths: { allow: ["/work/**"] } }'];
  const load: Partial<DecisionInput> = {
    resource: { type: 'tool', id: 'load', properties: {} },
    ...call({ path: '/work/a' }),
  };

  it('counts what a boundary obliges to', () => {
    expect(decided([ALL], { ...load, ...can() }, paths)).toMatchObject({
      effect: 'deny',
      reason: 'obligation_unsupported',
      detail: "the host does not say that it can carry out 'resolve_realpath'",
    });
    expect(decided([ALL], { ...load, ...can('resolve_realpath') }, paths).effect).toBe('allow');
  });

  it.each<[string, string[], string[], string, boolean]>([
    ['what every call obliges to', [`${ALL}, ${redact}`], [], 'deny', false],
    ['what it can do', [`${ALL}, ${redact}`], ['redact'], 'allow', false],
    ['what some calls oblige to', [ALL, `${ALL}, when: arguments.x == 1, ${redact}`], [], 'allow', true],
    ['fields that every call is limited to', ['effect: allow, fields: { result: [a] }'], [], 'deny', false],
    [
      'fields that some calls are limited to',
      ['effect: allow, fields: { result: [a] }', `${ALL}, when: arguments.x == 1`],
      [],
      'allow',
      true,
    ],
    ['what must be agreed to', [ALL, `effect: ask, ${ASKED}, ${log}`], [], 'deny', false],
  ])('decides on what is listed: %s', (_, rules, supported, effect, conditional) => {
    const input = { ...CALL, ...can(...supported), arguments: 'unknown' as const };
    expect(decideListing(setOf(rules), input, 0)).toMatchObject({ effect, conditional });
  });

  it('does not find what some arguments oblige to', () => {
    const rules = [ALL, `${ALL}, when: arguments.x == 1, ${redact}`];
    expect(decided(rules, { arguments: 'unknown', ...can() }).reason).toBe('obligation_unsupported');
    const perhaps = [`effect: ask, ${ASKED}`, ALL];
    expect(decided(perhaps, { arguments: 'unknown', ...can() }).effect).toBe('ask');
  });

  it('names every obligation that a document can have', () => {
    const each = [
      '{ type: redact, fields: [a] }',
      '{ type: mask, fields: [a] }',
      '{ type: log, level: full }',
      '{ type: step-up, acr: gold }',
      '{ type: notification, to: a, body: b }',
      '{ type: session_termination }',
    ];
    const { obligations } = decided(
      [`${ALL}, fields: { result: [a] }, obligations: [${each.join(', ')}]`],
      load,
      paths,
    );
    expect(new Set(obligations.map(({ type }) => type))).toEqual(new Set(OBLIGATIONS));
  });
});
