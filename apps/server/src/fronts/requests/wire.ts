import { z } from 'zod';
import { evaluationRequestSchema } from '../authzen/wire.js';
import { decisionRequestSchema } from '../mcp/wire.js';
import { id, jsonObject } from '../wire.js';

const denial = z.object({ evaluation_id: id }).meta({ description: 'The answer that asked.' });

const said = {
  denial,
  // Of the profile, and of no use here: they are taken and not looked at.
  requested_access: jsonObject.optional(),
  client: jsonObject.optional(),
};

/**
 * A request for consent: what was denied, once more as it was asked. By AuthZEN's members, or as the message of MCP under
 * `mcp`. What is asked is worked out anew from it, and must be what the denial asked.
 */
export const requestBodySchema = z
  .union([
    z.object({ ...said, mcp: decisionRequestSchema }),
    z.object({ ...said, ...evaluationRequestSchema.omit({ explain: true }).shape }),
  ])
  .meta({ id: 'ConsentRequestRequest', description: 'Asks people for what a decision asked.' });

export type RequestBody = z.output<typeof requestBodySchema>;

export const taskSchema = z
  .object({
    task: z.looseObject({
      id: z.string(),
      status: z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']),
      status_endpoint: z.string(),
      expires_at: z.string(),
      links: z.looseObject({ review: z.string(), cancel: z.string().optional() }),
    }),
    result: z
      .object({
        mode: z.literal('reevaluate'),
        approval: z.looseObject({ id: z.string(), approved_until: z.string() }),
      })
      .optional(),
    elicitation: z.looseObject({ mode: z.string(), url: z.string() }).optional(),
  })
  .meta({ id: 'ConsentTask', description: 'Where a request for consent stands.' });

export const taskParamsSchema = z.object({ id: z.string().max(128) });
export type TaskParams = z.output<typeof taskParamsSchema>;

/** Most seconds that a status waits for a change. */
const LONGEST_WAIT = 30;

export const taskQuerySchema = z.strictObject({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(LONGEST_WAIT)
    .default(0)
    .meta({ description: 'Seconds to wait while it is pending.' }),
});
export type TaskQuery = z.output<typeof taskQuerySchema>;
