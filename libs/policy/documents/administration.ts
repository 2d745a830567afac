/** The roles of administrators that are always there. No document may have one of these names. */
export const BUILT_IN_ADMINISTRATION = [
  'owner',
  'policy-author',
  'publisher',
  'registrar',
  'approver',
  'auditor',
  'user',
  'operator',
] as const;

export type BuiltInAdministration = (typeof BUILT_IN_ADMINISTRATION)[number];

/** What an AdministratorRole can let somebody do. */
export const ADMINISTRATION_ACTIONS = [
  'read',
  'write',
  'publish',
  'rotate',
  'suspend',
  'test',
  'explain',
  'export',
  'answer',
  'grant',
  'delete',
  'manage',
] as const;

export type AdministrationAction = (typeof ADMINISTRATION_ACTIONS)[number];

/** What it can be done to: every kind of document, what the service keeps besides, and `all`. */
export const ADMINISTRATION_OBJECTS = [
  'Role',
  'Binding',
  'Policy',
  'Scope',
  'Tenant',
  'Subject',
  'Resource',
  'Server',
  'Host',
  'Test',
  'Guardrail',
  'Issuer',
  'Mapping',
  'AdministratorRole',
  'AdministratorBinding',
  'Suspension',
  'Draft',
  'Revision',
  'Key',
  'Client',
  'Decision',
  'Access',
  'Session',
  'Person',
  'Tenancy',
  'Capability',
  'Consent',
  'all',
] as const;

export type AdministrationObject = (typeof ADMINISTRATION_OBJECTS)[number];

/** Whether a name is that of a built-in role. */
export const isBuiltInAdministration = (name: string): name is BuiltInAdministration =>
  (BUILT_IN_ADMINISTRATION as readonly string[]).includes(name);
