import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADMINISTRATION_ACTIONS,
  DocumentSet,
  documentName,
  type AdministrationAction,
  type AdministrationObject,
  type AnyDocument,
  type DocumentChange,
  type IssuerDocument,
} from '#policy';
import type { StoredCredential } from '#store';
import { abilityOf, covers, may } from './ability.js';
import { exceeding, foreignWorkload } from './grants.js';

const put = (document: object): DocumentChange => {
  const typed = document as AnyDocument;
  return { kind: typed.kind, name: documentName(typed), stored: { document: typed, version: 1 } };
};
const setOf = (...documents: object[]) => DocumentSet.EMPTY.with(documents.map(put));

const role = (name: string, grants: object[], inherits: string[] = []) => ({
  kind: 'AdministratorRole',
  name,
  grants,
  inherits,
});
const binding = (name: string, to: string[], roles: string[]) => ({ kind: 'AdministratorBinding', name, to, roles });
const mapping = (name: string, issuer: string, ...rules: object[]) => ({
  kind: 'Mapping',
  name,
  issuer,
  rules: rules.map((rule, index) => ({ name: `r${index}`, when: 'always', ...rule })),
});
const issuer = (name: string, more: object = {}) => ({
  kind: 'Issuer',
  name,
  issuer: `https://${name}.example`,
  ...more,
});

