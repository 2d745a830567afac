import { createMongoAbility } from '@casl/ability';
import { unpackRules } from '@casl/ability/extra';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADMINISTRATION_ACTIONS,
  ADMINISTRATION_OBJECTS,
  BUILT_IN_ADMINISTRATION,
  DocumentSet,
  type AdministrationAction,
  type AdministrationObject,
  type AdministratorRoleDocument,
} from '#policy';
import { abilityOf, covers, isSameAbility, may, mayOnSome, packed } from './ability.js';
import type { AdministrationGrant } from './built-in.js';

type Role = Pick<AdministratorRoleDocument, 'name' | 'inherits' | 'grants'>;

const documents = (...roles: Role[]): DocumentSet =>
  DocumentSet.of(roles.map((role, version) => ({ document: { kind: 'AdministratorRole', ...role }, version })));

const withGrants = (...grants: AdministrationGrant[]) =>
  abilityOf(['r'], documents({ name: 'r', grants: grants as never }));

describe('a right to things of some names', () => {
  const ability = withGrants({ actions: ['write'], on: ['Policy'], names: ['crm', 'mail-*', 'a.b*', 'undef*'] });

  it.each([
    ['crm', true],
    ['mail-', true],
    ['mail-inbox', true],
    ['a.bc', true],
    ['crm2', false],
    ['mail', false],
    ['x-mail-inbox', false],
    ['aXbc', false],
    ['x\nmail-inbox', false],
    ['', false],
  ])('of %j: %s', (name, expected) => {
    expect(may(ability, 'write', 'Policy', name)).toBe(expected);
  });

  it('is none to all of them, though CASL says yes of the type', () => {
    expect(ability.can('write', 'Policy')).toBe(true);
    expect(may(ability, 'write', 'Policy')).toBe(false);
    expect(mayOnSome(ability, 'write', 'Policy')).toBe(true);
  });

  it('takes no missing name for a match', () => {
    const name = undefined as unknown as string;
    expect(may(ability, 'write', 'Policy', name)).toBe(false);
    expect(
      may(withGrants({ actions: ['read'], on: ['Policy'], names: ['undefined', 'null'] }), 'read', 'Policy', name),
    ).toBe(false);
  });

  it('is none to do something else, or to something else', () => {
    expect(may(ability, 'read', 'Policy', 'crm')).toBe(false);
    expect(may(ability, 'write', 'Role', 'crm')).toBe(false);
    expect(mayOnSome(ability, 'write', 'Role')).toBe(false);
  });

  it('is one to all of them where the names are *', () => {
    const all = withGrants({ actions: ['write'], on: ['Policy'], names: ['crm', '*'] });
    expect(may(all, 'write', 'Policy')).toBe(true);
  });
});

describe('a built-in role', () => {
  const can = (role: string) => {
    const ability = abilityOf([role], DocumentSet.EMPTY);
    return (action: AdministrationAction, object: AdministrationObject) => may(ability, action, object);
  };
  const IDENTITY = ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding'] as const;

  const OPERATED = ['Tenancy', 'Guardrail'] as const;
  const ofTenant = ADMINISTRATION_OBJECTS.filter((object) => !OPERATED.some((operated) => operated === object));

  it.each(BUILT_IN_ADMINISTRATION)(
    '%s manages the tenants, and what stands above them, only as operator, and is all of the tenant only as owner',
    (role) => {
      for (const action of ADMINISTRATION_ACTIONS)
        for (const object of OPERATED) expect(can(role)(action, object)).toBe(role === 'operator');
      const everything = ofTenant
        .filter((object) => object !== 'all')
        .every((object) => ADMINISTRATION_ACTIONS.every((action) => can(role)(action, object)));
      expect(everything).toBe(role === 'owner');
    },
  );

  it.each(BUILT_IN_ADMINISTRATION.filter((role) => role !== 'owner'))(
    '%s neither writes what says who people are, nor grants',
    (role) => {
      for (const action of ['write', 'delete', 'publish'] as const)
        for (const kind of IDENTITY) expect(can(role)(action, kind)).toBe(false);
      for (const object of ofTenant) expect(can(role)('grant', object)).toBe(false);
    },
  );

  it.each<[string, AdministrationAction, AdministrationObject, boolean]>([
    ['policy-author', 'read', 'Policy', true],
    ['policy-author', 'read', 'AdministratorRole', true],
    ['policy-author', 'write', 'Draft', true],
    ['policy-author', 'test', 'Draft', true],
    ['policy-author', 'explain', 'Access', true],
    ['policy-author', 'publish', 'Draft', false],
    ['policy-author', 'write', 'Policy', false],
    ['policy-author', 'read', 'Key', false],
    ['policy-author', 'read', 'Person', false],
    ['publisher', 'publish', 'Draft', true],
    ['publisher', 'write', 'Policy', true],
    ['publisher', 'publish', 'Revision', true],
    ['publisher', 'suspend', 'Host', true],
    ['publisher', 'read', 'Client', false],
    ['registrar', 'write', 'Server', true],
    ['registrar', 'rotate', 'Key', true],
    ['registrar', 'write', 'Client', true],
    ['registrar', 'write', 'Policy', false],
    ['approver', 'read', 'Decision', true],
    ['approver', 'read', 'Policy', false],
    ['auditor', 'read', 'Key', true],
    ['auditor', 'export', 'Decision', true],
    ['auditor', 'write', 'Draft', false],
    ['user', 'read', 'Decision', false],
  ])('%s: %s %s: %s', (role, action, object, expected) => {
    expect(can(role)(action, object)).toBe(expected);
  });

  it('is not changed by a document of its name', () => {
    const ability = abilityOf(['user'], documents({ name: 'user', grants: [{ actions: ['manage'], on: ['all'] }] }));
    expect(ability.rules).toEqual([]);
  });
});

