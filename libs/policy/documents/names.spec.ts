import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { principalKey } from '../compile/principals.js';
import { isForeignId, isSubjectType, NAME, parsePrincipal, subjectKey } from './names.js';

describe('parsePrincipal', () => {
  it.each([
    ['any', { kind: 'any' }],
    ['role:sales', { kind: 'role', name: 'sales' }],
    ['group:emea/sales team', { kind: 'group', name: 'emea/sales team' }],
    ['group:a:b', { kind: 'group', name: 'a:b' }],
    ['user:ann', { kind: 'subject', type: 'user', id: 'ann' }],
    ['user:ann:1', { kind: 'subject', type: 'user', id: 'ann:1' }],
    ['service-account:x', { kind: 'subject', type: 'service-account', id: 'x' }],
    ['Role:x', { kind: 'subject', type: 'Role', id: 'x' }],
    ['', undefined],
    ['ann', undefined],
    ['Any', undefined],
    [':ann', undefined],
    ['user:', undefined],
    ['group:', undefined],
    ['role:', undefined],
    ['role:a b', undefined],
    ['role:.a', undefined],
    ['1user:ann', undefined],
    ['us er:ann', undefined],
    ['user:a\nb', undefined],
    ['group:a\u0000', undefined],
    ['user:\ud800', undefined],
    [`user:${'a'.repeat(1025)}`, undefined],
    [`${'a'.repeat(65)}:b`, undefined],
  ])('%j is %j', (text, expected) => {
    expect(parsePrincipal(text)).toEqual(expected);
  });
});

describe('a name', () => {
  it.each([
    ['a', true],
    ['7', true],
    ['a5', true],
    ['z', true],
    ['Z', true],
    ['M', true],
    ['aMz', true],
    ['5', true],
    ['a.b_c-D', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['', false],
    ['-a', false],
    ['.a', false],
    ['_a', false],
    ['a b', false],
    ['a/b', false],
    ['a:b', false],
    ['a\n', false],
    ['é', false],
  ])('of ours can be %j: %s', (text, expected) => {
    expect(NAME.test(text)).toBe(expected);
  });

  it.each([
    ['ann@example.com', true],
    ['a b/c:d', true],
    ['é😀', true],
    ['a'.repeat(1024), true],
    ['a'.repeat(1025), false],
    ['', false],
    ['a\tb', false],
    ['a\u007f', false],
    ['\udc00', false],
  ])('from elsewhere can be %j: %s', (text, expected) => {
    expect(isForeignId(text)).toBe(expected);
  });
});

describe('the key of a subject', () => {
  it.each([
    ['user', true],
    ['service_account-2', true],
    ['serviceAccount', true],
    ['AMZ', true],
    ['group', false],
    ['role', false],
    ['', false],
    ['2', false],
    ['a:b', false],
    ['a b', false],
  ])('of the type %j can be named by a rule: %s', (type, expected) => {
    expect(isSubjectType(type)).toBe(expected);
    const key = subjectKey(type, 'x');
    if (expected) expect(principalKey(key)).toBe(key);
    else expect(parsePrincipal(key)).toBeUndefined();
  });

  it('is never that of a role, of a group or of another subject, whatever a caller asserts', () => {
    const type = fc.oneof(fc.constantFrom('user', 'role', 'group', 'any', 'user:a', 'role:a', '', '?'), fc.string());
    const id = fc.oneof(fc.constantFrom('a', 'b', 'a:b', ':', ''), fc.string());
    fc.assert(
      fc.property(type, id, type, id, (type1, id1, type2, id2) => {
        const key = subjectKey(type1, id1);
        const named = parsePrincipal(key);
        expect(named === undefined || named.kind === 'subject').toBe(true);
        expect(key === subjectKey(type2, id2)).toBe(type1 === type2 && id1 === id2);
      }),
      { numRuns: 5000 },
    );
  });
});
