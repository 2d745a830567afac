import { z } from 'zod';
import { principal } from './members.js';

const duration = z.string().regex(/^\d+(s|m|h|d)$/, 'a length of time is written as in 30m, 8h or 90d');

/** What must be agreed to, by whom, and how far the agreement reaches (docs/semantics.md). */
export const consentSchema = z
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
