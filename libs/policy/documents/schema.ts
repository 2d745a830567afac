import { z } from 'zod';
import { REASON_CODES } from '../model.js';
import { pathPatternProblem } from '../paths/patterns.js';
import { readUri, uriPatternProblem } from '../paths/uris.js';
import { identitySchemas } from './identity-schema.js';
import {
  foreignId,
  instant,
  name,
  principal,
  properties,
  subjectOrGroup,
  subjectType,
  text,
  withoutProblem,
} from './members.js';
import { isForeignId, NAME, parsePrincipal } from './names.js';
import { notificationsSchema, tenantConsentsSchema } from './tenant-members.js';
import { wholeRequest } from './test-request.js';

const resourceType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a type has up to 64 letters, digits, "_" or "-"');
const glob = z.string().min(1).max(1024);
/** Ids of resources: among them URIs, of which a pattern must have the one spelling. */
const resourceGlob = glob.superRefine(withoutProblem(uriPatternProblem));
const operation = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'an operation is a word in lower case, such as read or delete');

const duration = z.string().regex(/^\d+(s|m|h|d)$/, 'a length of time is written as in 30m, 8h or 90d');

/** What must be agreed to, by whom, and how far the agreement reaches (docs/semantics.md). */
const consentSchema = z
  .strictObject({
    by: z
      .array(
        z.union([
          z.enum(['subject', 'manager', 'owner']),
          principal.refine((ref) => ref !== 'any', 'not everybody may approve: name a role, a group or a person'),
        ]),
      )
      .min(1)
      .max(20),
    approvals: z.int().min(1).max(10).default(1),
    notSelf: z.boolean().default(false),
    uses: z.int().min(1).max(10_000).optional(),
    until: duration.optional(),
    bind: z.union([z.literal('all'), z.array(z.string().min(1).max(256)).min(1).max(50)]).default('all'),
    show: z.array(z.string().min(1).max(256)).max(50).optional(),
    assurance: z.string().min(1).max(128).optional(),
    breakGlass: z
      .array(
        principal.refine((ref) => ref !== 'any', 'not everybody may break the glass: name a role, a group or a person'),
      )
      .min(1)
      .max(20)
      .optional(),
  })
  .refine((block) => block.notSelf === false || block.by.some((by) => by !== 'subject'), {
    path: ['notSelf'],
    error: 'notSelf needs somebody other than the subject in "by"',
  });

const FIELD = /^(?!\$\.)[^.\\[\]]+(\.[^.\\[\]]+)*$/;
/** Places in JSON. One that no matcher reads as it was meant would take nothing away, so it is refused. */
const fieldList = z
  .array(z.string().max(256).regex(FIELD, 'a field is named by its dotted place, such as ssn or payment.*'))
  .min(1)
  .max(100);

/** What an allow obliges the host to do. A closed list: a host denies what it cannot carry out. */
const obligationSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('redact'), fields: fieldList }),
  z.strictObject({ type: z.literal('mask'), fields: fieldList }),
  z.strictObject({ type: z.literal('log'), level: z.enum(['metadata', 'full']) }),
  z.strictObject({ type: z.literal('step-up'), acr: z.string().min(1).max(256) }),
  z.strictObject({ type: z.literal('notification'), to: z.string().min(1).max(256), body: text }),
  z.strictObject({
    type: z.literal('session_termination'),
    /** Left out: the person on whose behalf the host asks. */
    subject: principal
      .refine((ref) => parsePrincipal(ref)?.kind === 'subject', 'sessions are those of a subject: write TYPE:ID')
      .optional(),
  }),
]);

/** Which arguments, and which fields of the result, an allow covers. A part that is left out covers all. */
const fieldsSchema = z
  .strictObject({ arguments: fieldList.optional(), result: fieldList.optional() })
  .refine(
    (fields) => fields.arguments !== undefined || fields.result !== undefined,
    'write arguments, result, or both',
  );

const ruleSchema = z
  .strictObject({
    name,
    description: text.optional(),
    effect: z.enum(['allow', 'deny', 'ask']),
    enforce: z.boolean().optional(),
    to: z.array(principal).min(1).max(1000),
    via: z.array(name).min(1).max(1000).optional(),
    when: z.string().min(1).optional(),
    unless: z.string().min(1).optional(),
    consent: consentSchema.optional(),
    fields: fieldsSchema.optional(),
    obligations: z.array(obligationSchema).min(1).max(20).optional(),
  })
  .refine((rule) => rule.effect !== 'ask' || rule.consent !== undefined, {
    path: ['consent'],
    error: 'an ask rule says who is asked: add a consent block',
  })
  .refine((rule) => rule.effect !== 'deny' || rule.consent === undefined, {
    path: ['consent'],
    error: 'a deny rule asks nobody: remove the consent block',
  })
  .refine((rule) => rule.effect !== 'deny' || rule.obligations === undefined, {
    path: ['obligations'],
    error: 'a deny rule obliges to nothing: remove the obligations',
  })
  .refine((rule) => rule.effect === 'allow' || rule.fields === undefined, {
    path: ['fields'],
    error: 'only an allow rule covers fields: to take fields of the result away, add the obligation redact',
  });