/** What comes of a change by somebody who may write all that says who may do what, and read; but owns nothing. */
function excess(
  present: DocumentSet,
  ...changes: (object | { gone: [AnyDocument['kind'], string] })[]
): string | undefined {
  const limited = role('limited', [
    { actions: ['read'], on: ['all'] },
    { actions: ['write'], on: ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding'] },
  ]);
  const before = present.with([put(limited)]);
  const made = changes.map((change) =>
    'gone' in change ? { kind: change.gone[0], name: change.gone[1] } : put(change),
  );
  const after = before.with(made);
  const found = exceeding(
    abilityOf(['limited'], before),
    before,
    after,
    made.map(({ kind, name }) => ({
      before: before.find(kind, name)?.document,
      after: after.find(kind, name)?.document,
    })),
  );
  return found && `${found.kind} ${documentName(found)}`;
}

const OWNED = setOf(
  role('strong', [{ actions: ['manage'], on: ['Key'] }]),
  role('weak', [{ actions: ['read'], on: ['Key'] }]),
  issuer('entra'),
  issuer('other'),
  binding('boss', ['user:entra/1'], ['owner']),
  mapping('claims', 'entra', { stop: true }, { administration: ['publisher'] }),
);

describe('a change that would give more than its maker has', () => {
  it.each<[string, ...(object | { gone: [AnyDocument['kind'], string] })[]]>([
    ['a role', role('new', [{ actions: ['write'], on: ['Key'] }])],
    ['a role by what it inherits', role('new', [], ['strong'])],
    ['a role by a built-in one', role('new', [], ['publisher'])],
    ['a role of all names where some are had', role('weak', [{ actions: ['delete'], on: ['Role'], names: ['a'] }])],
    ['a role that is lessened', role('strong', [{ actions: ['read'], on: ['Key'] }])],
    ['a role that goes', { gone: ['AdministratorRole', 'strong'] }],
    ['a role in two steps of one change', role('a', [], ['b']), role('b', [], ['owner'])],
    ['a binding', binding('new', ['user:other/2'], ['owner'])],
    ['a binding to somebody else', binding('boss', ['user:other/2'], ['owner'])],
    ['a binding that goes', { gone: ['AdministratorBinding', 'boss'] }],
    ['a mapping', mapping('new', 'other', { administration: ['owner'] })],
    ['a mapping that lets others of its issuer go on', mapping('claims', 'entra', { administration: ['publisher'] })],
    ['a mapping beside one that gives more', mapping('a', 'entra', { roles: ['x'] })],
    ['a mapping that goes', { gone: ['Mapping', 'claims'] }],
    ['a mapping that moves to another issuer', mapping('claims', 'other', { roles: ['x'] })],
    ['an issuer whose people are bound', issuer('entra', { issuer: 'https://mine.example' })],
    ['an issuer that goes', { gone: ['Issuer', 'entra'] }],
  ])('is refused: %s', (_what, ...changes) => {
    expect(excess(OWNED, ...changes)).toBeDefined();
  });

  it('is refused for a new issuer where groups are bound, for it could say that anybody is in them', () => {
    const grouped = OWNED.with([put(binding('admins', ['group:admins'], ['owner']))]);
    expect(excess(grouped, issuer('evil'))).toBe('Issuer evil');
    expect(excess(OWNED, issuer('evil'))).toBeUndefined();
  });

  it.each<[string, object]>([
    ['a role', role('new', [{ actions: ['read'], on: ['Policy'], names: ['a*'] }])],
    ['a role that inherits', role('new', [], ['weak', 'approver'])],
    ['a binding', binding('new', ['user:other/2'], ['weak', 'limited'])],
    ['a mapping', mapping('new', 'other', { administration: ['weak'] })],
    ['an issuer of whom nothing comes', issuer('other', { profile: 'okta' })],
  ])('is not %s of what the maker has', (_what, change) => {
    expect(excess(OWNED, change)).toBeUndefined();
  });
});

describe('a workload whose Issuer changes', () => {
  const workload = (over: Partial<StoredCredential> = {}) =>
    ({
      id: 'w',
      kind: 'federated',
      disabled: false,
      issuer: 'cluster',
      principal: 'desk',
      ...over,
    }) as StoredCredential;
  const of = (...names: string[]) =>
    abilityOf(
      ['r'],
      setOf(
        role('r', [
          { actions: ['write'], on: ['Issuer'] },
          { actions: ['write'], on: ['Client'], names },
        ]),
      ),
    );
  const document = (name: string, more: object = {}) => issuer(name, more) as unknown as IssuerDocument;
  const changed = (before: string | undefined, after: string | undefined, more: object = {}) => ({
    before: before === undefined ? undefined : document(before, { workloads: {} }),
    after: after === undefined ? undefined : document(after, more),
  });
  const elsewhere = changed('cluster', 'cluster', { issuer: 'https://mine.example', workloads: {} });

  it.each<[string, ReturnType<typeof changed>[]]>([
    ['points elsewhere', [elsewhere]],
    ['has other keys', [changed('cluster', 'cluster', { jwksUri: 'https://mine.example/keys', workloads: {} })]],
    ['vouches for no workloads any more', [changed('cluster', 'cluster')]],
    ['goes', [changed('cluster', undefined)]],
    ['comes back', [changed(undefined, 'cluster')]],
    ['gets another name', [changed(undefined, 'other'), changed('cluster', undefined)]],
    ['gets the name on which it rests', [changed('other', undefined), changed(undefined, 'cluster')]],
  ])('is not for whoever may not write the clients of its host, where it %s', (_what, changes) => {
    expect(foreignWorkload(of('other'), [workload({ issuer: 'none', id: 'v' }), workload()], changes)).toMatchObject({
      id: 'w',
    });
    expect(foreignWorkload(of('desk'), [workload()], changes)).toBeUndefined();
    expect(foreignWorkload(of('desk'), [workload(), workload({ principal: 'till', id: 'x' })], changes)).toMatchObject({
      id: 'x',
    });
  });

  it.each<[string, StoredCredential, ReturnType<typeof changed>]>([
    ['where it is of another Issuer', workload({ issuer: 'other' }), elsewhere],
    ['where it is disabled', workload({ disabled: true }), elsewhere],
    ['where it is no workload', workload({ kind: 'client', issuer: null }), elsewhere],
    [
      'where something else changes',
      workload({ issuer: 'm' }),
      { before: undefined, after: mapping('m', 'cluster') as never },
    ],
  ])("is nobody else's business %s", (_what, credential, change) => {
    expect(foreignWorkload(of('other'), [credential], [change])).toBeUndefined();
  });
});

/** Whoever holds something: a person by bindings, a person by claims, or a key. */
interface State {
  readonly documents: DocumentSet;
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

const OBJECTS: readonly AdministrationObject[] = ['Policy', 'Key', 'AdministratorRole', 'Tenancy'];
const NAMES = [undefined, 'a', 'ab', 'b'];

/** All that the holder of some roles may do, one by one. */
function reach(roles: readonly string[], documents: DocumentSet): Set<string> {
  const ability = abilityOf(roles, documents);
  const all = new Set<string>();
  for (const action of ADMINISTRATION_ACTIONS as readonly AdministrationAction[])
    for (const object of OBJECTS)
      for (const name of NAMES) if (may(ability, action, object, name)) all.add(`${action} ${object} ${name ?? '*'}`);
  return all;
}

/** What everybody may do who is not among the strong ones, whom nobody of the makers has made. */
function heldByOthers({ documents, keys }: State, strong: ReadonlySet<string>): Set<string> {
  const held = new Set<string>();
  const add = (roles: readonly string[]) => {
    for (const one of reach(roles, documents)) held.add(one);
  };
  for (const [name, roles] of keys) if (!strong.has(`key ${name}`)) add(roles);
  for (const { document } of documents.all('AdministratorBinding'))
    if (!strong.has(`binding ${document.name}`)) add(document.roles);
  for (const { document } of documents.all('Mapping')) add(document.rules.flatMap((rule) => rule.administration ?? []));
  return held;
}

const ROLES = ['x', 'y', 'z', 'weak', 'limited', 'owner', 'publisher', 'operator', 'user'];
const someRoles = fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 2 });
const someGrants = fc.array(
  fc.record({
    actions: fc.uniqueArray(fc.constantFrom('read', 'write', 'grant', 'manage'), { minLength: 1, maxLength: 2 }),
    on: fc.uniqueArray(fc.constantFrom('Policy', 'Key', 'AdministratorRole', 'all', 'Tenancy'), {
      minLength: 1,
      maxLength: 2,
    }),
    names: fc.option(fc.uniqueArray(fc.constantFrom('a', 'a*', 'ab', 'b*', '*'), { minLength: 1 }), { nil: undefined }),
  }),
  { maxLength: 2 },
);
const someRole = fc.record({ name: fc.constantFrom('x', 'y', 'z'), grants: someGrants, inherits: someRoles });
const step = fc.record({
  by: fc.nat({ max: 9 }),
  change: fc.oneof(
    someRole.map(({ name, grants, inherits }) => ({ document: role(name, grants, inherits) })),
    fc
      .tuple(fc.constantFrom('p', 'q'), fc.constantFrom('user:e/1', 'group:g'), someRoles)
      .map(([name, to, roles]) => ({ document: binding(name, [to], roles) })),
    fc.tuple(fc.constantFrom('m', 'n'), someRoles).map(([name, roles]) => ({
      document: mapping(name, 'e', { administration: roles }),
    })),
    fc.tuple(fc.constantFrom('k', 'l'), someRoles).map(([key, roles]) => ({ key, roles })),
  ),
});

