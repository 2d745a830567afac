import { describe, expect, it } from 'vitest';
import { DocumentSet, type AnyDocument, type TokenGroups } from '#policy';
import { may } from './ability.js';
import { administratorOf, type VerifiedPerson } from './people.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');

const ISSUER = {
  kind: 'Issuer',
  name: 'entra',
  issuer: 'https://login.example/x/v2.0',
  profile: 'generic',
  algorithms: ['RS256'],
  subjectType: 'user',
  keysGoodForSeconds: 3600,
};

const setOf = (...documents: object[]) =>
  DocumentSet.of(documents.map((document) => ({ document: document as AnyDocument, version: 1 })));

const bound = (to: string[], roles: string[], expires?: string) => ({
  kind: 'AdministratorBinding',
  name: `b-${roles.join('-')}`,
  to,
  roles,
  ...(expires === undefined ? {} : { expires }),
});

const mapped = (when: unknown, administration: string[], issuer = 'entra') => ({
  kind: 'Mapping',
  name: `m-${issuer}`,
  issuer,
  rules: [{ name: 'r', when, administration }],
});

const person = (over: Partial<VerifiedPerson> = {}): VerifiedPerson => ({
  id: 'user:entra/ann',
  issuer: 'entra',
  claims: { dept: 'it' },
  groups: { names: ['entra:admins'], complete: true },
  ...over,
});

const rolesOf = (documents: object[], over: Partial<VerifiedPerson> = {}, issuer: object = {}) =>
  administratorOf(setOf({ ...ISSUER, ...issuer }, ...documents), person(over), NOW).roles;

describe('what a person may administer', () => {
  const seen: TokenGroups = { names: ['entra:admins'], complete: false };
  const unseen: TokenGroups = { names: ['entra:others'], complete: false };

  it.each<[string, object[], Partial<VerifiedPerson>, string[]]>([
    ['by its verified id', [bound(['user:entra/ann'], ['owner'])], {}, ['owner']],
    ['by a group', [bound(['group:entra:admins'], ['owner'])], {}, ['owner']],
    ['by a group that was seen among others', [bound(['group:entra:admins'], ['owner'])], { groups: seen }, ['owner']],
    ['by a claim', [mapped([{ claim: '/dept', equals: 'it' }], ['auditor'])], {}, ['auditor']],
    [
      'by all of them',
      [bound(['user:entra/ann'], ['user']), mapped('always', ['auditor', 'user'])],
      {},
      ['auditor', 'user'],
    ],
    ['not as somebody else', [bound(['user:entra/bob', 'service:entra/ann'], ['owner'])], {}, []],
    ['not by a group that was not seen', [bound(['group:entra:admins'], ['owner'])], { groups: unseen }, []],
    ['not by a group that is not known', [bound(['group:entra:admins'], ['owner'])], { groups: null }, []],
    ['not by a group without its prefix', [bound(['group:admins'], ['owner'])], {}, []],
    ['not by a claim that is another', [mapped([{ claim: '/dept', equals: 'hr' }], ['owner'])], {}, []],
    ['not by a claim that is absent', [mapped([{ claim: '/dept', equals: 'it' }], ['owner'])], { claims: {} }, []],
    ['not by a group that claims leave open', [mapped([{ group: 'entra:x' }], ['owner'])], { groups: unseen }, []],
    ['not by what claims of another issuer give', [mapped('always', ['owner'], 'okta')], {}, []],
    [
      'not by an alias that a Subject document gives',
      [
        { kind: 'Subject', type: 'user', id: 'ann', aliases: [{ type: 'user', id: 'entra/ann' }] },
        bound(['user:ann'], ['owner']),
      ],
      {},
      [],
    ],
    [
      'not by groups and roles that a Subject document gives',
      [
        { kind: 'Subject', type: 'user', id: 'entra/ann', groups: ['stored'] },
        { kind: 'Role', name: 'admin' },
        { kind: 'Binding', name: 'b', subjects: ['user:entra/ann'], roles: ['admin'] },
        bound(['group:stored'], ['owner']),
      ],
      {},
      [],
    ],
    [
      'not as a person of an issuer that is gone',
      [bound(['user:okta/ann'], ['owner'])],
      { id: 'user:okta/ann', issuer: 'okta' },
      [],
    ],
    ['not with an id of another issuer', [bound(['user:okta/ann'], ['owner'])], { id: 'user:okta/ann' }, []],
    ['not by a binding that has expired', [bound(['user:entra/ann'], ['owner'], '2026-11-20T12:00:00Z')], {}, []],
  ])('%s', (_what, documents, over, roles) => {
    expect(rolesOf(documents, over)).toEqual(roles);
  });

  it('is nothing while a claim that the issuer requires is not as it must be', () => {
    const require = [{ claim: '/hd', equals: 'example.com' }];
    const owner = [bound(['user:entra/ann'], ['owner'])];
    expect(rolesOf(owner, {}, { require })).toEqual([]);
    expect(rolesOf(owner, { claims: { hd: 'example.com' } }, { require })).toEqual(['owner']);
  });

  it('is nothing for an id of a type that the issuer does not give any more', () => {
    expect(rolesOf([bound(['user:entra/ann'], ['owner'])], {}, { subjectType: 'employee' })).toEqual([]);
  });

  it('ends with the first binding that counted, and rests on who the person is and on what administrators may', () => {
    const documents = setOf(
      ISSUER,
      bound(['user:entra/ann'], ['auditor'], '2026-11-21T00:00:00Z'),
      bound(['group:entra:admins'], ['user'], '2026-11-20T13:00:00Z'),
      bound(['user:entra/bob'], ['owner'], '2026-11-20T12:30:00Z'),
    );
    const administration = administratorOf(documents, person(), NOW);
    expect(administration.validUntil).toBe(Date.parse('2026-11-20T13:00:00Z'));
    expect(administration.keys).toEqual(['administration', 'subject:user:entra/ann', 'issuer:entra']);
    expect(may(administration.ability, 'read', 'Policy')).toBe(true);
  });
});
