import { z } from 'zod';
import { consentSchema } from './consent-schema.js';
import { name, text, word } from './members.js';
import { clauses } from './scope-schema.js';
import { fourEyesSchema, notificationsSchema, tenantConsentsSchema } from './tenant-members.js';

/** What holds for a tenant as a whole. */
export const tenantSchema = z.strictObject({
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
          acr: z.array(word).min(1).max(20).optional(),
          maxAgeSeconds: z.int().min(30).max(86_400).optional(),
        })
        .refine((stepUp) => stepUp.acr !== undefined || stepUp.maxAgeSeconds !== undefined, {
          error: 'write acr, maxAgeSeconds, or both',
        })
        .optional(),
      /** What one person alone may not do. */
      fourEyes: fourEyesSchema.optional(),
    })
    .optional(),
});
