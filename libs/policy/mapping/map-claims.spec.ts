import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MappingDocument } from '../documents/schema.js';
import { parseDocuments } from '../documents/parse.js';
import type { StoredDocument } from '../documents/set.js';
import type { Json, JsonObject } from '../model.js';
import { MAPPING_BUDGET, MAX_MATCHED } from './conditions.js';
import type { TokenGroups } from './groups.js';
import { mapClaims, type Mapped } from './map-claims.js';

/** A Mapping as a file would have its rules. */
function mapping(rules: string, name = 'm', issuer = 'company'): StoredDocument<'Mapping'> {
  const { documents, problems } = parseDocuments({
    text: `kind: Mapping\nname: ${name}\nissuer: ${issuer}\nrules:\n${rules}`,
  });
  expect(problems).toEqual([]);
  return { document: documents[0]!.document as MappingDocument, version: 3 };
}

const NONE: TokenGroups = { names: [], complete: true };
const COMPANY = { name: 'company' };
const mapped = (rules: string, claims: JsonObject, groups: TokenGroups | null = NONE): Mapped =>
  mapClaims([mapping(rules)], COMPANY, claims, groups);
const rule = (name: string, when: string, rest: string): string => `  - { name: ${name}, when: ${when}, ${rest} }\n`;
const gives = (when: string): string => rule('r', when, 'roles: [sales]');

