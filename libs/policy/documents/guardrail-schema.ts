import { z } from 'zod';
import { consentSchema } from './consent-schema.js';
import { name, text } from './members.js';
import { policyTarget } from './policy-schema.js';

/** The name of a tenant, as it stands in paths. */
const tenantName = z
  .string()
  .max(40)
  .regex(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    'a tenant is named as in paths: lower-case letters and digits, in parts joined by "-"',
  );

/**
 * What the organisation forbids, or has asked about, in all its tenants or in some: above whatever their own documents say. It
 * is for everybody, as tenants say themselves who is in which group and has which role. A glass that a tenant could break would
 * be none of the organisation's.
 */
export const guardrailSchema = z
  .strictObject({
    kind: z.literal('Guardrail'),
    name,
    description: text.optional(),
    /** What the tenants are told. */
    reason: text.min(1),
    /** Left out: every tenant, the home tenant among them. */
    tenants: z.array(tenantName).min(1).max(1000).optional(),
    effect: z.enum(['deny', 'ask'], 'a guardrail denies or asks: what is allowed is for the tenants to say'),
    target: policyTarget,
    when: z.string().min(1).optional(),
    unless: z.string().min(1).optional(),
    consent: consentSchema.optional(),
  })
  .refine(({ effect, consent }) => (effect === 'ask') === (consent !== undefined), {
    path: ['consent'],
    error: 'a guardrail that asks, and only it, says who is asked: a consent block',
  })
  .refine(({ consent }) => consent?.breakGlass === undefined, {
    path: ['consent', 'breakGlass'],
    error: 'nobody breaks the glass of a guardrail: name further people in "by"',
  });
