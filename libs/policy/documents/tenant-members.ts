import { z } from 'zod';
import { endpointProblem } from './identity-members.js';
import { name, withoutProblem } from './members.js';

/** How often people may be asked; what is left out is as `CONSENT_BUDGETS` has it. */
export const tenantConsentsSchema = z.strictObject({
  budgets: z
    .strictObject({
      subjectPerHour: z.int().min(1).max(10_000).optional(),
      hostPerHour: z.int().min(1).max(100_000).optional(),
      refusalsPerDay: z.int().min(1).max(100).optional(),
    })
    .optional(),
});

/** How often a person is asked in an hour, how often a host asks, and how often the same in a day that was refused. */
export const CONSENT_BUDGETS = { subjectPerHour: 60, hostPerHour: 600, refusalsPerDay: 3 } as const;

/** What a tenant can have two people for: a change of any document, one of a guardrail, breaking the glass. */
export const FOUR_EYES = ['publish', 'guardrails', 'breakGlass'] as const;

export type FourEyes = (typeof FOUR_EYES)[number];

export const fourEyesSchema = z
  .array(z.enum(FOUR_EYES, `write one of ${FOUR_EYES.join(', ')}`))
  .min(1)
  .max(FOUR_EYES.length)
  .refine((all) => new Set(all).size === all.length, { error: 'the same stands there twice' });

/** Events that a webhook can be told of. */
const NOTIFIED_EVENTS = ['requested', 'answered', 'cancelled', 'revoked'] as const;

/** Who is told of what is asked and answered. */
export const notificationsSchema = z.strictObject({
  webhooks: z
    .array(
      z.strictObject({
        url: z.string().min(1).max(2048).superRefine(withoutProblem(endpointProblem)),
        /** The name of a secret among the settings of the service; never the secret. */
        secret: name,
        events: z
          .array(z.enum(NOTIFIED_EVENTS, `an event is one of ${NOTIFIED_EVENTS.join(', ')}`))
          .min(1)
          .max(NOTIFIED_EVENTS.length),
      }),
    )
    .min(1)
    .max(10)
    .refine((webhooks) => new Set(webhooks.map(({ url }) => url)).size === webhooks.length, {
      error: 'two webhooks have the same URL: write one with the events of both',
    }),
});