const allowDeny = <T extends z.ZodType>(item: T) =>
  z
    .strictObject({ allow: z.array(item).max(1000).optional(), deny: z.array(item).max(1000).optional() })
    .refine((lists) => lists.allow !== undefined || lists.deny !== undefined, 'write allow, deny, or both');

const pathPattern = z.string().min(1).max(1024).superRefine(withoutProblem(pathPatternProblem));

/** The clauses of a boundary. An absent clause limits nothing. */
const clauses = {
  servers: allowDeny(glob).optional(),
  actions: allowDeny(glob).optional(),
  resources: allowDeny(resourceGlob).optional(),
  operations: allowDeny(operation).optional(),
  paths: allowDeny(pathPattern).optional(),
};

const identitySchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'an http or https URL' })
      .max(2048)
      .optional(),
    command: z.array(z.string().max(4096)).min(1).max(100).optional(),
    package: z
      .strictObject({
        registry: name,
        name: z.string().min(1).max(256),
        version: z.string().min(1).max(128),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is written in 64 digits and letters a to f'),
      })
      .optional(),
  })
  .refine(
    (identity) => Object.values(identity).filter((value) => value !== undefined).length === 1,
    'write one of url, command or package',
  );

const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_./:-]{1,128}$/, 'a tool name has up to 128 letters, digits, "_", ".", "/", ":" or "-"');

const argumentPlace = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'an argument is named by its dotted place, such as path or files.path');

const toolSchema = z.strictObject({
  description: text.optional(),
  operation: operation.optional(),
  arguments: z.record(argumentPlace, z.enum(['path'])).optional(),
  inputSchema: properties.optional(),
  /** SHA-256 of the whole definition, as canonical JSON (RFC 8785): agreements are given for this one only. */
  definition: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')
    .optional(),
});

/** Ids of one type of resource. Those of other types than MCP's `resource` are not brought to one spelling. */
const typedResource = z
  .strictObject({ type: z.string().min(1).max(64), id: glob })
  .superRefine(({ type, id }, context) => {
    const message = type === 'resource' ? uriPatternProblem(id) : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['id'], message });
  });

/** The URI of a resource of a server stands in its one spelling, or no request would find the document. */
function spellingProblem({
  server,
  type,
  id,
}: {
  server?: string | undefined;
  type: string;
  id: string;
}): string | undefined {
  if (type !== 'resource' || server === undefined) return undefined;
  const read = readUri(id);
  if ('ambiguous' in read) return `not a URI that means one place: it has ${read.ambiguous}`;
  return read.uri === id ? undefined : `a URI is written in one spelling: ${read.uri}`;
}

/** A rule as answers name it, in one text. */
const ruleName = z
  .string()
  .refine((text) => text.split('/').every((part) => NAME.test(part)) && text.split('/').length === 2, {
    error: 'a rule is named by its policy and its name, as in crm/own-region',
  });

/** Ids as they come over the wire, where requests need not be about what can be stored. */
const requestId = z.string().max(2048);

/** What a Test asks; in the words of the fronts. Asserted attributes are taken for ones that the caller may assert. */
const testRequestSchema = z.strictObject({
  subject: z
    .strictObject({
      type: z.string().min(1).max(64).default('user'),
      id: foreignId,
      properties: properties.optional(),
      assurance: z.enum(['asserted', 'verified']).optional(),
      groups: z.array(foreignId).max(10_000).optional(),
      token: properties.optional(),
    })
    .refine(
      ({ assurance, groups, token }) => assurance === 'verified' || (groups === undefined && token === undefined),
      'groups and token are those of a verified subject: write assurance: verified',
    )
    .optional(),
  host: name.optional(),
  server: name.optional(),
  action: z.string().min(1).max(256).optional(),
  tool: requestId.min(1).optional(),
  resource: z
    .strictObject({ type: z.string().min(1).max(64), id: requestId, properties: properties.optional() })
    .optional(),
  arguments: properties.optional(),
  context: properties.optional(),
  session: z.strictObject({ id: foreignId }).optional(),
  now: instant.optional(),
});

const testCaseSchema = z.strictObject({
  name: z.string().refine((text) => isForeignId(text) && text.length <= 200, {
    error: 'a case is named in 1 to 200 characters, none of them control characters',
  }),
  description: text.optional(),
  request: testRequestSchema.optional(),
  consents: z
    .array(z.union([z.literal('default'), ruleName], 'write POLICY/RULE, or default for the tenant’s'))
    .min(1)
    .max(50)
    .optional(),
  expect: z.strictObject({
    effect: z.enum(['allow', 'deny', 'ask']),
    rule: z.union([ruleName, z.array(ruleName).max(50)], 'write POLICY/RULE, or a list of them').optional(),
    reason: z.enum(REASON_CODES).optional(),
    obligations: z.array(z.string().min(1).max(64)).max(50).optional(),
  }),
});

