import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import { MAX_REACHES, reachesOf, type Reach } from './reach.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');

const { documents, problems } = parseDocuments({
  text: `
{ kind: Role, name: employee }
---
{ kind: Role, name: sales, inherits: [employee] }
---
{ kind: Role, name: chief, inherits: [lead, sales] }
---
{ kind: Role, name: lead, inherits: [employee] }
---
{ kind: Binding, name: people, subjects: ['group:emea'], roles: [sales] }
---
{ kind: Binding, name: chiefs, subjects: ['user:ann', 'group:board'], roles: [employee, chief] }
---
{ kind: Binding, name: former, subjects: ['user:ann'], roles: [employee], expires: '2026-11-20T12:00:00Z' }
---
{ kind: Binding, name: still, subjects: ['user:bob'], roles: [employee], expires: '2026-11-20T12:00:01Z' }
`,
});
const { memberships } = PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));

const reaches = (to: readonly string[], id: string, groups: readonly string[] | null): Reach[] =>
  reachesOf(memberships, to, { key: `user:${id}`, groups: groups && new Set(groups) }, NOW);

const told = (reach: Reach): string => {
  if (reach.by === 'group') return `group ${reach.group}`;
  if (reach.by !== 'role') return reach.by;
  return `${reach.binding}${reach.group === null ? '' : ` (${reach.group})`}: ${reach.chain.join('>')}`;
};

it('is about documents that are valid', () => {
  expect(problems).toEqual([]);
});

describe('a rule names somebody', () => {
  it.each<[string[], string, string[] | null, string[]]>([
    [['any'], 'zoe', null, ['any']],
    [['user:ann', 'any', 'user:bob'], 'ann', [], ['any', 'subject']],
    [['user:ann'], 'bob', [], []],
    [['service:ann'], 'ann', [], []],
    [['group:b', 'group:a', 'group:c'], 'zoe', ['b', 'a'], ['group a', 'group b']],
    // Nobody knows.
    [['group:a', 'role:sales'], 'zoe', null, []],
    [['role:sales'], 'zoe', ['emea'], ['people (emea): sales']],
    [['role:employee'], 'zoe', ['emea'], ['people (emea): sales>employee']],
    // Each role that a binding gives is a way; what has expired is none; of two ways by inheritance the shortest is told.
    [['role:employee'], 'ann', [], ['chiefs: chief>lead>employee', 'chiefs: employee']],
    [['role:employee'], 'bob', [], ['still: employee']],
    [
      ['role:sales', 'role:lead'],
      'ann',
      ['emea', 'board'],
      [
        'chiefs: chief>lead',
        'chiefs (board): chief>lead',
        'chiefs: chief>sales',
        'chiefs (board): chief>sales',
        'people (emea): sales',
      ],
    ],
    // Inheritance goes one way.
    [['role:chief'], 'zoe', ['emea'], []],
    [['role:nothing'], 'ann', [], []],
  ])('%j: %s in %j by %j', (to, id, groups, expected) => {
    expect(reaches(to, id, groups).map(told)).toEqual(expected);
  });

  it('in no more ways than are told', () => {
    const groups = Array.from({ length: 30 }, (_, index) => `g${index}`);
    const to = groups.map((group) => `group:${group}`);
    expect(reaches(to, 'zoe', groups)).toHaveLength(MAX_REACHES);
    const many = PolicySet.of([
      ...documents.map(({ document }) => ({ document, version: 1 })),
      {
        document: { kind: 'Binding', name: 'all', subjects: groups.map((group) => `group:${group}`), roles: ['lead'] },
        version: 1,
      },
    ]);
    const subject = { key: 'user:zoe', groups: new Set(groups) };
    expect(reachesOf(many.memberships, ['role:lead'], subject, NOW)).toHaveLength(MAX_REACHES);
  });
});

it('ends on roles that inherit each other, though none are ever saved', () => {
  const set = PolicySet.of([
    { document: { kind: 'Role', name: 'a', inherits: ['b'] }, version: 1 },
    { document: { kind: 'Role', name: 'b', inherits: ['a'] }, version: 1 },
    { document: { kind: 'Binding', name: 'x', subjects: ['user:ann'], roles: ['a'] }, version: 1 },
  ]);
  const subject = { key: 'user:ann', groups: null };
  expect(reachesOf(set.memberships, ['role:b', 'role:c'], subject, NOW).map(told)).toEqual(['x: a>b']);
});
