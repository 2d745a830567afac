import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import type { AnyDocument, ConsentBlock } from '../documents/schema.js';
import type { Requirement } from '../decide/requirements.js';
import type { JsonObject } from '../model.js';
import { entitlementOf, type Concerned } from './entitled.js';
import { personAt } from './person.js';
import { standingConsents, type Agreed, type StoredConsent } from './standing.js';

const NOW = Date.parse('2026-06-01T12:00:00Z');

const COMPANY = `
{ kind: Issuer, name: okta, issuer: 'https://okta.example.com', groups: { claim: /groups }, signIn: { clientId: a } }
---
{ kind: Issuer, name: apis, issuer: 'https://apis.example.com', subjectTokens: { audiences: [x] } }
---
{ kind: Role, name: lead }
---
{ kind: Role, name: head, inherits: [lead] }
---
{ kind: Role, name: oncall }
---
{ kind: Binding, name: leads, subjects: ['user:okta/lea'], roles: [lead] }
---
{ kind: Binding, name: heads, subjects: ['group:heads'], roles: [head] }
---
{ kind: Binding, name: oncall, subjects: ['user:okta/oda'], roles: [oncall], expires: '2026-06-01T12:10:00Z' }
---
{ kind: Binding, name: over, subjects: ['user:okta/max'], roles: [lead], expires: '2026-06-01T12:00:00Z' }
---
{ kind: Mapping, name: titles, issuer: okta, rules: [{ name: leads, when: [{ claim: /title, equals: lead }], roles: [lead] }] }
---
{ kind: Subject, id: ann, aliases: [{ type: user, id: okta/ann }], properties: { manager: okta/mia } }
---
{ kind: Subject, id: mia, aliases: [{ type: user, id: okta/mia }] }
---
{ kind: Server, name: crm, owner: 'group:crm-owners' }
`;

function setOf(text: string): PolicySet {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  const eve: AnyDocument = { kind: 'Suspension', of: 'Subject', name: 'user:okta/eve' };
  return PolicySet.of(
    [...documents.map(({ document }) => document), eve].map((document) => ({ document, version: 1 })),
  );
}

const set = setOf(COMPANY);
const ANN: Concerned = { subject: { type: 'user', id: 'ann', key: 'user:ann' }, server: { id: 'crm' } };

const person = (name: string, claims: JsonObject = {}, issuer = 'okta') => ({
  id: `user:${issuer}/${name}`,
  issuer,
  claims: { iss: 'https://okta.example.com', groups: [], ...claims },
});

const block = (given: Partial<ConsentBlock>): ConsentBlock => ({
  by: ['subject'],
  approvals: 1,
  notSelf: false,
  bind: 'all',
  ...given,
});

