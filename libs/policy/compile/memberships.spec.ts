import { describe, expect, it } from 'vitest';
import type { BindingDocument, RoleDocument } from '../documents/schema.js';
import { Memberships, type SupposedRole } from './memberships.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const at = (ms: number): string => new Date(NOW + ms).toISOString();

const role = (name: string, ...inherits: string[]): RoleDocument => ({ kind: 'Role', name, inherits });
const binding = (subjects: string[], roles: string[], expires?: string): BindingDocument => ({
  kind: 'Binding',
  name: 'b',
  subjects,
  roles,
  ...(expires === undefined ? {} : { expires }),
});

/** Roles that inherit in a diamond: lead from writer and auditor, both from reader. */
function memberships(...bindings: readonly BindingDocument[]): Memberships {
  const made = new Memberships();
  for (const document of [
    role('reader'),
    role('writer', 'reader'),
    role('auditor', 'reader'),
    role('lead', 'writer', 'auditor'),
  ])
    made.setRole(document.name, document);
  bindings.forEach((document, index) => made.setBinding(`b${index}`, undefined, document));
  return made;
}

const known = (...groups: string[]): ReadonlySet<string> => new Set(groups);
const sorted = (roles: ReadonlySet<string>): string[] => [...roles].sort();

describe('the roles of a subject', () => {
  it.each<[BindingDocument[], ReadonlySet<string> | null, string[], string[]]>([
    [[], known(), [], []],
    [[binding(['user:ann'], ['reader'])], known(), ['reader'], []],
    [[binding(['user:ann'], ['lead'])], known(), ['auditor', 'lead', 'reader', 'writer'], []],
    [[binding(['user:ann'], ['writer', 'auditor'])], known(), ['auditor', 'reader', 'writer'], []],
    [[binding(['user:ann'], ['unheard'])], known(), ['unheard'], []],
    [[binding(['user:bob'], ['reader'])], known(), [], []],
    [[binding(['user:bob', 'user:ann'], ['reader'])], known(), ['reader'], []],
    [[binding(['service:ann'], ['reader'])], known(), [], []],
    [
      [binding(['user:ann'], ['writer']), binding(['user:ann'], ['auditor'])],
      known(),
      ['auditor', 'reader', 'writer'],
      [],
    ],

    // groups
    [[binding(['group:emea'], ['writer'])], known('emea'), ['reader', 'writer'], []],
    [[binding(['group:emea'], ['writer'])], known('apac'), [], []],
    [[binding(['group:emea'], ['writer'])], known('EMEA'), [], []],
    [
      [binding(['group:emea'], ['writer']), binding(['user:ann'], ['auditor'])],
      known('emea'),
      ['auditor', 'reader', 'writer'],
      [],
    ],
    [[binding(['user:emea'], ['writer'])], known('emea'), [], []],

    // groups that are not known may bring whatever any group brings
    [[binding(['group:emea'], ['writer'])], null, [], ['reader', 'writer']],
    [
      [binding(['group:emea'], ['writer']), binding(['group:apac'], ['auditor'])],
      null,
      [],
      ['auditor', 'reader', 'writer'],
    ],
    [
      [binding(['user:ann'], ['auditor']), binding(['group:x'], ['writer'])],
      null,
      ['auditor', 'reader'],
      ['reader', 'writer'],
    ],
    [[binding(['user:bob'], ['auditor'])], null, [], []],
  ])('by %j in the groups %j are %j, and perhaps %j', (bindings, groups, roles, possible) => {
    const held = memberships(...bindings).rolesOf('user:ann', groups, NOW);
    expect(sorted(held.roles)).toEqual(roles);
    expect(sorted(held.possibleRoles)).toEqual(possible);
    expect(held).toMatchObject({ key: 'user:ann', groups, validUntil: null });
  });

  it('make the keys by which rules name the subject', () => {
    const held = memberships(binding(['group:emea'], ['writer'])).rolesOf('user:ann', known('emea', 'apac'), NOW);
    expect([...held.indexKeys].sort()).toEqual([
      'any',
      'group:apac',
      'group:emea',
      'role:reader',
      'role:writer',
      'user:ann',
    ]);
    expect(memberships().rolesOf('user:ann', null, NOW).indexKeys).toEqual(['any', 'user:ann']);
  });

  it('come to an end on a cycle, though none is ever saved', () => {
    const made = memberships(binding(['user:ann'], ['reader']));
    made.setRole('reader', role('reader', 'lead'));
    expect(sorted(made.rolesOf('user:ann', known(), NOW).roles)).toEqual(['auditor', 'lead', 'reader', 'writer']);
  });
});

