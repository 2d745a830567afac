import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScimError } from './error.js';
import { patchUser } from './patch-user.js';
import { readUser, type UserValues } from './resource.js';

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const ANN: UserValues = {
  userName: 'ann',
  externalId: '1',
  active: true,
  name: { givenName: 'Ann' },
  emails: [
    { value: 'a@x', type: 'work', primary: true },
    { value: 'h@x', type: 'home' },
  ],
};

const patched = (...operations: unknown[]) =>
  patchUser(ANN, { schemas: [PATCH], Operations: operations }, () => undefined);

describe('a PATCH of a user', () => {
  it.each<[string, object, Partial<UserValues>]>([
    ['False', { op: 'Replace', path: 'active', value: 'False' }, { active: false }],
    ['FALSE without a path', { op: 'REPLACE', value: { Active: 'FALSE' } }, { active: false }],
    [
      'a complex value, of which the rest stays',
      { op: 'replace', path: 'name', value: { familyName: 'B' } },
      { name: { givenName: 'Ann', familyName: 'B' } },
    ],
    ['one part taken away', { op: 'remove', path: 'name.givenName' }, { name: undefined as never }],
    [
      'one address taken away',
      { op: 'remove', path: 'emails[type eq "work"]' },
      { emails: [{ value: 'h@x', type: 'home' }] },
    ],
    [
      'all addresses replaced',
      { op: 'replace', path: 'emails', value: [{ value: 'n@x' }] },
      { emails: [{ value: 'n@x' }] },
    ],
    [
      'an address that is there already',
      { op: 'add', path: 'emails', value: { value: 'h@x', type: 'home', primary: 'True' } },
      {
        emails: [
          { value: 'a@x', type: 'work', primary: true },
          { value: 'h@x', type: 'home', primary: true },
        ],
      },
    ],
    [
      'an address found by a boolean',
      { op: 'replace', path: 'emails[primary eq true].value', value: 'p@x' },
      {
        emails: [
          { value: 'p@x', type: 'work', primary: true },
          { value: 'h@x', type: 'home' },
        ],
      },
    ],
    ['null, which takes away', { op: 'replace', path: 'externalId', value: null }, { externalId: undefined as never }],
    ['what is ours to say', { op: 'replace', path: 'id', value: 'mine' }, {}],
    ['groups, which are changed elsewhere', { op: 'add', path: 'groups', value: [{ value: 'admins' }] }, {}],
  ])('takes %s', (_name, operation, expected) => {
    expect(patched(operation)).toEqual(JSON.parse(JSON.stringify({ ...ANN, ...expected })));
  });

  const URN = 'urn:ietf:params:scim:schemas:core:2.0:User';
  it.each<[string, object, string]>([
    ['a part of active', { op: 'replace', path: 'active.value', value: false }, 'invalidPath'],
    ['active with a filter', { op: 'replace', path: 'active[value eq true]', value: false }, 'invalidPath'],
    ['active in an object', { op: 'replace', path: 'active', value: { value: false } }, 'invalidValue'],
    ['active of null', { op: 'replace', path: 'active', value: null }, 'invalidValue'],
    ['active of nothing', { op: 'replace', path: 'active' }, 'invalidValue'],
    ['active of an empty list', { op: 'replace', path: 'active', value: [] }, 'invalidValue'],
    ['a blank before active', { op: 'replace', path: ' active', value: false }, 'invalidPath'],
    ['all under the schema', { op: 'replace', value: { [URN]: { active: false } } }, 'invalidPath'],
    ['the schema alone', { op: 'replace', path: URN, value: { active: false } }, 'invalidPath'],
    ['another sign after the schema', { op: 'replace', path: `${URN}.active`, value: false }, 'invalidPath'],
    ['an object in a list', { op: 'replace', value: [{ active: false }] }, 'invalidValue'],
    [
      'a type that cannot be',
      { op: 'add', path: String.raw`emails[type eq "\u0000"].value`, value: 'x' },
      'invalidFilter',
    ],
    ['a type that is a boolean', { op: 'add', path: 'emails[type eq true].value', value: 'x' }, 'invalidValue'],
    ['a type of no letters', { op: 'remove', path: 'emails[type eq ""]' }, 'invalidPath'],
    ['a boolean that is none', { op: 'add', path: 'emails[primary eq "x"].value', value: 'x' }, 'invalidValue'],
  ])('refuses %s, so that nobody believes it done', (_name, operation, scimType) => {
    expect(() => patched(operation)).toThrow(expect.objectContaining({ scimType }) as ScimError);
  });

  it('has no more values after many steps than in one', () => {
    const add = (from: number) => ({
      op: 'add',
      path: 'emails',
      value: Array.from({ length: 60 }, (_, n) => ({ value: `${from + n}` })),
    });
    expect(patched(add(0)).emails).toHaveLength(62);
    expect(() => patched(add(0), add(60))).toThrow(expect.objectContaining({ scimType: 'tooMany' }) as ScimError);
    const byType = (n: number) => ({ op: 'add', path: `emails[type eq "t${n}"].value`, value: 'x' });
    expect(() => patched(...Array.from({ length: 99 }, (_, n) => byType(n)))).toThrow(ScimError);
  });

  it('tells what it does not keep', () => {
    const dropped: string[] = [];
    const body = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'a',
      nickName: 'n',
      name: { honorificPrefix: 'Dr' },
      'urn:x:y': {},
    };
    expect(readUser(body, (name) => dropped.push(name))).toEqual({ userName: 'a' });
    expect(dropped).toEqual(['nickName', 'name.honorificPrefix', 'urn:x:y']);
  });

  it('makes nobody active by anything but the word true', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('add', 'replace', 'Replace', 'remove'), (value, op) => {
        const operation = { op, path: 'active', value };
        try {
          const after = patchUser(
            { ...ANN, active: false },
            { schemas: [PATCH], Operations: [operation] },
            () => undefined,
          );
          const said = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
          const text = typeof said === 'object' && said !== null && 'value' in said ? said.value : said;
          expect(after.active === true).toBe(String(text).trim().toLowerCase() === 'true');
        } catch (error) {
          expect(error).toBeInstanceOf(ScimError);
        }
      }),
    );
  });

  it('is total: a user, or a ScimError', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.constantFrom('add', 'replace', 'remove'), (path, value, op) => {
        try {
          expect(typeof patched({ op, path, value }).userName).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(ScimError);
        }
      }),
    );
  });
});