describe('who may agree', () => {
  it.each<[string, Partial<ConsentBlock>, ReturnType<typeof person>, string]>([
    ['the person, by an alias', { by: ['subject'] }, person('ann'), 'entitled'],
    ['somebody else', { by: ['subject'] }, person('bob'), 'none'],
    ['the holder of a role', { by: ['role:lead'] }, person('lea'), 'entitled'],
    ['the holder by inheritance and a group', { by: ['role:lead'] }, person('bob', { groups: ['heads'] }), 'entitled'],
    ['the holder by claims', { by: ['role:lead'] }, person('bob', { title: 'lead' }), 'entitled'],
    ['nobody whose binding has expired', { by: ['role:lead'] }, person('max'), 'none'],
    ['nobody whose groups are not known', { by: ['role:lead', 'group:heads'] }, person('bob', { groups: 1 }), 'none'],
    ['a member of a group', { by: ['group:x'] }, person('bob', { groups: ['x'] }), 'entitled'],
    ['somebody by name', { by: ['user:okta/bob'] }, person('bob'), 'entitled'],
    ['somebody by the name of the Subject that they are', { by: ['user:mia'] }, person('mia'), 'entitled'],
    ['somebody by another alias', { by: ['user:okta/mia'] }, person('mia'), 'entitled'],
    ['the manager that is stored', { by: ['manager'] }, person('mia'), 'entitled'],
    ['no other as the manager', { by: ['manager'] }, person('bob'), 'none'],
    ['the owner of the server', { by: ['owner'] }, person('bob', { groups: ['crm-owners'] }), 'entitled'],
    ['nobody else as the owner', { by: ['owner'] }, person('bob', { groups: ['others'] }), 'none'],
    ['not the person under notSelf', { by: ['role:lead'], notSelf: true }, person('ann', { title: 'lead' }), 'none'],
    ['the person as subject under notSelf', { by: ['subject', 'role:lead'], notSelf: true }, person('ann'), 'entitled'],
    ['the person as one of several without it', { by: ['role:lead'] }, person('ann', { title: 'lead' }), 'entitled'],
    ['who may break the glass', { by: ['role:lead'], breakGlass: ['role:oncall'] }, person('oda'), 'break_glass'],
    ['nobody else who would', { by: ['role:lead'], breakGlass: ['role:oncall'] }, person('bob'), 'none'],
    [
      'the person, breaking the glass, under notSelf',
      { by: ['role:lead'], notSelf: true, breakGlass: ['user:ann'] },
      person('ann'),
      'break_glass',
    ],
  ])('%s', (_who, by, who, expected) => {
    expect(entitlementOf(set, block(by), ANN, personAt(set, who, NOW)!)).toBe(expected);
  });

  it.each<[string, boolean, string]>([
    ['zoe', true, 'none'],
    ['zoe', false, 'entitled'],
    ['okta/zoe', true, 'entitled'],
    ['apis/zoe', true, 'none'],
    ['ann', true, 'entitled'],
  ])('about %s with notSelf %s, of whom it may not be known as whom they sign in: %s', (id, notSelf, expected) => {
    const about: Concerned = { subject: { type: 'user', id, key: `user:${id}` }, server: null };
    const lea = personAt(set, person('lea'), NOW)!;
    expect(entitlementOf(set, block({ by: ['role:lead'], notSelf }), about, lea)).toBe(expected);
  });

  it('is no owner where there is no server', () => {
    const owner = personAt(set, person('bob', { groups: ['crm-owners'] }), NOW)!;
    expect(entitlementOf(set, block({ by: ['owner'] }), { ...ANN, server: null }, owner)).toBe('none');
  });

  it.each([
    ['of an issuer that is gone', person('bob', {}, 'gone')],
    ['of an issuer that signs nobody in', person('bob', {}, 'apis')],
    ['who is suspended', person('eve')],
    ['of another issuer that had the name before', person('bob', { iss: 'https://before.example.com' })],
    ['of whom it is not known which issuer it was', person('bob', { iss: 1 })],
    ['whose id is of another issuer', { ...person('bob'), id: 'user:apis/bob' }],
    ['whose id is none', { ...person('bob'), id: 'role:lead' }],
  ])('is nobody %s', (_who, who) => {
    expect(personAt(set, who, NOW)).toBeUndefined();
  });
});

const requirement = (consent: ConsentBlock, binding: string | null = 'b'): Requirement => ({
  rule: null,
  consent,
  consentDigest: 'd',
  bound: 'x',
  inError: false,
  binding,
});

const agreed = (name: string, more: Partial<Agreed> = {}, claims: JsonObject = {}): Agreed => ({
  person: person(name, claims),
  acr: null,
  brokeGlass: false,
  ...more,
});

const stored = (people: Agreed[], more: Partial<StoredConsent> = {}): StoredConsent => ({
  id: 'c',
  binding: 'b',
  expires: null,
  usesLeft: null,
  named: false,
  session: null,
  agreed: people,
  ...more,
});

const standing = (consent: Partial<ConsentBlock>, people: Agreed[], on = set) =>
  standingConsents(on, [requirement(block(consent))], [stored(people)], ANN, NOW);