describe('a binding that expires', () => {
  it.each<[string | undefined, boolean, number | null]>([
    [undefined, true, null],
    [at(1), true, NOW + 1],
    [at(0), false, null],
    [at(-1), false, null],
    ['2026-11-20T13:00:00+01:00', false, null],
    ['2026-11-20T13:00:00.001+01:00', true, NOW + 1],
    ['2026-11-20T12:00Z', false, null],
    ['no time at all', false, null],
  ])('at %s counts: %s', (expires, counts, validUntil) => {
    for (const [groups, subject] of [
      [known(), 'user:ann'],
      [known('emea'), 'group:emea'],
    ] as const) {
      const held = memberships(binding([subject], ['reader'], expires)).rolesOf('user:ann', groups, NOW);
      expect(sorted(held.roles)).toEqual(counts ? ['reader'] : []);
      expect(held.validUntil).toBe(validUntil);
    }
    const unknown = memberships(binding(['group:emea'], ['reader'], expires)).rolesOf('user:ann', null, NOW);
    expect(sorted(unknown.possibleRoles)).toEqual(counts ? ['reader'] : []);
    expect(unknown.validUntil).toBe(validUntil);
  });

  it('bounds an answer by the first that counted', () => {
    const made = memberships(
      binding(['user:ann'], ['reader'], at(2000)),
      binding(['user:ann'], ['writer'], at(1000)),
      binding(['user:ann'], ['writer'], at(3000)),
      binding(['user:ann'], ['auditor']),
      binding(['user:ann'], ['lead'], at(-1)),
      binding(['user:bob'], ['lead'], at(10)),
      binding(['group:apac'], ['lead'], at(20)),
    );
    expect(made.rolesOf('user:ann', known(), NOW).validUntil).toBe(NOW + 1000);
    expect(made.rolesOf('user:ann', known(), NOW + 1000).validUntil).toBe(NOW + 2000);
    expect(made.rolesOf('user:ann', known(), NOW + 2000).validUntil).toBe(NOW + 3000);
    expect(made.rolesOf('user:ann', known(), NOW + 3000).validUntil).toBeNull();
  });
});

describe('a change', () => {
  const rolesNow = (made: Memberships, key = 'user:ann', groups = known('emea')) =>
    sorted(made.rolesOf(key, groups, NOW).roles);

  it('of a binding replaces what it gave', () => {
    const before = binding(['user:ann', 'group:emea'], ['writer']);
    const made = memberships(before);
    made.setBinding('b0', before, binding(['user:bob'], ['auditor']));
    expect(rolesNow(made)).toEqual([]);
    expect(rolesNow(made, 'user:bob')).toEqual(['auditor', 'reader']);
  });

  it('of a binding leaves what other bindings give', () => {
    const before = binding(['user:ann'], ['writer']);
    const made = memberships(before, binding(['user:ann'], ['auditor']));
    made.setBinding('b0', before, undefined);
    expect(rolesNow(made)).toEqual(['auditor', 'reader']);
    expect(sorted(made.rolesOf('user:ann', null, NOW).possibleRoles)).toEqual([]);
  });

  it('of a role reaches whoever holds it', () => {
    const made = memberships(binding(['user:ann'], ['lead']));
    expect(rolesNow(made)).toEqual(['auditor', 'lead', 'reader', 'writer']);
    made.setRole('lead', role('lead', 'auditor'));
    expect(rolesNow(made)).toEqual(['auditor', 'lead', 'reader']);
    made.setRole('auditor', role('auditor', 'writer'));
    expect(rolesNow(made)).toEqual(['auditor', 'lead', 'reader', 'writer']);
    made.setRole('auditor', undefined);
    expect(rolesNow(made)).toEqual(['auditor', 'lead']);
  });
});

describe('the ways to a role', () => {
  const ann = { key: 'user:ann', groups: known('emea') };

  it('are the bindings that count, as whom, and the shortest inheritance', () => {
    const made = memberships(
      binding(['user:ann'], ['reader', 'lead'], at(1000)),
      binding(['group:emea'], ['writer']),
      binding(['user:ann'], ['auditor'], at(-1)),
      binding(['user:bob', 'group:apac'], ['reader']),
    );
    const ways = made.waysTo(new Set(['reader', 'nobody']), ann, NOW, 10);
    expect(ways).toEqual(
      new Map([
        [
          'reader',
          [
            { binding: 'b0', group: null, through: ['lead', 'writer', 'reader'], expires: NOW + 1000 },
            { binding: 'b0', group: null, through: ['reader'], expires: NOW + 1000 },
            { binding: 'b1', group: 'emea', through: ['writer', 'reader'], expires: null },
          ],
        ],
      ]),
    );
    expect(made.waysTo(new Set(['reader']), ann, NOW, 2).get('reader')).toHaveLength(2);
    expect(made.waysTo(new Set(['writer']), { ...ann, groups: null }, NOW, 9).get('writer')).toHaveLength(1);
  });

  it('come to an end on a cycle', () => {
    const made = memberships(binding(['user:ann'], ['lead']));
    made.setRole('reader', role('reader', 'lead'));
    const [way] = made.waysTo(new Set(['reader']), ann, NOW, 1).get('reader')!;
    expect(way!.through).toEqual(['lead', 'writer', 'reader']);
  });
});

