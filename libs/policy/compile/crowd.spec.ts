import { describe, expect, it } from 'vitest';
import type { AnyDocument, PolicyDocument } from '../documents/schema.js';
import { crowds, MAX_CANDIDATES } from './crowd.js';
import { PolicySet } from './policy-set.js';

type Target = PolicyDocument['target'];

/** A policy with many rules, for different people. */
function policy(name: string, target: Target, rules: number, part: object = {}): AnyDocument {
  return {
    kind: 'Policy',
    name,
    target,
    rules: Array.from({ length: rules }, (_, at) => ({
      name: `r${at}`,
      effect: 'allow' as const,
      to: [`user:u${at}`],
      ...part,
    })),
  };
}

const setOf = (documents: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(documents.map((document) => ({ document, version: 1 })));

const CALL: Target = { servers: ['files'], actions: ['tools/call'], resources: ['read'] };

/** Whether a policy with this target is refused beside one, each with a little more than half of the most. */
function isRefused(published: Partial<Target>, beside: Partial<Target>): boolean {
  const without = ({ servers, ...rest }: Target): Target =>
    servers?.length === 0 ? rest : { servers: servers!, ...rest };
  const set = setOf([
    policy('new', without({ ...CALL, ...published }), 1000),
    policy('old', without({ ...CALL, ...beside }), 1001),
  ]);
  const [first] = [...crowds(set, new Set(['new']))].filter((each) => each !== undefined);
  if (!first) return false;
  expect(first).toMatchObject({ policy: 'new', rules: 2001 });
  const { server, action, resource: id } = first;
  expect(set.candidates({ server, action, type: 'tool', id, principals: ANYBODY }).size).toBe(2001);
  return true;
}

const ANYBODY = {
  key: '',
  groups: null,
  mayBeInMore: true,
  isCertain: false,
  roles: new Set<string>(),
  possibleRoles: new Set<string>(),
  indexKeys: [],
};

describe('too many rules for one request', () => {
  it.each<[Partial<Target>, Partial<Target>, boolean]>([
    [{}, {}, true],
    [{}, { resources: ['write'] }, false],
    [{}, { servers: ['crm'] }, false],
    [{}, { actions: ['tools/list'] }, false],
    [{}, { resources: ['re*'] }, true],
    [{ resources: ['re*'] }, {}, true],
    [{ resources: ['re*'] }, { resources: ['*ad'] }, true],
    [{ resources: ['*ad'] }, { resources: ['re*'] }, true],
    [{ resources: ['re*'] }, { resources: ['wr*'] }, false],
    [{ resources: ['*'] }, { resources: ['*x*'] }, true],
    [{ resources: ['\\*'] }, { resources: ['*'] }, true],
    [{ resources: ['\\*'] }, { resources: ['x*'] }, false],
    [{ servers: ['*'] }, { servers: ['crm'] }, true],
    [{ servers: [] }, { servers: ['crm'] }, true],
    [{ servers: ['crm', 'files'] }, { servers: [] }, true],
    [{ servers: [] }, { servers: [] }, true],
    [{ servers: ['f*'], resources: ['a*'] }, { servers: [], resources: ['b*'] }, false],
    [{ servers: [], resources: ['a*'] }, { servers: ['f*'], resources: ['b*'] }, false],
    [{ servers: ['f*'] }, { servers: ['*s'] }, true],
    [{ servers: ['f*'] }, { servers: ['g*'] }, false],
    [{ actions: ['tools/*'] }, { actions: ['*'] }, true],
    [{ resources: [{ type: 'tool', id: 'read' }] }, {}, true],
    [{ resources: [{ type: 'tool', id: 'read' }] }, { resources: [{ type: 'prompt', id: 'read' }] }, false],
    [{ resources: ['read', 'write'] }, { resources: ['w*'] }, true],
  ])('of a policy for %j beside one for %j: %j', (published, beside, expected) => {
    expect(isRefused(published, beside)).toBe(expected);
  });

  it('are as many as one request may have, and one more', () => {
    const crowd = (rules: number) =>
      [...crowds(setOf([policy('a', CALL, 1000), policy('b', CALL, rules)]), new Set(['b']))].some(Boolean);
    expect(crowd(MAX_CANDIDATES - 1000)).toBe(false);
    expect(crowd(MAX_CANDIDATES - 999)).toBe(true);
  });

  it('are not those that are not enforced', () => {
    const set = setOf([policy('a', CALL, 2000), policy('b', CALL, 10, { enforce: false })]);
    expect([...crowds(set, new Set(['b']))].some(Boolean)).toBe(false);
  });

  it('are those that are not enforced by themselves: they are evaluated, too', () => {
    const set = setOf([policy('a', CALL, 1000, { enforce: false }), policy('b', CALL, 1001, { enforce: false })]);
    expect([...crowds(set, new Set(['b']))].some(Boolean)).toBe(true);
  });

  it('are found at the last of very many servers', () => {
    const servers = Array.from({ length: 1000 }, (_, at) => `s${at}`);
    const set = setOf([
      policy('many', { ...CALL, servers }, 1000),
      policy('last', { ...CALL, servers: ['s999'] }, 1001),
    ]);
    expect([...crowds(set, new Set(['many']))].find(Boolean)).toMatchObject({ server: 's999', rules: 2001 });
  });

  it('are looked for in pieces also where patterns have nothing in common', () => {
    const many = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}*`);
    const target = (prefix: string): Target => ({
      servers: many(prefix, 900),
      actions: many('a', 90),
      resources: many(`${prefix}r`, 900),
    });
    const set = setOf([policy('a', target('x'), 1), policy('c', target('y'), 1), policy('b', CALL, 2001)]);
    let pieces = 0;
    for (const each of crowds(set, new Set(['a', 'c']))) {
      expect(each).toBeUndefined();
      pieces++;
    }
    expect(pieces).toBeGreaterThan(100);
    expect(pieces).toBeLessThan(100_000);
  });

  it('are looked for in pieces, and not without end', () => {
    const many = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
    const set = setOf([
      policy('a', { servers: many('s', 900), actions: many('a', 90), resources: many('r', 900) }, 1),
      policy('b', CALL, 2001),
    ]);
    let pieces = 0;
    for (const each of crowds(set, new Set(['a']))) {
      expect(each).toBeUndefined();
      pieces++;
    }
    expect(pieces).toBeGreaterThan(1000);
    expect(pieces).toBeLessThan(100_000);
  });
});