describe('a consent', () => {
  const lead = { title: 'lead' };

  it.each<[string, Partial<ConsentBlock>, Agreed[], boolean]>([
    ['of who was asked', { by: ['subject'] }, [agreed('ann')], true],
    ['of nobody', { by: ['subject'] }, [], false],
    ['of too few', { by: ['role:lead'], approvals: 2 }, [agreed('lea')], false],
    ['of enough', { by: ['role:lead'], approvals: 2 }, [agreed('lea'), agreed('bob', {}, lead)], true],
    ['of one, twice', { by: ['role:lead'], approvals: 2 }, [agreed('lea'), agreed('lea')], false],
    ['of one who has lost the role since', { by: ['role:lead'] }, [agreed('bob', {}, { title: 'ex' })], false],
    ['of one who is suspended now', { by: ['user:okta/eve'] }, [agreed('eve')], false],
    ['of one who signed in as was asked', { assurance: 'mfa' }, [agreed('ann', { acr: 'mfa' })], true],
    ['of one who signed in less strongly', { assurance: 'mfa' }, [agreed('ann', { acr: 'pwd' })], false],
    [
      'of one who signed in as was asked, and in another way as well',
      { assurance: 'mfa' },
      [agreed('ann', { acr: 'pwd' }), agreed('ann', { acr: 'mfa' })],
      true,
    ],
    [
      'of one who signed in twice, where two are asked',
      { by: ['role:lead'], approvals: 2 },
      [agreed('lea', { acr: 'pwd' }), agreed('lea', { acr: 'mfa' })],
      false,
    ],
    ['of one of whose sign-in nothing is known', { assurance: 'mfa' }, [agreed('ann')], false],
    [
      'of one who broke the glass, where two are asked',
      { by: ['role:lead'], approvals: 2, breakGlass: ['role:oncall'] },
      [agreed('oda', { brokeGlass: true })],
      true,
    ],
    [
      'of one who broke the glass and may not any more',
      { by: ['role:lead'], breakGlass: ['role:oncall'] },
      [agreed('bob', { brokeGlass: true })],
      false,
    ],
    [
      'of one who may break the glass and did not',
      { by: ['role:lead'], breakGlass: ['role:oncall'] },
      [agreed('oda')],
      false,
    ],
  ])('%s', (_whose, consent, people, expected) => {
    expect(standing(consent, people).consents.length).toBe(Number(expected));
  });

  describe('where it takes two people to break the glass', () => {
    const wary = setOf(
      `${COMPANY}\n---\n{ kind: Tenant, name: t, defaults: {}, administration: { fourEyes: [breakGlass] } }`,
    );
    const by = (...roles: string[]): Partial<ConsentBlock> => ({
      by: ['role:lead'],
      breakGlass: ['role:oncall', 'user:okta/ivo', 'user:mia', ...(roles as `user:${string}`[])],
    });
    const broke = (name: string) => agreed(name, { brokeGlass: true });

    it.each<[string, Partial<ConsentBlock>, Agreed[], boolean]>([
      ['of one', by(), [broke('oda')], false],
      ['of one, twice', by(), [broke('oda'), broke('oda')], false],
      ['of one under two names', by('user:okta/mia'), [broke('mia'), { ...broke('mia'), acr: 'x' }], false],
      ['of two', by(), [broke('oda'), broke('ivo')], true],
      ['of one, and another who may not', by(), [broke('oda'), broke('bob')], false],
      ['of one, and one who only agreed without being asked', by(), [broke('oda'), agreed('ivo')], false],
      ['of one, and one of three who are asked', { ...by(), approvals: 3 }, [broke('oda'), agreed('lea')], true],
      ['of nobody, and one of three who are asked', { ...by(), approvals: 3 }, [agreed('lea')], false],
      ['of nobody, where one is asked who agreed', by(), [agreed('lea')], true],
      ['of the person concerned, alone', { ...by('user:ann'), notSelf: true }, [broke('ann')], false],
      ['of the person concerned and another', { ...by('user:ann'), notSelf: true }, [broke('ann'), broke('oda')], true],
    ])('%s', (_whose, consent, people, expected) => {
      expect(standing(consent, people, wary).consents.length).toBe(Number(expected));
    });
  });

  const inPlace = (who: string, other: string, claims: JsonObject = {}) => agreed(who, { for: person(other) }, claims);

  it.each<[string, Partial<ConsentBlock>, Agreed[], boolean]>([
    ['who is asked', { by: ['role:lead'] }, [inPlace('bob', 'lea')], true],
    ['nobody who is asked', { by: ['role:lead'] }, [inPlace('bob', 'oda')], false],
    ['who is not asked, by who is', { by: ['role:lead'] }, [inPlace('lea', 'bob')], false],
    ['who has lost the role since', { by: ['role:lead'] }, [inPlace('bob', 'max')], false],
    ['who is suspended now', { by: ['user:okta/eve'] }, [inPlace('bob', 'eve')], false],
    ['who is asked, by who is suspended', { by: ['role:lead'] }, [inPlace('eve', 'lea')], false],
    ['the person concerned, asked about themselves', { by: ['subject'] }, [inPlace('bob', 'ann')], false],
    ['the manager of the person concerned', { by: ['manager'] }, [inPlace('bob', 'mia')], true],
    ['who is asked, by the person concerned', { by: ['role:lead'] }, [inPlace('ann', 'lea')], false],
    [
      'who is asked, by the person, under notSelf',
      { by: ['role:lead'], notSelf: true },
      [inPlace('ann', 'lea')],
      false,
    ],
    ['the person under notSelf', { by: ['user:ann'], notSelf: true }, [inPlace('bob', 'ann')], false],
    ['the person as one of several without it', { by: ['user:ann'] }, [inPlace('bob', 'ann')], true],
    ['themselves', { by: ['role:lead'] }, [inPlace('lea', 'lea')], false],
    ['who answered, too', { by: ['role:lead'], approvals: 2 }, [agreed('lea'), inPlace('bob', 'lea')], false],
    [
      'who is asked, by one who agreed for themselves, too',
      { by: ['role:lead'], approvals: 2 },
      [agreed('bob', {}, lead), inPlace('bob', 'lea', lead)],
      false,
    ],
    [
      'two who are asked, by one',
      { by: ['role:lead', 'user:ann', 'manager'], approvals: 2 },
      [inPlace('bob', 'lea'), inPlace('bob', 'mia')],
      false,
    ],
    [
      'one of two',
      { by: ['role:lead'], approvals: 2 },
      [agreed('ivo', {}, { title: 'lead' }), inPlace('bob', 'lea')],
      true,
    ],
    [
      'who may break the glass',
      { by: ['role:lead'], breakGlass: ['role:oncall'] },
      [{ ...inPlace('bob', 'oda'), brokeGlass: true }],
      false,
    ],
    [
      'who is asked, breaking the glass',
      { by: ['role:lead'], approvals: 2, breakGlass: ['role:lead'] },
      [{ ...inPlace('bob', 'lea'), brokeGlass: true }],
      false,
    ],
    ['who is asked, signed in less strongly', { by: ['role:lead'], assurance: 'mfa' }, [inPlace('bob', 'lea')], false],
  ])('in the place of %s', (_whose, consent, people, expected) => {
    expect(standing(consent, people).consents.length).toBe(Number(expected));
  });

  it('in the place of another rests on both', () => {
    const { keys } = standing({ by: ['role:lead'] }, [inPlace('bob', 'lea')]);
    expect(keys).toEqual(expect.arrayContaining(['subject:user:okta/bob', 'subject:user:okta/lea']));
  });

  it('is none to something else, nor to what cannot be agreed to', () => {
    for (const binding of ['other', null]) {
      const wanted = [requirement(block({}), binding)];
      expect(standingConsents(set, wanted, [stored([agreed('ann')])], ANN, NOW).consents).toEqual([]);
    }
  });

  it('rests on those who agreed, under every name, on their groups and issuer, and on how long they are entitled', () => {
    const { keys } = standing({ by: ['group:x'] }, [agreed('mia', {}, { groups: ['x'] })]);
    expect(keys).toEqual(
      expect.arrayContaining(['subject:user:mia', 'subject:user:okta/mia', 'group:x', 'issuer:okta']),
    );
    const breaking = { by: ['role:lead' as const], breakGlass: ['role:oncall' as const] };
    expect(standing(breaking, [agreed('oda', { brokeGlass: true })]).validUntil).toBe(
      Date.parse('2026-06-01T12:10:00Z'),
    );
  });

  it('for any number of calls goes before one whose uses are counted', () => {
    const [counted, free] = [stored([agreed('ann')], { id: 'a', usesLeft: 1 }), stored([agreed('ann')], { id: 'b' })];
    const { consents } = standingConsents(set, [requirement(block({}))], [counted, free], ANN, NOW);
    expect(consents.map(({ id }) => id)).toEqual(['b', 'a']);
  });
});