/** Most cases of one Test document. */
const MAX_CASES = 500;

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
  Policy: z.strictObject({
    kind: z.literal('Policy'),
    name,
    description: text.optional(),
    target: z.strictObject({
      servers: z.array(glob).min(1).max(1000).optional(),
      actions: z.array(glob).min(1).max(100),
      resources: z
        .array(z.union([resourceGlob, typedResource]))
        .min(1)
        .max(1000),
    }),
    rules: z.array(ruleSchema).min(1).max(1000),
  }),
  Scope: z
    .strictObject({
      kind: z.literal('Scope'),
      name: name.optional(),
      description: text.optional(),
      server: name.optional(),
      host: name.optional(),
      ...clauses,
    })
    .refine(
      (scope) => (scope.server === undefined) !== (scope.host === undefined),
      'a scope is for one server or for one host: write server or host',
    ),
  Tenant: z.strictObject({
    kind: z.literal('Tenant'),
    name,
    description: text.optional(),
    defaults: z
      .strictObject({
        effect: z.enum(['deny', 'ask']).default('deny'),
        consent: consentSchema.optional(),
        hostScope: z.strictObject(clauses).optional(),
      })
      .refine((defaults) => (defaults.effect === 'ask') === (defaults.consent !== undefined), {
        path: ['consent'],
        error: 'the default effect ask, and only it, needs a consent block',
      }),
    /** How long people stay signed in, and whether they may sign in devices. */
    signIn: z
      .strictObject({
        idleMinutes: z.int().min(1).max(240).optional(),
        absoluteHours: z.int().min(1).max(168).optional(),
        /** Left out: on. */
        deviceFlow: z.enum(['on', 'off'], 'write on or off').optional(),
      })
      .optional(),
    consents: tenantConsentsSchema.optional(),
    notifications: notificationsSchema.optional(),
    administration: z
      .strictObject({
        /** How people must have signed in to change who may do what. */
        stepUp: z
          .strictObject({
            acr: z
              .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'a word without spaces and quotes'))
              .min(1)
              .max(20)
              .optional(),
            maxAgeSeconds: z.int().min(30).max(86_400).optional(),
          })
          .refine((stepUp) => stepUp.acr !== undefined || stepUp.maxAgeSeconds !== undefined, {
            error: 'write acr, maxAgeSeconds, or both',
          })
          .optional(),
      })
      .optional(),
  }),
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
  Resource: z
    .strictObject({
      kind: z.literal('Resource'),
      server: name.optional(),
      type: resourceType,
      id: foreignId,
      description: text.optional(),
      properties: properties.optional(),
    })
    .superRefine((resource, context) => {
      const message = spellingProblem(resource);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['id'], message });
    }),
  Server: z.strictObject({
    kind: z.literal('Server'),
    name,
    title: text.optional(),
    description: text.optional(),
    owner: subjectOrGroup.optional(),
    identity: identitySchema.optional(),
    properties: properties.optional(),
    tools: z.record(toolName, toolSchema).optional(),
  }),
  Host: z.strictObject({
    kind: z.literal('Host'),
    name,
    title: text.optional(),
    description: text.optional(),
    owner: subjectOrGroup.optional(),
    properties: properties.optional(),
  }),
  /** Cases with the answers that they must get: a change with which one of them gets another is refused. */
  Test: z
    .strictObject({
      kind: z.literal('Test'),
      name,
      description: text.optional(),
      defaults: testRequestSchema.optional(),
      cases: z.array(testCaseSchema).min(1).max(MAX_CASES),
    })
    .superRefine(({ defaults, cases }, context) => {
      const names = new Set<string>();
      cases.forEach((each, index) => {
        const whole = wholeRequest(defaults, each.request);
        if ('wrong' in whole) context.addIssue({ code: 'custom', path: ['cases', index], message: whole.wrong });
        const isTaken = names.has(each.name);
        names.add(each.name);
        if (!isTaken) return;
        const message = 'there is another case of this name';
        context.addIssue({ code: 'custom', path: ['cases', index, 'name'], message });
      });
    }),
  ...identitySchemas,
  /** Stops a server, a host, a person or the tenant. Not written in files: what nobody put there must not take it away. */
  Suspension: z.strictObject({
    kind: z.literal('Suspension'),
    of: z.enum(SUSPENDABLE),
    /** Of the server or host; of a subject its type and id, as in `user:ann`; of the tenant its own. */
    name: foreignId,
    reason: text.optional(),
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
  Issuer: [],
  Mapping: [],
  AdministratorRole: [],
  AdministratorBinding: [],
  Suspension: [],
};
