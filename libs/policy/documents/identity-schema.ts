import { z } from 'zod';
import type { Json } from '../model.js';
import { ADMINISTRATION_ACTIONS, ADMINISTRATION_OBJECTS } from './administration.js';
import {
  endpointProblem,
  identityProblem,
  isFreeParameter,
  issuerProblem,
  patternProblem,
  pointerProblem,
  SIGNATURE_ALGORITHMS,
} from './identity-members.js';
import { directoryNameProblem, directoryProblems, ldapSignInMembers } from './ldap-schema.js';
import { entityProblem, samlIdentityProblem, samlSignInMembers } from './saml-schema.js';
import { foreignId, instant, name, subjectOrGroup, subjectType, text, withoutProblem, word } from './members.js';
import { provisioningSchema } from './provisioning-schema.js';

const pointer = z.string().max(512).superRefine(withoutProblem(pointerProblem));
const endpoint = z.string().min(1).max(2048).superRefine(withoutProblem(endpointProblem));
const audiences = z.array(z.string().min(1).max(1024)).min(1).max(20);
const scalar = z.union([z.string().max(1024), z.boolean(), z.number()], 'a text, a number, true or false');
const domain = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'a domain in lower case, such as example.com');

const groupsSchema = z.strictObject({
  /** Left out: by the profile. */
  claim: pointer.optional(),
  prefix: z
    .string()
    .min(1)
    .max(128)
    .refine((prefix) => !/[\u0000-\u001f\u007f]/.test(prefix) && prefix.isWellFormed(), {
      error: 'a prefix has no control characters',
    })
    .optional(),
  truncatedAt: z.int().min(1).max(100_000).optional(),
  whenAbsent: z.enum(['unknown', 'none']).default('unknown'),
});

/** How people find a way to sign in. */
const doorMembers = {
  domains: z.array(domain).min(1).max(1000).optional(),
  title: z.string().min(1).max(200).optional(),
};

const oidcSignInSchema = z
  .strictObject({
    protocol: z.literal('oidc').optional(),
    clientId: z.string().min(1).max(512),
    authentication: z
      .enum(['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'])
      .default('private_key_jwt'),
    /** The name of a secret among the settings of the service; never the secret. */
    clientSecret: name.optional(),
    scopes: z.array(word).min(1).max(50).default(['openid', 'email', 'profile']),
    ...doorMembers,
    acrValues: z.array(word).min(1).max(20).optional(),
    extraParameters: z
      .record(
        z.string().refine(isFreeParameter, 'not a parameter that a document may set'),
        z.string().min(1).max(1024),
      )
      .optional(),
  })
  .refine((signIn) => signIn.authentication.startsWith('client_secret') === (signIn.clientSecret !== undefined), {
    path: ['clientSecret'],
    error: 'the name of a secret stands beside client_secret_basic or client_secret_post, and only there',
  })
  .refine((signIn) => signIn.scopes.includes('openid'), {
    path: ['scopes'],
    error: 'a sign-in by OpenID Connect needs the scope openid',
  });

const signInSchema = z.discriminatedUnion('protocol', [
  oidcSignInSchema,
  z.strictObject({ ...samlSignInMembers, ...doorMembers }),
  z.strictObject({ ...ldapSignInMembers, ...doorMembers }),
]);

/** Members that say how tokens are taken, of which a provider that speaks another protocol has none. */
const OF_TOKENS = ['jwksUri', 'subjectTokens', 'workloads'] as const;

