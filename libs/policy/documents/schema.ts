import { z } from 'zod';
import type { consentSchema } from './consent-schema.js';
import { guardrailSchema } from './guardrail-schema.js';
import { identitySchemas } from './identity-schema.js';
import { foreignId, instant, name, properties, subjectOrGroup, subjectType, text } from './members.js';
import { policySchema } from './policy-schema.js';
import { resourceSchema } from './resource-schema.js';
import { scopeSchema } from './scope-schema.js';
import { serverSchema } from './server-schema.js';
import { tenantSchema } from './tenant-schema.js';
import { testSchema } from './test-schema.js';

/** What can be suspended. */
export const SUSPENDABLE = ['Server', 'Host', 'Subject', 'Tenant'] as const;

/** Every kind of document, by its `kind`. The published JSON Schema is made from these (json-schema.ts). */
export const documentSchemas = {
  Role: z.strictObject({
    kind: z.literal('Role'),
    name,
    description: text.optional(),
    inherits: z.array(name).max(100).optional(),
  }),
  Binding: z.strictObject({
    kind: z.literal('Binding'),
    name,
    description: text.optional(),
    subjects: z.array(subjectOrGroup).min(1).max(1000),
    roles: z.array(name).min(1).max(100),
    expires: instant.optional(),
  }),
  Policy: policySchema,
  Scope: scopeSchema,
  Tenant: tenantSchema,
  Subject: z.strictObject({
    kind: z.literal('Subject'),
    type: subjectType.default('user'),
    id: foreignId,
    description: text.optional(),
    aliases: z
      .array(z.strictObject({ type: subjectType, id: foreignId }))
      .max(100)
      .optional(),
    groups: z.array(foreignId).max(10_000).optional(),
    properties: properties.optional(),
  }),
  Resource: resourceSchema,
  Server: serverSchema,
  Host: z.strictObject({
    kind: z.literal('Host'),
    name,
    title: text.optional(),
    description: text.optional(),
    owner: subjectOrGroup.optional(),
    properties: properties.optional(),
  }),
  Test: testSchema,
  Guardrail: guardrailSchema,
  ...identitySchemas,
  /** Stops a server, a host, a person or the tenant. Not written in files: what nobody put there must not take it away. */
  Suspension: z.strictObject({
    kind: z.literal('Suspension'),
    of: z.enum(SUSPENDABLE),
    /** Of the server or host; of a subject its type and id, as in `user:ann`; of the tenant its own. */
    name: foreignId,
    reason: text.optional(),
    /** The Issuer whose directory says that the account is not good any more, and can say otherwise; left out: somebody did it. */
    by: name.optional(),
  }),
} as const;

export type Kind = keyof typeof documentSchemas;
export type DocumentOf<K extends Kind> = z.output<(typeof documentSchemas)[K]>;
export type AnyDocument = { [K in Kind]: DocumentOf<K> }[Kind];

export type RoleDocument = DocumentOf<'Role'>;
export type BindingDocument = DocumentOf<'Binding'>;
export type PolicyDocument = DocumentOf<'Policy'>;
export type RuleDocument = PolicyDocument['rules'][number];
export type ScopeDocument = DocumentOf<'Scope'>;
export type ScopeClauses = NonNullable<TenantDocument['defaults']['hostScope']>;
export type TenantDocument = DocumentOf<'Tenant'>;
export type SubjectDocument = DocumentOf<'Subject'>;
export type ResourceDocument = DocumentOf<'Resource'>;
export type ServerDocument = DocumentOf<'Server'>;
export type ToolDocument = NonNullable<ServerDocument['tools']>[string];
export type HostDocument = DocumentOf<'Host'>;
export type GuardrailDocument = DocumentOf<'Guardrail'>;
export type TestDocument = DocumentOf<'Test'>;
export type IssuerDocument = DocumentOf<'Issuer'>;
export type MappingDocument = DocumentOf<'Mapping'>;
export type MappingRule = MappingDocument['rules'][number];
export type AdministratorRoleDocument = DocumentOf<'AdministratorRole'>;
export type SuspensionDocument = DocumentOf<'Suspension'>;
export type ConsentBlock = z.output<typeof consentSchema>;

/** All kinds, in the order in which a newcomer would write them. */
export const KINDS = Object.keys(documentSchemas) as readonly Kind[];

/** Those that are written in files, and that a file can replace or leave out. */
export const AUTHORED_KINDS: readonly Kind[] = KINDS.filter((kind) => kind !== 'Suspension');

/** A document's identity within its kind. Subjects and resources are named by what they describe. */
export function documentName(document: AnyDocument): string {
  switch (document.kind) {
    case 'Subject':
      return `${document.type}:${document.id}`;
    case 'Resource':
      return `${document.server ?? ''}/${document.type}:${document.id}`;
    case 'Scope':
      return document.name ?? (document.server === undefined ? `host:${document.host!}` : `server:${document.server}`);
    case 'Suspension':
      return `${document.of}:${document.name}`;
    default:
      return document.name;
  }
}

/** Members that the design knows and that nothing enforces yet, by where they stand (`*` is any position). */
export const NOT_SUPPORTED_YET: Readonly<Record<Kind, readonly string[]>> = {
  Role: [],
  Binding: [],
  Policy: ['rules.*.filter', 'rules.*.labels', 'rules.*.rateLimit'],
  Scope: ['rateLimit', 'labels', 'sampling'],
  Tenant: ['defaults.rateLimit', 'defaults.unregisteredServers', 'defaults.hostScope.rateLimit', 'quotas'],
  Subject: ['suspended'],
  Resource: ['labels'],
  Server: [
    'trust',
    'pins',
    'labels',
    'resources',
    'prompts',
    'suspended',
    'tools.*.pin',
    'tools.*.risk',
    'tools.*.labels',
  ],
  Host: ['suspended'],
  Test: [],
  Guardrail: [],
  Issuer: [],
  Mapping: [],
  AdministratorRole: [],
  AdministratorBinding: [],
  Suspension: [],
};