describe('laws of grants', () => {
  it('whatever those who are no owners do, nobody ever holds more than they held together', () => {
    let made = 0;
    fc.assert(
      fc.property(
        fc.array(someRole, { maxLength: 3 }),
        fc.uniqueArray(fc.constantFrom('x', 'y', 'z', 'weak', 'user'), { minLength: 1, maxLength: 3 }),
        fc.array(step, { maxLength: 12 }),
        (roles, makers, steps) => {
          const start = setOf(
            issuer('e'),
            role('weak', [{ actions: ['read', 'write'], on: ['Policy'], names: ['a*'] }]),
            ...roles.map(({ name, grants, inherits }) =>
              role(
                name,
                grants,
                inherits.filter((one) => one !== 'owner'),
              ),
            ),
            binding('boss', ['user:e/9'], ['owner']),
          );
          let state: State = { documents: start, keys: new Map(makers.map((name) => [`maker-${name}`, [name]])) };
          const strong = new Set(['binding boss']);
          const before = heldByOthers(state, strong);
          for (const { by, change } of steps) {
            const holders = [...state.keys.values()];
            const maker = abilityOf(holders[by % holders.length]!, state.documents);
            const next = stepped(state, maker, change);
            if (next !== state) made++;
            state = next;
          }
          for (const one of heldByOthers(state, strong)) expect(before).toContain(one);
        },
      ),
      { numRuns: 300 },
    );
    expect(made).toBeGreaterThan(100);
  });
});

/** The state after a change, or the same where it is refused. */
function stepped(
  state: State,
  maker: ReturnType<typeof abilityOf>,
  change: { document: object } | { key: string; roles: readonly string[] },
): State {
  const { documents, keys } = state;
  if ('key' in change) {
    const taken = keys.get(change.key) ?? [];
    const isCovered = covers(maker, abilityOf([...taken, ...change.roles], documents));
    return isCovered ? { documents, keys: new Map([...keys, [change.key, change.roles]]) } : state;
  }
  const made = put(change.document);
  const next = documents.with([made]);
  const before = documents.find(made.kind, made.name)?.document;
  return exceeding(maker, documents, next, [{ before, after: made.stored!.document }])
    ? state
    : { documents: next, keys };
}
