import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import type { AnyDocument } from '../documents/schema.js';
import { ANY_GROUP, keyOfIssuerText } from '../documents/touches.js';
import { explain } from '../explain/explain.js';
import { mapClaims } from '../mapping/map-claims.js';
import type { DecisionInput } from './request.js';
import { decide, decideListing } from './decide.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const WORLD = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: crm, tools: { query: {} } }
---
{ kind: Role, name: employee }
---
{ kind: Role, name: sales, inherits: [employee] }
---
{ kind: Binding, name: b, subjects: ['group:staff'], roles: [sales] }
---
{ kind: Subject, id: bob, aliases: [{ type: user, id: company/1 }], groups: [], properties: { region: apac } }
---
{ kind: Issuer, name: company, issuer: 'https://idp.example.com', subjectTokens: { audiences: [a] } }
---
kind: Mapping
name: company
issuer: company
rules:
  - { name: sales, when: [{ group: sellers }], roles: [sales], properties: { region: { value: emea } } }
`;

const allow = (rule: string) => `{ name: r, effect: allow, to: [any], ${rule} }`;
const deny = (rule: string) => `${allow('when: "true"')}, { name: d, effect: deny, to: [any], ${rule} }`;

function setOf(rules: string): PolicySet {
  const policy = `{ kind: Policy, name: p, target: { actions: [tools/call], resources: [query] }, rules: [${rules}] }`;
  const { documents, problems } = parseDocuments({ text: `${WORLD}---\n${policy}` });
  expect(problems).toEqual([]);
  return PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
}

const TOKEN = { issuer: 'company', iss: 'https://idp.example.com', sub: '7', acr: 'mfa', scope: ['a'] };
const ISSUER = { name: 'company', iss: TOKEN.iss };

function input(subject: Partial<DecisionInput['subject']> = {}): DecisionInput {
  return {
    subject: {
      type: 'user',
      id: 'company/7',
      properties: {},
      assurance: 'verified',
      token: TOKEN,
      issuer: ISSUER,
      ...subject,
    },
    agent: 'desk',
    action: 'tools/call',
    resource: { type: 'tool', id: 'query', properties: {} },
    server: { name: 'crm' },
    arguments: {},
    operation: null,
    session: null,
    context: {},
    kind: 'ordinary',
  };
}

const effectOf = (rules: string, subject?: Partial<DecisionInput['subject']>) => {
  const { effect, reason } = decide(setOf(rules), input(subject), [], NOW);
  return effect === 'allow' ? 'allow' : reason;
};

const SOME = { groups: { names: ['a', 'staff'], complete: false } };
const OTHERS = { groups: { names: ['a'], complete: false } };
const ALL = { groups: { names: ['a'], complete: true } };
const role = (name: string) => `{ name: r, effect: allow, to: ["role:${name}"] }`;
const to = (name: string) => `${allow('when: "true"')}, { name: d, effect: deny, to: ["${name}"] }`;

describe('a subject with incomplete groups', () => {
  it.each<[string, Partial<DecisionInput['subject']>, string]>([
    ['{ name: r, effect: allow, to: ["group:staff"] }', SOME, 'allow'],
    ['{ name: r, effect: allow, to: ["group:staff"] }', OTHERS, 'no_rule_allows'],
    ['{ name: r, effect: allow, to: ["group:staff"] }', { groups: null }, 'no_rule_allows'],
    [to('group:staff'), SOME, 'denied_by_rule'],
    [to('group:staff'), OTHERS, 'rule_in_error'],
    [to('group:staff'), { groups: null }, 'rule_in_error'],
    [to('group:staff'), ALL, 'allow'],
    [role('employee'), SOME, 'allow'],
    [role('employee'), OTHERS, 'no_rule_allows'],
    [to('role:employee'), OTHERS, 'rule_in_error'],
    [to('role:employee'), ALL, 'allow'],
    [to('role:nobody'), OTHERS, 'allow'],
    [allow(`when: '"staff" in subject.groups'`), SOME, 'allow'],
    [allow(`when: '"staff" in subject.groups'`), OTHERS, 'no_rule_allows'],
    [allow(`unless: '"staff" in subject.groups'`), OTHERS, 'no_rule_allows'],
    [allow(`unless: '"staff" in subject.groups'`), ALL, 'allow'],
    [allow(`unless: '"staff" in subject.groups'`), { groups: null }, 'no_rule_allows'],
    [deny(`when: '"staff" in subject.groups'`), OTHERS, 'rule_in_error'],
    [deny(`when: '!("staff" in subject.groups)'`), SOME, 'allow'],
    // Everything else that is done with a part of the groups is in error, also where the part would decide.
    [deny('when: "subject.groups.size() > 1"'), OTHERS, 'rule_in_error'],
    [deny('when: "subject.groups == []"'), OTHERS, 'rule_in_error'],
    [deny(`when: 'subject.groups.exists(g, g == "x")'`), OTHERS, 'rule_in_error'],
    [deny(`when: '!subject.groups.all(g, g == "a")'`), OTHERS, 'rule_in_error'],
    [deny(`when: 'subject.groups[0] != "a"'`), OTHERS, 'rule_in_error'],
    [deny(`when: '"x" in (subject.groups + ["y"])'`), OTHERS, 'rule_in_error'],
    [deny(`when: '"x" in subject.?groups.orValue([])'`), OTHERS, 'rule_in_error'],
    [deny(`when: 'null in subject.groups'`), OTHERS, 'rule_in_error'],
    [deny('when: "!has(subject.groups)"'), OTHERS, 'allow'],
  ])('%s, with %j: %s', (rules, subject, answer) => {
    expect(effectOf(rules, subject)).toBe(answer);
  });

  it('takes no groups that a host asserts, nor for groups of a token what is stored', () => {
    const isIn = '{ name: r, effect: allow, to: ["group:staff"] }';
    const asserted = { properties: { groups: ['staff'] } };
    expect(effectOf(isIn, asserted)).toBe('no_rule_allows');
    expect(effectOf(to('group:staff'), asserted)).toBe('rule_in_error');
    expect(effectOf(isIn, { ...asserted, assurance: 'asserted' })).toBe('allow');
    expect(effectOf(isIn, { ...SOME, id: 'company/1' })).toBe('no_rule_allows');
    expect(effectOf(to('group:staff'), { groups: null, id: 'company/1' })).toBe('allow');
  });

  it('rests on every group, as more of them could be its own', () => {
    const { keys } = decide(setOf(role('sales')), input(SOME), [], NOW);
    expect(keys).toEqual(expect.arrayContaining(['group:a', 'group:staff', ANY_GROUP]));
    expect(decide(setOf(role('sales')), input(ALL), [], NOW).keys).not.toContain(ANY_GROUP);
  });
});

describe('a role by claims', () => {
  const roles = (held: string[], possible: string[] = []) => ({ ...ALL, roles: { held, possible, ways: [] } });
  it.each<[string, Partial<DecisionInput['subject']>, string]>([
    [role('sales'), roles(['sales']), 'allow'],
    [role('employee'), roles(['sales']), 'allow'],
    [role('sales'), roles(['employee']), 'no_rule_allows'],
    [role('sales'), roles([], ['sales']), 'no_rule_allows'],
    [to('role:sales'), roles(['sales']), 'denied_by_rule'],
    [to('role:sales'), roles([], ['sales']), 'rule_in_error'],
    [to('role:employee'), roles([], ['sales']), 'rule_in_error'],
    [to('role:employee'), roles(['employee'], ['sales']), 'denied_by_rule'],
    [to('role:sales'), roles(['employee']), 'allow'],
  ])('%s, with %j: %s', (rules, subject, answer) => {
    expect(effectOf(rules, subject)).toBe(answer);
  });

  it('is explained by the rule of the Mapping that gives it, with what it leads to', () => {
    const set = setOf(role('employee'));
    const groups = { names: ['sellers'], complete: true };
    const { roles: given, properties } = mapClaims(set.documents.all('Mapping'), { name: 'company' }, {}, groups);
    const asked = input({ groups, roles: given, properties });
    const decision = decide(set, asked, [], NOW);
    const told = explain({ set, input: asked, consents: [], now: NOW, decision });
    expect(told.roles).toEqual([
      {
        role: 'employee',
        held: 'true',
        ways: [{ mapping: 'company', rule: 'sales', by: 'user:company/7', through: ['sales', 'employee'] }],
      },
    ]);
    expect(told.counterfactual).toMatchObject({ change: 'remove_role', role: 'sales', effect: 'deny' });
  });

  it('that is only possible is said to be', () => {
    const set = setOf(role('sales'));
    const { roles: given, unsure } = mapClaims(set.documents.all('Mapping'), { name: 'company' }, {}, null);
    const asked = input({ ...ALL, roles: given, unsure });
    const told = explain({ set, input: asked, consents: [], now: NOW, decision: decide(set, asked, [], NOW) });
    expect(told.roles).toMatchObject([
      { role: 'sales', held: 'error', ways: [{ mapping: 'company', possible: true }] },
    ]);
  });
});

describe('an attribute that a mapping could set or not', () => {
  const unsure = { ...ALL, unsure: ['region'] };
  it.each<[string, Partial<DecisionInput['subject']>, string]>([
    [allow(`when: 'subject.properties.region == "emea"'`), unsure, 'no_rule_allows'],
    [
      allow(`when: 'subject.properties.region == "emea"'`),
      { ...unsure, properties: { region: 'emea' } },
      'no_rule_allows',
    ],
    [allow(`when: 'subject.properties.other == 1'`), { ...unsure, properties: { other: 1 } }, 'allow'],
    [deny('when: "has(subject.properties.region)"'), unsure, 'rule_in_error'],
    [deny('when: "has(subject.properties.other)"'), unsure, 'allow'],
    [deny(`when: '"region" in subject.properties'`), unsure, 'rule_in_error'],
    [deny(`when: '"other" in subject.properties'`), unsure, 'allow'],
    [deny(`when: 'subject.properties["region"] == "x"'`), unsure, 'rule_in_error'],
    [deny(`when: 'subject.properties.?region.orValue("a") == "x"'`), unsure, 'rule_in_error'],
    [deny('when: "subject.properties.size() > 0"'), unsure, 'rule_in_error'],
    [deny(`when: 'subject.properties.exists(name, name == "x")'`), unsure, 'rule_in_error'],
    [deny(`when: 'subject.properties == context'`), unsure, 'rule_in_error'],
    [allow(`when: 'subject.properties.region == "apac"'`), { ...unsure, id: 'company/1' }, 'allow'],
  ])('%s, with %j: %s', (rules, subject, answer) => {
    expect(effectOf(rules, subject)).toBe(answer);
  });

  it('is no home for paths', () => {
    const set = setOf(allow('when: "true"'));
    const scope: AnyDocument = { kind: 'Scope', name: 's', server: 'crm', paths: { allow: ['~/x/**'] } };
    const server: AnyDocument = { kind: 'Server', name: 'crm', tools: { query: { arguments: { path: 'path' } } } };
    set.apply([
      { kind: 'Scope', name: 's', stored: { document: scope, version: 1 } },
      { kind: 'Server', name: 'crm', stored: { document: server, version: 2 } },
    ]);
    const at = (subject: Partial<DecisionInput['subject']>) =>
      decide(
        set,
        { ...input({ properties: { home: '/home/ann' }, ...subject }), arguments: { path: '~/x/a' } },
        [],
        NOW,
      ).reason;
    expect(at({})).toBe('allowed');
    expect(at({ unsure: ['home'] })).toBe('outside_boundary');
  });
});

describe('the token of a subject', () => {
  it.each<[string, Partial<DecisionInput['subject']>, string]>([
    [allow(`when: 'subject.token.acr == "mfa"'`), {}, 'allow'],
    [allow(`when: 'subject.token.acr == "other"'`), {}, 'no_rule_allows'],
    [allow(`when: '"a" in subject.token.scope'`), {}, 'allow'],
    [allow(`when: 'subject.token.act.sub == "x"'`), { token: { act: { sub: 'x' } } }, 'allow'],
    [allow(`when: 'subject.assurance == "verified"'`), {}, 'allow'],
    [allow(`when: 'subject.assurance == "verified"'`), { assurance: 'asserted' }, 'no_rule_allows'],
    [allow('when: "!has(subject.token)"'), { token: undefined }, 'allow'],
    [allow('when: "has(subject.token)"'), { token: undefined }, 'no_rule_allows'],
    [deny(`when: 'subject.token.acr == "other"'`), { token: undefined }, 'rule_in_error'],
    [deny(`when: 'has(subject.token) && subject.token.acr == "other"'`), { token: undefined }, 'allow'],
  ])('%s, with %j: %s', (rules, subject, answer) => {
    expect(effectOf(rules, { ...ALL, ...subject })).toBe(answer);
  });

  it('makes the answer rest on who vouches for it, also before any rule', () => {
    const keys = ['issuer:company', keyOfIssuerText(TOKEN.iss)];
    const set = setOf(allow('when: "true"'));
    expect(decide(set, input(), [], NOW).keys).toEqual(expect.arrayContaining(keys));
    expect(decide(set, { ...input(), agent: 'x' }, [], NOW).keys).toEqual(expect.arrayContaining(keys));
    expect(decideListing(set, { ...input(), arguments: 'unknown' }, NOW).keys).toEqual(expect.arrayContaining(keys));
  });
});
