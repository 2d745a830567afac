import {
  ADMINISTRATION_OBJECTS,
  KINDS,
  type AdministrationAction,
  type AdministrationObject,
  type BuiltInAdministration,
} from '#policy';

/** What a role lets its holders do: some actions on some things, all of them or those of some names. */
export interface AdministrationGrant {
  readonly actions: readonly AdministrationAction[];
  readonly on: readonly AdministrationObject[];
  /** Exact names, or the beginnings of names and a `*`; left out: every name. */
  readonly names?: readonly string[] | undefined;
}

/** Everything that is kept as documents: the right to one is the right to its kind. */
export const DOCUMENT_OBJECTS: readonly AdministrationObject[] = KINDS;

/** Documents that say who people are, and what they may administer. */
const IDENTITY_KINDS: readonly AdministrationObject[] = [
  'Issuer',
  'Mapping',
  'AdministratorRole',
  'AdministratorBinding',
];

/** What can be suspended. */
export const SUSPENDABLE_OBJECTS: readonly AdministrationObject[] = ['Server', 'Host', 'Subject', 'Tenant'];

/** What is the business of the home tenant's operators: the tenants themselves, and what stands above them. */
const OPERATED: readonly AdministrationObject[] = ['Tenancy', 'Guardrail'];

/** Everything of a tenant. */
export const TENANT_OBJECTS: readonly AdministrationObject[] = ADMINISTRATION_OBJECTS.filter(
  (object) => object !== 'all' && !OPERATED.includes(object),
);

const without = (objects: readonly AdministrationObject[], others: readonly AdministrationObject[]) =>
  objects.filter((object) => !others.includes(object));

const POLICY_KINDS = without(DOCUMENT_OBJECTS, [...IDENTITY_KINDS, ...OPERATED, 'Suspension']);
const REGISTERED: readonly AdministrationObject[] = ['Server', 'Host', 'Resource'];
const CREDENTIALS: readonly AdministrationObject[] = ['Key', 'Client'];

const AUTHOR: readonly AdministrationGrant[] = [
  { actions: ['read'], on: without(TENANT_OBJECTS, [...CREDENTIALS, 'Session', 'Person', 'Consent']) },
  { actions: ['write', 'delete', 'test'], on: ['Draft'] },
  { actions: ['test'], on: ['Mapping'] },
  { actions: ['explain'], on: ['Access'] },
];

/** What the built-in roles let their holders do. */
export const BUILT_IN_GRANTS: Readonly<Record<BuiltInAdministration, readonly AdministrationGrant[]>> = {
  owner: [{ actions: ['manage'], on: TENANT_OBJECTS }],
  'policy-author': AUTHOR,
  publisher: [
    ...AUTHOR,
    { actions: ['write', 'delete'], on: POLICY_KINDS },
    { actions: ['publish'], on: ['Draft', 'Revision'] },
    { actions: ['suspend'], on: SUSPENDABLE_OBJECTS },
    { actions: ['read', 'delete'], on: ['Consent'] },
  ],
  registrar: [
    { actions: ['read', 'write', 'delete'], on: REGISTERED },
    { actions: ['read', 'write', 'rotate', 'delete'], on: CREDENTIALS },
  ],
  approver: [{ actions: ['read'], on: ['Decision', 'Consent'] }],
  auditor: [
    { actions: ['read', 'export'], on: TENANT_OBJECTS },
    { actions: ['explain'], on: ['Access'] },
  ],
  user: [],
  operator: [{ actions: ['manage'], on: OPERATED }],
};
