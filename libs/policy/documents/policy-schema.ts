import { z } from 'zod';
import { uriPatternProblem } from '../paths/uris.js';
import { consentSchema } from './consent-schema.js';
import { glob, name, principal, resourceGlob, text } from './members.js';
import { parsePrincipal } from './names.js';

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

/** Ids of one type of resource. Those of other types than MCP's `resource` are not brought to one spelling. */
const typedResource = z
  .strictObject({ type: z.string().min(1).max(64), id: glob })
  .superRefine(({ type, id }, context) => {
    const message = type === 'resource' ? uriPatternProblem(id) : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['id'], message });
  });

/** What rules are about. */
export const policyTarget = z.strictObject({
  servers: z.array(glob).min(1).max(1000).optional(),
  actions: z.array(glob).min(1).max(100),
  resources: z
    .array(z.union([resourceGlob, typedResource]))
    .min(1)
    .max(1000),
});

/** Rules, and what they are about. */
export const policySchema = z.strictObject({
  kind: z.literal('Policy'),
  name,
  description: text.optional(),
  target: policyTarget,
  rules: z.array(ruleSchema).min(1).max(1000),
});