describe('a condition of a mapping', () => {
  it.each<[string, JsonObject, 'fired' | 'not' | 'error', string?]>([
    ['always', {}, 'fired'],
    ['[{ claim: /a, equals: x }]', { a: 'x' }, 'fired'],
    ['[{ claim: /a, equals: x }]', { a: 'y' }, 'not', 'no_match'],
    ['[{ claim: /a, equals: x }]', { a: 'X' }, 'not', 'no_match'],
    ['[{ claim: /a, equals: x }]', {}, 'not', 'absent'],
    ['[{ claim: /a, equals: x }]', { a: null }, 'not', 'absent'],
    ['[{ claim: /a, equals: x }]', { a: ['y', 'x'] }, 'fired'],
    ['[{ claim: /a, equals: x }]', { a: [['x']] }, 'not', 'no_match'],
    ['[{ claim: /a, equals: x }]', { a: { x: 'x' } }, 'not', 'no_match'],
    ['[{ claim: /a, equals: 7 }]', { a: 7 }, 'fired'],
    ['[{ claim: /a, equals: 7 }]', { a: '7' }, 'not', 'no_match'],
    ['[{ claim: /a, equals: true }]', { a: true }, 'fired'],
    ['[{ claim: /a, equals: true }]', { a: 'true' }, 'not', 'no_match'],
    ['[{ claim: /a, oneOf: [x, 7] }]', { a: 7 }, 'fired'],
    ['[{ claim: /a, oneOf: [x, 7] }]', { a: ['z', '7'] }, 'not', 'no_match'],
    ['[{ claim: /a, prefix: x- }]', { a: ['y', 'x-1'] }, 'fired'],
    ['[{ claim: /a, prefix: x- }]', { a: 'ax-' }, 'not', 'no_match'],
    ['[{ claim: /a, prefix: x- }]', { a: 7 }, 'not', 'no_match'],
    ['[{ claim: /a, matches: "x+|y" }]', { a: 'xxx' }, 'fired'],
    ['[{ claim: /a, matches: "x+|y" }]', { a: 'yx' }, 'not', 'no_match'],
    ['[{ claim: /a, matches: "x" }]', { a: 'x\n' }, 'not', 'no_match'],
    ['[{ claim: /a, matches: "^x$" }]', { a: 'y\nx' }, 'not', 'no_match'],
    ['[{ claim: /a, matches: "7" }]', { a: 7 }, 'not', 'no_match'],
    ['[{ claim: /a, matches: ".*" }]', { a: 'x'.repeat(MAX_MATCHED + 1) }, 'error', 'text_too_long'],
    ['[{ claim: /a, matches: "y" }]', { a: ['x'.repeat(MAX_MATCHED + 1), 'y'] }, 'fired'],
    ['[{ claim: /a, present: true }]', { a: [] }, 'fired'],
    ['[{ claim: /a, present: true }]', { a: false }, 'fired'],
    ['[{ claim: /a, present: true }]', { a: null }, 'not', 'absent'],
    ['[{ claim: /a/b/0, equals: x }]', { a: { b: ['x'] } }, 'fired'],
    ['[{ claim: /a, equals: x }, { claim: /b, equals: y }]', { a: 'x', b: 'y' }, 'fired'],
    ['[{ claim: /a, equals: x }, { claim: /b, equals: y }]', { a: 'x' }, 'not', 'absent'],
  ])('%s of %j: the rule has %s', (when, claims, outcome, why) => {
    const { fired, roles } = mapped(gives(when), claims);
    expect(fired).toMatchObject([{ mapping: 'm', version: 3, rule: 'r', outcome, because: why ? [{ why }] : [] }]);
    expect(roles.held).toEqual(outcome === 'fired' ? ['sales'] : []);
    expect(roles.possible).toEqual(outcome === 'error' ? ['sales'] : []);
  });

  it.each<[TokenGroups | null, 'fired' | 'not' | 'error', string?]>([
    [{ names: ['a', 'emea'], complete: true }, 'fired'],
    [{ names: ['a', 'emea'], complete: false }, 'fired'],
    [{ names: ['a'], complete: true }, 'not', 'not_in_group'],
    [{ names: ['a'], complete: false }, 'error', 'groups_not_known'],
    [null, 'error', 'groups_not_known'],
  ])('on a group, with %j: the rule has %s', (groups, outcome, why) => {
    const { fired } = mapped(gives('[{ group: emea }]'), {}, groups);
    expect(fired).toMatchObject([{ outcome, because: why ? [{ test: 'group', of: 'emea', why }] : [] }]);
  });

  it('is not in error where another one is false', () => {
    const { fired } = mapped(gives('[{ group: emea }, { claim: /a, equals: x }]'), {}, null);
    expect(fired).toMatchObject([{ outcome: 'not', because: [{ condition: 1, why: 'absent' }] }]);
  });

  it('tells no value that it saw', () => {
    const { fired } = mapped(gives('[{ claim: /a, equals: x }]'), { a: 'secret', b: 'secret' });
    expect(fired[0]!.because).toEqual([{ condition: 0, test: 'equals', of: '/a', found: 'string', why: 'no_match' }]);
    expect(JSON.stringify(fired)).not.toContain('secret');
  });

  it('is in error, with all after it, once the work is more than it may be', () => {
    const many = Array.from({ length: MAPPING_BUDGET }, (_, index) => index);
    const rules =
      rule('a', '[{ claim: /a, equals: x }]', 'roles: [a]') + rule('b', '[{ claim: /a, equals: 0 }]', 'roles: [b]');
    const { fired, roles } = mapped(rules, { a: many });
    expect(fired.map(({ outcome }) => outcome)).toEqual(['not', 'error']);
    expect(fired[1]!.because).toMatchObject([{ why: 'budget_exceeded' }]);
    expect(roles).toMatchObject({ held: [], possible: ['b'] });
  });

  it('takes no longer for a pattern that would take others for ever', () => {
    const began = performance.now();
    mapped(gives('[{ claim: /a, matches: "(a*)*(a*)*b" }]'), { a: 'a'.repeat(MAX_MATCHED) });
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('mapClaims', () => {
  it('adds roles up, also those in the administration, each once', () => {
    const { roles, administration } = mapped(
      rule('a', 'always', 'roles: [sales, staff], administration: [auditor]') +
        rule('b', 'always', 'roles: [sales], administration: [auditor, publisher]'),
      {},
    );
    expect(roles.held).toEqual(['sales', 'staff']);
    expect(roles.ways).toContainEqual({ mapping: 'm', version: 3, rule: 'b', role: 'sales', possible: false });
    expect(administration.held).toEqual(['auditor', 'publisher']);
  });

  it('lets the first rule that sets an attribute decide, as far as the claim is there', () => {
    const { properties, unsure } = mapped(
      rule('a', 'always', 'properties: { region: { claim: /none }, level: { value: 3 } }') +
        rule('b', 'always', 'properties: { region: { claim: /region }, level: { value: 4 } }') +
        rule('c', 'always', 'properties: { region: { value: x }, list: { value: [1, null] } }'),
      { region: 'emea', none: null },
    );
    expect({ ...properties }).toEqual({ region: 'emea', level: 3, list: [1, null] });
    expect(unsure).toEqual([]);
  });

  it('knows no attribute that a rule in error could set before, whatever sets it after', () => {
    const rules =
      rule('a', 'always', 'properties: { a: { value: 1 } }') +
      rule('b', '[{ group: g }]', 'properties: { a: { value: 2 }, b: { value: 2 }, c: { claim: /none } }') +
      rule('c', 'always', 'properties: { b: { value: 3 }, c: { value: 3 } }');
    const { properties, unsure } = mapped(rules, {}, null);
    expect({ ...properties }).toEqual({ a: 1, c: 3 });
    expect(unsure).toEqual(['b']);
  });

  it('takes __proto__ and its like for ordinary names', () => {
    const { properties } = mapped(rule('a', 'always', 'properties: { constructor: { value: 1 } }'), {});
    expect(Object.entries(properties)).toEqual([['constructor', 1]]);
    expect(mapped(rule('a', 'always', 'properties: { x: { claim: /constructor } }'), {}).properties).toEqual({});
  });

  it('stops where a rule says so, and says at which', () => {
    const rules =
      rule('a', '[{ claim: /a, present: true }]', 'stop: true') +
      rule('b', 'always', 'roles: [b], administration: [b]');
    const { roles, administration, fired } = mapped(rules, { a: 1 });
    expect([roles.held, roles.possible, administration.held]).toEqual([[], [], []]);
    expect(fired[1]).toMatchObject({ outcome: 'skipped', stoppedBy: { rule: 'a' } });
    expect(mapped(rules, {}).roles.held).toEqual(['b']);
  });

  it('gives nothing for certain after a rule that may have stopped', () => {
    const rules =
      rule('a', '[{ group: leavers }]', 'stop: true') +
      rule('b', 'always', 'roles: [b], administration: [auditor], properties: { p: { value: 1 } }') +
      rule('c', '[{ claim: /none, present: true }]', 'roles: [c]') +
      rule('d', '[{ claim: /x, present: true }]', 'roles: [d], stop: true') +
      rule('e', 'always', 'roles: [e]');
    const { roles, administration, properties, unsure, fired } = mapped(rules, { x: 1 }, null);
    expect(roles).toMatchObject({ held: [], possible: ['b', 'd'] });
    expect([administration.held, { ...properties }, unsure]).toEqual([[], {}, ['p']]);
    expect(fired.map(({ outcome }) => outcome)).toEqual(['error', 'error', 'not', 'error', 'skipped']);
    expect(fired[1]).toMatchObject({ because: [], stoppedBy: { mapping: 'm', version: 3, rule: 'a' } });
  });

  it('reads several Mappings of an issuer by their names, and no others', () => {
    const one = mapping(rule('a', 'always', 'properties: { p: { value: 1 } }'), 'a1');
    const two = mapping(rule('b', 'always', 'properties: { p: { value: 2 } }, stop: true'), 'a2');
    const three = mapping(rule('c', 'always', 'roles: [c]'), 'b');
    const foreign = mapping(rule('d', 'always', 'roles: [d]'), 'a0', 'other');
    const all = mapClaims([three, foreign, two, one], COMPANY, {}, null);
    expect(all.properties).toEqual(mapClaims([one, two, three], COMPANY, {}, null).properties);
    expect(all.properties.p).toBe(1);
    expect(all.fired.map(({ mapping: name, outcome }) => [name, outcome])).toEqual([
      ['a1', 'fired'],
      ['a2', 'fired'],
      ['b', 'skipped'],
    ]);
  });
});

const CLAIMS = ['a', 'b', 'c'];
const condition = fc.oneof(
  fc.record({ claim: fc.constantFrom('/a', '/b', '/c', '/a/0'), equals: fc.constantFrom<Json[]>('x', 'y', 1, true) }),
  fc.record({ claim: fc.constantFrom('/a', '/b'), prefix: fc.constantFrom('x', 'y') }),
  fc.record({ claim: fc.constantFrom('/a', '/b'), matches: fc.constantFrom('x.*', '[xy]') }),
  fc.record({ claim: fc.constantFrom('/a', '/b', '/c'), present: fc.constant(true as const) }),
  fc.record({ group: fc.constantFrom('g', 'h') }),
);
const ruleOf = (stop: fc.Arbitrary<boolean>) =>
  fc.record({
    name: fc.constantFrom('r', 's', 't'),
    when: fc.oneof(fc.constant('always' as const), fc.array(condition, { minLength: 1, maxLength: 3 })),
    roles: fc.subarray(['p', 'q', 'r']),
    administration: fc.subarray(['auditor', 'owner']),
    properties: fc.constantFrom({}, { one: { value: 1 } }, { one: { value: 2 } }, { two: { claim: '/a' } }),
    stop,
  });
const mappingOf = (stop: fc.Arbitrary<boolean>) =>
  fc.array(ruleOf(stop), { minLength: 1, maxLength: 5 }).map((rules): StoredDocument<'Mapping'> => ({
    document: { kind: 'Mapping', name: 'm', issuer: 'company', rules } as unknown as MappingDocument,
    version: 1,
  }));
const never = mappingOf(fc.constant(false));
const any = mappingOf(fc.boolean());
const claimsOf = fc.dictionary(
  fc.constantFrom(...CLAIMS),
  fc.constantFrom<Json[]>('x', 'xy', 'y', 1, true, null, ['x'], ['y', 1], [], { x: 'x' }),
  { noNullPrototype: true },
);
const groupsOf = fc.option(fc.record({ names: fc.subarray(['g', 'h']), complete: fc.boolean() }));

const isWithin = (some: readonly string[], others: readonly string[]) =>
  expect(others).toEqual(expect.arrayContaining([...some]));
const law = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: 2000 });

describe('a mapping', () => {
  it('is total on any claims', () => {
    law(
      fc.property(any, fc.dictionary(fc.string(), fc.jsonValue()), groupsOf, (made, claims, groups) => {
        const { roles, unsure, properties } = mapClaims([made], COMPANY, claims as JsonObject, groups);
        expect(roles.held.filter((role) => roles.possible.includes(role))).toEqual([]);
        expect(unsure.filter((name) => Object.hasOwn(properties, name))).toEqual([]);
      }),
    );
  });

  it('never gives more for a claim that is taken away, where no rule stops', () => {
    law(
      fc.property(never, claimsOf, groupsOf, fc.constantFrom(...CLAIMS), (made, claims, groups, name) => {
        const { [name]: _gone, ...rest } = claims;
        const [whole, less] = [claims, rest].map((each) => mapClaims([made], COMPANY, each, groups));
        isWithin(less!.roles.held, whole!.roles.held);
        isWithin(less!.administration.held, whole!.administration.held);
      }),
    );
  });

  it('never gives for certain what it would not with all groups known, and leaves open all that it would', () => {
    law(
      fc.property(any, claimsOf, fc.subarray(['g', 'h']), fc.nat(2), (made, claims, names, seen) => {
        const whole = mapClaims([made], COMPANY, claims, { names, complete: true });
        const part = mapClaims([made], COMPANY, claims, { names: names.slice(0, seen), complete: false });
        isWithin(part.roles.held, whole.roles.held);
        isWithin(part.administration.held, whole.administration.held);
        isWithin(whole.roles.held, [...part.roles.held, ...part.roles.possible]);
        for (const [name, value] of Object.entries(part.properties)) expect(whole.properties[name]).toEqual(value);
        isWithin(Object.keys(whole.properties), [...Object.keys(part.properties), ...part.unsure]);
        expect(mapClaims([made], COMPANY, claims, null)).toEqual(
          mapClaims([made], COMPANY, claims, { names: [], complete: false }),
        );
      }),
    );
  });

  it('gives the same roles in any order of its rules, where no rule stops', () => {
    law(
      fc.property(never, claimsOf, groupsOf, (made, claims, groups) => {
        const backwards = { ...made, document: { ...made.document, rules: made.document.rules.toReversed() } };
        const [one, other] = [made, backwards].map((each) => mapClaims([each], COMPANY, claims, groups));
        expect({ ...other!.roles, ways: [] }).toEqual({ ...one!.roles, ways: [] });
        expect(other!.administration).toEqual(one!.administration);
      }),
    );
  });
});