describe('a role of a document', () => {
  it('has what it inherits, from built-in roles too, and a circle ends', () => {
    const set = documents({ name: 'a', inherits: ['b'] }, { name: 'b', inherits: ['a', 'approver'] });
    expect(may(abilityOf(['a'], set), 'read', 'Decision')).toBe(true);
  });

  it('gives everything of the tenant by all, and not the tenants', () => {
    const ability = withGrants({ actions: ['manage'], on: ['all'] });
    expect(may(ability, 'delete', 'Key')).toBe(true);
    expect(may(ability, 'delete', 'Tenancy')).toBe(false);
  });

  it('gives nothing where there is none of that name', () => {
    for (const name of ['nobody', 'constructor', '__proto__', 'toString'])
      expect(abilityOf([name], DocumentSet.EMPTY).rules).toEqual([]);
  });

  it('is worked out once for a state of the documents, and anew for the next', () => {
    const before = documents({ name: 'a', grants: [{ actions: ['read'], on: ['Policy'] }] });
    const after = before.with([{ kind: 'AdministratorRole', name: 'a' }]);
    expect(abilityOf(['a', 'user'], before)).toBe(abilityOf(['user', 'a', 'a'], before));
    expect(may(abilityOf(['a'], after), 'read', 'Policy')).toBe(false);
    // The same name and version in another tenant is another role.
    const elsewhere = documents({ name: 'a', grants: [{ actions: ['read'], on: ['Role'] }] });
    expect(may(abilityOf(['a'], elsewhere), 'read', 'Policy')).toBe(false);
  });
});

const NAMES = ['a', 'ab', 'abc', 'b', 'a.c', 'axc', 'never'];
const grants = fc.array(
  fc.record({
    actions: fc.uniqueArray(fc.constantFrom(...ADMINISTRATION_ACTIONS), { minLength: 1, maxLength: 3 }),
    on: fc.uniqueArray(fc.constantFrom<AdministrationObject>('Policy', 'Role', 'Key', 'Tenancy', 'all'), {
      minLength: 1,
      maxLength: 2,
    }),
    names: fc.option(
      fc.uniqueArray(fc.constantFrom('a', 'ab', 'a*', 'ab*', 'a.*', 'b', '*'), { minLength: 1, maxLength: 3 }),
      { nil: undefined },
    ),
  }),
  { maxLength: 3 },
);

/** Everything that an ability allows, one by one. An undefined name stands for all that there could be. */
function* questions(): Generator<[AdministrationAction, AdministrationObject, string | undefined]> {
  for (const action of ADMINISTRATION_ACTIONS)
    for (const object of ['Policy', 'Role', 'Key', 'Server', 'Tenancy'] as const)
      for (const name of [undefined, ...NAMES]) yield [action, object, name];
}

/** What grants mean, said anew. */
const means = (
  all: readonly AdministrationGrant[],
  action: string,
  object: string,
  name: string | undefined,
): boolean =>
  all.some(
    ({ actions, on, names }) =>
      (actions as string[]).some((one) => one === action || one === 'manage') &&
      (on as string[]).some((one) => one === object || (one === 'all' && object !== 'Tenancy')) &&
      (names === undefined ||
        names.some((one) =>
          name === undefined ? one === '*' : one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name,
        )),
  );

describe('laws of abilities', () => {
  it('they allow what the grants mean, also after they were packed, sent and unpacked', () => {
    fc.assert(
      fc.property(grants, (all) => {
        const ability = withGrants(...all);
        const sent = JSON.parse(JSON.stringify(packed(ability))) as Parameters<typeof unpackRules>[0];
        const unpacked = createMongoAbility(unpackRules(sent) as never);
        for (const [action, object, name] of questions()) {
          expect(may(ability, action, object, name)).toBe(means(all, action, object, name));
          expect(may(unpacked, action, object, name)).toBe(means(all, action, object, name));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('what is covered is allowed', () => {
    let covered = 0;
    fc.assert(
      fc.property(grants, grants, (mine, theirs) => {
        const [own, granted] = [withGrants(...mine), withGrants(...theirs)];
        if (!covers(own, granted)) return;
        covered++;
        for (const [action, object, name] of questions())
          if (may(granted, action, object, name)) expect(may(own, action, object, name)).toBe(true);
      }),
      { numRuns: 400 },
    );
    expect(covered).toBeGreaterThan(5);
  });

  it('each covers itself, and the owner all but the operator', () => {
    fc.assert(fc.property(grants, (all) => covers(withGrants(...all), withGrants(...all))));
    const of = (role: string) => abilityOf([role], DocumentSet.EMPTY);
    for (const role of BUILT_IN_ADMINISTRATION) {
      expect(covers(of('owner'), of(role))).toBe(role !== 'operator');
      expect(covers(of(role), of('owner'))).toBe(role === 'owner');
    }
  });

  it('they are the same with the same rules, in whatever order', () => {
    const [one, other] = [
      documents({ name: 'r', grants: [{ actions: ['read'], on: ['Policy'] }] }),
      documents({ name: 'q' }, { name: 'r', grants: [{ actions: ['read'], on: ['Policy'] }] }),
    ];
    expect(isSameAbility(abilityOf(['user', 'r'], one), abilityOf(['r', 'approver'], other))).toBe(false);
    expect(isSameAbility(abilityOf(['user', 'r'], one), abilityOf(['r'], other))).toBe(true);
    expect(isSameAbility(abilityOf(['approver', 'r'], one), abilityOf(['r', 'approver'], other))).toBe(true);
  });
});
