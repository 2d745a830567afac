import { describe, expect, it } from 'vitest';
import { type ScimError } from './error.js';
import { patchGroup } from './patch-group.js';

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const patched = (...operations: unknown[]) => {
  const { add, remove, ...rest } = patchGroup({ schemas: [PATCH], Operations: operations }, () => undefined);
  return { ...rest, add: [...add], remove: [...remove] };
};
const NOTHING = { clears: false, add: [], remove: [] };
const of = (...ids: string[]) => ids.map((value) => ({ value }));

describe('a PATCH of a group', () => {
  it.each<[string, object[], object]>([
    ['Entra, one removed by a list', [{ op: 'Remove', path: 'members', value: of('2') }], { remove: ['2'] }],
    ['one removed by a filter', [{ op: 'remove', path: 'members[value eq "2"]' }], { remove: ['2'] }],
    ['one by a filter in other words', [{ op: 'remove', path: 'Members[Value EQ "2"]' }], { remove: ['2'] }],
    ['added without a path', [{ op: 'Add', value: { members: of('1', '1') } }], { add: ['1'] }],
    ['added, one alone', [{ op: 'add', path: 'members', value: { value: '1' } }], { add: ['1'] }],
    ['all replaced', [{ op: 'replace', path: 'members', value: of('1') }], { clears: true, add: ['1'] }],
    ['all taken away', [{ op: 'remove', path: 'members' }], { clears: true }],
    ['an empty list, which is nobody', [{ op: 'remove', path: 'members', value: [] }], {}],
    ['replaced by nobody', [{ op: 'replace', path: 'members', value: [] }], { clears: true }],
    [
      'the last word on somebody',
      [
        { op: 'add', path: 'members', value: of('1', '2') },
        { op: 'remove', path: 'members[value eq "1"]' },
      ],
      { add: ['2'], remove: ['1'] },
    ],
    [
      'what was said before all were replaced',
      [
        { op: 'add', path: 'members', value: of('1') },
        { op: 'replace', path: 'members', value: of('2') },
      ],
      { clears: true, add: ['2'] },
    ],
    ['its id, which is ours', [{ op: 'replace', value: { id: 'x', displayName: 'n' } }], { displayName: 'n' }],
    ['no name outside any more', [{ op: 'remove', path: 'externalId' }], { externalId: null }],
  ])('takes %s', (_name, operations, expected) => {
    expect(patched(...operations)).toEqual({ ...NOTHING, ...expected });
  });

  it.each<[string, object, string]>([
    ['a member who is changed', { op: 'replace', path: 'members[value eq "1"].value', value: '2' }, 'mutability'],
    ['members found by something else', { op: 'remove', path: 'members[display eq "x"]' }, 'invalidPath'],
    ['one added by a filter', { op: 'add', path: 'members[value eq "1"]', value: {} }, 'invalidPath'],
    ['one without an id', { op: 'add', path: 'members', value: [{ display: 'x' }] }, 'invalidValue'],
    ['an id that nothing can be called', { op: 'remove', path: 'members[value eq "\\u0000"]' }, 'invalidFilter'],
    ['nobody by name', { op: 'remove', path: 'members[value eq ""]' }, 'invalidPath'],
    ['no name', { op: 'replace', path: 'displayName', value: '' }, 'invalidValue'],
    [
      'too many at once',
      { op: 'add', path: 'members', value: of(...Array.from({ length: 10_001 }, (_, n) => `${n}`)) },
      'tooMany',
    ],
  ])('refuses %s', (_name, operation, scimType) => {
    expect(() => patched(operation)).toThrow(expect.objectContaining({ scimType }) as ScimError);
  });
});
