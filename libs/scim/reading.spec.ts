import { describe, expect, it } from 'vitest';
import { GROUP, USER } from './attributes.js';
import { ScimError } from './error.js';
import { readFilter } from './filter.js';
import { readGroup, readUser } from './resource.js';

const refused = (scimType: string) => expect.objectContaining({ scimType }) as ScimError;
const nothing = () => undefined;

describe('a filter', () => {
  it.each<[string, object]>([
    ['userName eq "a"', { userName: 'a' }],
    ['USERNAME EQ "a"', { userName: 'a' }],
    [String.raw`userName eq "a\"b"`, { userName: 'a"b' }],
    [String.raw`userName eq "a\" or id eq \"b"`, { userName: 'a" or id eq "b' }],
    [`${USER.schema}:externalId eq "1" AND id eq "2"`, { externalId: '1', id: '2' }],
    ['id eq "2" and id eq "2"', { id: '2' }],
  ])('is read: %s', (text, expected) => expect(readFilter(USER, text)).toEqual(expected));

  it.each([
    'userName pr',
    'userName PR',
    'active eq true',
    'active eq "true"',
    'userName eq true',
    'userName ne "a"',
    'userName co ""',
    'userName eq "a" or userName eq "b"',
    '(userName eq "a")',
    `${'('.repeat(2000)}userName eq "a"${')'.repeat(2000)}`,
    'not (active eq true)',
    'emails[type eq "work"]',
    'members eq "1"',
    'userName eq "a" userName eq "a"',
    'userName eq "a" and userName eq "b"',
    'userName eq "a" and ',
    'and userName eq "a"',
    'urn:x:userName eq "a"',
    `${USER.schema} eq "a"`,
    '__proto__ eq "a"',
    'constructor eq "a"',
    String.raw`userName eq "\u0000"`,
    String.raw`userName eq "\ud800"`,
    String.raw`userName eq "\q"`,
    `userName eq "${'a'.repeat(1025)}"`,
  ])('is refused, and never found to mean less: %s', (text) => {
    expect(() => readFilter(USER, text)).toThrow(ScimError);
  });

  it('takes no longer than it is long', () => {
    const began = performance.now();
    for (const text of [
      `userName eq "${'\\'.repeat(4900)}`,
      ' '.repeat(5000),
      `${'userName eq "a" and '.repeat(250)}x`,
      `members[${' '.repeat(4900)}`,
      `${'a'.repeat(5000)}`,
    ])
      for (const kind of [USER, GROUP]) expect(() => readFilter(kind, text)).toThrow(ScimError);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('a whole user', () => {
  const user = (over: object) => readUser({ schemas: [USER.schema], userName: 'a', ...over }, nothing);

  it.each<[string, object, boolean | undefined]>([
    ['a boolean', { active: false }, false],
    ['a text', { active: 'False' }, false],
    ['a text with blanks', { active: ' FALSE ' }, false],
    ['null, which says nothing', { active: null }, undefined],
    ['nothing', {}, undefined],
    ['its whole name', { [`${USER.schema}:active`]: 'false' }, false],
  ])('is active by %s', (_name, over, active) => expect(user(over).active).toBe(active));

  it.each<[string, object, string]>([
    ['active said twice', { active: 'False', Active: 'True' }, 'invalidSyntax'],
    ['active said twice, once for nothing', { active: null, ACTIVE: true }, 'invalidSyntax'],
    ['active said by its name and its whole name', { active: false, [`${USER.schema}:active`]: true }, 'invalidSyntax'],
    ['part of a name said twice', { name: { givenName: 'a', GIVENNAME: 'b' } }, 'invalidSyntax'],
    ['all of it under its schema', { [USER.schema]: { active: false } }, 'invalidPath'],
    ['a name with another sign after its schema', { [`${USER.schema}.active`]: false }, 'invalidPath'],
    ['active that is an object', { active: { value: false } }, 'invalidValue'],
    ['active that is a list', { active: [false, true] }, 'invalidValue'],
    ['active that is empty', { active: '' }, 'invalidValue'],
    ['active that is a number', { active: 0 }, 'invalidValue'],
    ['a name that is blank', { userName: ' ' }, 'invalidValue'],
    ['a name with a line break', { userName: 'a\nb' }, 'invalidValue'],
    ['a name that is half a sign', { userName: 'a\ud800' }, 'invalidValue'],
    ['a name of more bytes than an index takes', { userName: '\u4e00'.repeat(342) }, 'invalidValue'],
    ['an identity of more bytes than an index takes', { externalId: 'x'.repeat(1025) }, 'invalidValue'],
    ['more addresses than may be', { emails: Array.from({ length: 101 }, (_, n) => `${n}`) }, 'tooMany'],
  ])('is refused with %s', (_name, over, scimType) => {
    expect(() => user(over)).toThrow(refused(scimType));
  });

  it('is not told by what is ours to say, nor by what an object has anyway', () => {
    const body = JSON.parse(
      `{"schemas":["${USER.schema}"],"userName":"a","id":"x","meta":{},"groups":[{"value":"admins"}],"__proto__":{"active":true},"constructor":1}`,
    ) as object;
    const dropped: string[] = [];
    expect(readUser(body, (name) => dropped.push(name))).toEqual({ userName: 'a' });
    expect(dropped).toEqual(['__proto__', 'constructor']);
  });
});

describe('a whole group', () => {
  it('needs a name and members with ids', () => {
    const group = (over: object) => readGroup({ schemas: [GROUP.schema], displayName: 'g', ...over }, nothing);
    expect(group({ members: [{ value: '1' }, { value: '1', display: 'x' }] }).members).toEqual(['1']);
    expect(group({ members: null }).members).toBeUndefined();
    expect(() => group({ displayName: '' })).toThrow(refused('invalidValue'));
    expect(() => group({ members: [{}] })).toThrow(refused('invalidValue'));
    expect(() => group({ members: [], Members: [] })).toThrow(refused('invalidSyntax'));
  });
});