const issuerSchema = z
  .strictObject({
    kind: z.literal('Issuer'),
    name,
    description: text.optional(),
    issuer: z.string().min(1).max(1024),
    profile: z.enum(['generic', 'entra', 'okta', 'google', 'keycloak']).default('generic'),
    jwksUri: endpoint.optional(),
    algorithms: z.array(z.enum(SIGNATURE_ALGORITHMS)).min(1).max(SIGNATURE_ALGORITHMS.length).default(['RS256']),
    subjectType: subjectType.default('user'),
    /** Left out: by the profile. */
    identity: z.strictObject({ claim: pointer.superRefine(withoutProblem(identityProblem)) }).optional(),
    keysGoodForSeconds: z.int().min(0).max(86_400).default(3600),
    groups: groupsSchema.optional(),
    require: z
      .array(z.strictObject({ claim: pointer, equals: scalar }))
      .min(1)
      .max(20)
      .optional(),
    subjectTokens: z
      .strictObject({
        audiences,
        type: z.enum(['at+jwt', 'any']).default('at+jwt'),
        maxAgeSeconds: z.int().min(60).max(31_536_000).default(86_400),
      })
      .optional(),
    workloads: z.strictObject({ audiences: audiences.optional() }).optional(),
    signIn: signInSchema.optional(),
    provisioning: provisioningSchema.optional(),
  })
  .superRefine((document, context) => {
    const protocol = document.signIn?.protocol ?? 'oidc';
    const tell = (path: string[], message: string | undefined) => {
      if (message !== undefined) context.addIssue({ code: 'custom', path, message });
    };
    tell(['issuer'], ISSUER_PROBLEM[protocol](document.issuer));
    if (protocol === 'oidc') return;
    const named = OF_TOKENS.find((member) => document[member] !== undefined);
    if (protocol === 'ldap') {
      for (const [member, message] of directoryProblems(document)) tell([member], message);
      if (named) tell([named], 'a directory issues no tokens: leave this out');
      return;
    }
    if (document.identity) tell(['identity', 'claim'], samlIdentityProblem(document.identity.claim));
    if (named) tell([named], 'a SAML identity provider issues no tokens: write an Issuer of its own for them');
  });

/** What the name of an Issuer must be, by how people sign in there. */
const ISSUER_PROBLEM = { oidc: issuerProblem, saml: entityProblem, ldap: directoryNameProblem } as const;

const TESTS = ['equals', 'oneOf', 'prefix', 'matches', 'present'] as const;

const claimCondition = z
  .strictObject({
    claim: pointer,
    equals: scalar.optional(),
    oneOf: z.array(scalar).min(1).max(1000).optional(),
    prefix: z.string().min(1).max(1024).optional(),
    matches: z.string().min(1).max(256).superRefine(withoutProblem(patternProblem)).optional(),
    present: z.literal(true).optional(),
  })
  .refine((condition) => TESTS.filter((test) => condition[test] !== undefined).length === 1, {
    error: `a condition has one of ${TESTS.join(', ')}`,
  });

/** A group by its name as rules know it: with the prefix of the issuer. */
const groupCondition = z.strictObject({ group: foreignId });

const propertyName = z.string().min(1).max(128);
const propertyValue = z.union(
  [
    z.strictObject({ claim: pointer }),
    z.strictObject({ value: z.custom<Json>((value) => value !== undefined, 'a value is missing') }),
  ],
  'write {claim: POINTER} or {value: …}',
);

const mappingRule = z
  .strictObject({
    name,
    description: text.optional(),
    when: z.union(
      [
        z.literal('always'),
        z
          .array(z.union([claimCondition, groupCondition]))
          .min(1)
          .max(50),
      ],
      'write always, or a list of conditions',
    ),
    roles: z.array(name).min(1).max(100).optional(),
    administration: z.array(name).min(1).max(100).optional(),
    properties: z.record(propertyName, propertyValue).optional(),
    stop: z.boolean().optional(),
  })
  .refine(({ roles, administration, properties, stop }) => [roles, administration, properties, stop].some(Boolean), {
    error: 'a rule gives something: write roles, administration, properties or stop',
  });

const administrationName = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^*]*\*?$/, 'a name, or the beginning of one and a "*"');

/** The kinds of documents that say who people are, and what they may administer. */
export const identitySchemas = {
  Issuer: issuerSchema,
  Mapping: z.strictObject({
    kind: z.literal('Mapping'),
    name,
    description: text.optional(),
    issuer: name,
    rules: z.array(mappingRule).min(1).max(1000),
  }),
  AdministratorRole: z.strictObject({
    kind: z.literal('AdministratorRole'),
    name,
    description: text.optional(),
    inherits: z.array(name).min(1).max(100).optional(),
    grants: z
      .array(
        z.strictObject({
          actions: z.array(z.enum(ADMINISTRATION_ACTIONS)).min(1).max(ADMINISTRATION_ACTIONS.length),
          on: z.array(z.enum(ADMINISTRATION_OBJECTS)).min(1).max(ADMINISTRATION_OBJECTS.length),
          names: z.array(administrationName).min(1).max(1000).optional(),
        }),
      )
      .min(1)
      .max(100)
      .optional(),
  }),
  AdministratorBinding: z.strictObject({
    kind: z.literal('AdministratorBinding'),
    name,
    description: text.optional(),
    to: z.array(subjectOrGroup).min(1).max(1000),
    roles: z.array(name).min(1).max(100),
    expires: instant.optional(),
  }),
} as const;
