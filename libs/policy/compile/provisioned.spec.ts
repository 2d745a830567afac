import { describe, expect, it } from 'vitest';
import { decide } from '../decide/decide.js';
import { BY_TOOL, type DecisionInput } from '../decide/request.js';
import { groupsOfPerson } from '../mapping/groups.js';
import type { IssuerDocument } from '../documents/schema.js';
import { parseDocuments } from '../documents/parse.js';
import { PolicySet } from './policy-set.js';

const issuer = (provisioning = ''): string =>
  `{ kind: Issuer, name: idp, issuer: 'https://idp.example.com', groups: { prefix: 'x:' }${provisioning} }`;

function setOf(text: string): PolicySet {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
}

const row = (name: string, over: object = {}) => ({
  row: name,
  issuer: 'idp',
  identity: name,
  active: true,
  groups: [],
  ...over,
});
const person = (id: string, type = 'user') => [{ type, id: `idp/${id}` }];

describe('whom a connector keeps out', () => {
  it.each<[string, string, string, string, boolean]>([
    ['whoever is active', ', provisioning: { scim: true }', 'ann', 'user', false],
    ['whoever is not', ', provisioning: { scim: true }', 'bob', 'user', true],
    ['a stranger, who may', ', provisioning: { scim: true }', 'cara', 'user', false],
    ['a stranger, who may not', ', provisioning: { scim: true, required: true }', 'cara', 'user', true],
    ['nobody, where it is none any more', '', 'bob', 'user', false],
    ['nobody of another type', ', provisioning: { scim: true, required: true }', 'bob', 'service', false],
  ])('%s', (_who, provisioning, id, type, kept) => {
    const set = setOf(issuer(provisioning));
    set.provision([row('ann'), row('bob', { active: false })]);
    expect(set.keepsOut(person(id, type))).toBe(kept);
    expect(set.fork([]).keepsOut(person(id, type))).toBe(kept);
  });

  it('follows a row to another identity, and lets one take the place of another', () => {
    const set = setOf(issuer(', provisioning: { scim: true, required: true }'));
    set.provision([row('ann')]);
    set.provision([row('gone', { identity: 'ann', active: false }), row('ann', { identity: 'dora' })]);
    expect([set.keepsOut(person('ann')), set.keepsOut(person('dora'))]).toEqual([true, false]);
    set.provision([row('new', { identity: 'ann' })]);
    expect(set.keepsOut(person('ann'))).toBe(false);
    set.provision([row('ann', { identity: null })]);
    expect(set.keepsOut(person('dora'))).toBe(true);
  });
});

const ASKED: DecisionInput = {
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'tools/call',
  resource: { type: 'tool', id: 'read', properties: {} },
  server: { name: 'files' },
  arguments: { n: 1 },
  operation: BY_TOOL,
  session: null,
  context: {},
  kind: 'ordinary',
};

describe('what a decision rests on', () => {
  it('has the Issuer by whose word somebody may come to be kept out, under each of their names', () => {
    const set = setOf(`${issuer()}\n---\n{ kind: Subject, id: ann, aliases: [{ type: user, id: idp/ann }] }`);
    const keysOf = (id: string) => decide(set, { ...ASKED, subject: { ...ASKED.subject, id } }, [], 0).keys;
    expect(keysOf('idp/bob')).toEqual(expect.arrayContaining(['issuer:idp', 'subject:user:idp/bob']));
    expect(keysOf('ann')).toEqual(expect.arrayContaining(['issuer:idp', 'subject:user:idp/ann', 'subject:user:ann']));
    expect(keysOf('other/bob')).toContain('issuer:other');
  });
});

describe('groups of a person', () => {
  const groups = (provisioning: string, rows: ReturnType<typeof row>[], claims: object) => {
    const set = setOf(issuer(provisioning));
    set.provision(rows);
    const document: IssuerDocument = set.documents.find('Issuer', 'idp')!.document;
    return groupsOfPerson(set, document, claims as never);
  };
  const SCIM = ', provisioning: { scim: true, groups: scim }';

  it.each<[string, string, object, object, unknown]>([
    ['those of the token', ', provisioning: { scim: true }', { groups: ['a'] }, {}, { names: ['x:t'], complete: true }],
    ['those that are provisioned', SCIM, { groups: ['a', 'b'] }, {}, { names: ['x:a', 'x:b'], complete: true }],
    ['none', SCIM, {}, {}, { names: [], complete: true }],
    ['unknown for a stranger', SCIM, {}, { sub: 'other' }, null],
    ['unknown for whoever is not active', SCIM, { active: false, groups: ['a'] }, {}, null],
    ['some, and one that has no name', SCIM, { groups: ['a', null] }, {}, { names: ['x:a'], complete: false }],
    ['some, and one that no rule can name', SCIM, { groups: ['a', 'b\n'] }, {}, { names: ['x:a'], complete: false }],
  ])('are %s', (_what, provisioning, stored, claims, expected) => {
    expect(groups(provisioning, [row('ann', stored)], { sub: 'ann', groups: ['t'], ...claims })).toEqual(expected);
  });
});