describe('roles that are supposed', () => {
  const made = memberships(
    binding(['user:ann'], ['writer']),
    binding(['group:emea'], ['writer', 'auditor']),
    binding(['group:apac'], ['lead']),
  );
  const supposing = (groups: ReadonlySet<string> | null, supposed?: SupposedRole) => {
    const held = made.rolesOf('user:ann', groups, NOW, supposed);
    return [sorted(held.roles), sorted(held.possibleRoles)];
  };

  it.each<[ReadonlySet<string> | null, SupposedRole, string[], string[]]>([
    [known(), { given: 'lead' }, ['auditor', 'lead', 'reader', 'writer'], []],
    [known(), { given: 'unheard' }, ['reader', 'unheard', 'writer'], []],
    [known('emea'), { taken: 'writer' }, ['auditor', 'reader'], []],
    [known(), { taken: 'writer' }, [], []],
    // Only what is given can be taken, not what is inherited.
    [known(), { taken: 'reader' }, ['reader', 'writer'], []],
    [null, { taken: 'lead' }, ['reader', 'writer'], ['auditor', 'reader', 'writer']],
  ])('in the groups %j by %j are %j, and perhaps %j', (groups, supposed, roles, possible) => {
    const before = supposing(groups);
    expect(supposing(groups, supposed)).toEqual([roles, possible]);
    expect(supposing(groups)).toEqual(before);
  });

  it('stand in the index as well', () => {
    expect(made.rolesOf('user:ann', known(), NOW, { given: 'auditor' }).indexKeys).toContain('role:auditor');
  });
});

describe('roles by claims', () => {
  const made = memberships(
    binding(['group:emea'], ['auditor']),
    binding(['group:apac'], ['lead']),
    binding(['user:ann'], ['reader']),
  );
  const mapped = (heldRoles: string[], possible: string[] = []) => ({ held: heldRoles, possible, ways: [] });
  const open = { mayBeInMore: true, mapped: null };

  it.each<[string, Parameters<Memberships['rolesOf']>[4], string[], string[], boolean]>([
    ['complete', { mayBeInMore: false, mapped: null }, ['auditor', 'reader'], [], true],
    ['incomplete', open, ['auditor', 'reader'], ['auditor', 'lead', 'reader', 'writer'], false],
    ['mapped', { mayBeInMore: false, mapped: mapped(['writer']) }, ['auditor', 'reader', 'writer'], [], true],
    [
      'possible',
      { mayBeInMore: false, mapped: mapped([], ['writer']) },
      ['auditor', 'reader'],
      ['reader', 'writer'],
      false,
    ],
  ])('with groups and claims that are %s', (_name, known_, roles, possible, isCertain) => {
    const held = made.rolesOf('user:ann', known('emea'), NOW, undefined, known_);
    expect([sorted(held.roles), sorted(held.possibleRoles), held.isCertain]).toEqual([roles, possible, isCertain]);
  });

  it('stand in the index, where they are only possible as well', () => {
    const { indexKeys } = made.rolesOf('user:ann', known(), NOW, undefined, {
      mayBeInMore: false,
      mapped: mapped(['auditor'], ['lead']),
    });
    expect(indexKeys).toEqual(expect.arrayContaining(['role:auditor', 'role:lead', 'role:writer']));
  });

  it('can be taken away for an explanation, wherever they come from', () => {
    const known_ = { mayBeInMore: false, mapped: mapped(['writer'], ['lead']) };
    const without = (taken: string) => made.rolesOf('user:ann', known(), NOW, { taken }, known_);
    expect(sorted(without('writer').roles)).toEqual(['reader']);
    expect(sorted(without('lead').possibleRoles)).toEqual([]);
  });

  it('are reached on ways of their own', () => {
    const by = (role: string, possible = false) => ({ mapping: 'm', version: 1, rule: 'r', role, possible });
    const ways = [by('lead'), by('writer', true), by('elsewhere')];
    const found = made.mappedWaysTo(new Set(['reader']), { held: [], possible: [], ways }, 5);
    expect(found).toEqual(
      new Map([
        [
          'reader',
          [
            { by: ways[0], through: ['lead', 'writer', 'reader'] },
            { by: ways[1], through: ['writer', 'reader'] },
          ],
        ],
      ]),
    );
    expect(made.mappedWaysTo(new Set(['reader']), { held: [], possible: [], ways }, 1).get('reader')).toHaveLength(1);
  });
});
