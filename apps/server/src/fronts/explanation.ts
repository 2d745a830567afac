import { z } from 'zod';
import { STEPS } from '#policy';

const effect = z.enum(['allow', 'deny', 'ask']);
const outcome = z.enum(['true', 'false', 'error', 'unknown']);

const clause = z.object({
  part: z.enum(['when', 'unless']),
  text: z.string(),
  start: z.int().meta({ description: 'Where in the condition it stands, in characters.' }),
  end: z.int(),
  outcome: z.enum(['true', 'false', 'error']),
  fault: z.string().optional(),
  saw: z
    .array(
      z.object({ attribute: z.string(), type: z.string(), size: z.int().optional(), value: z.unknown().optional() }),
    )
    .readonly()
    .meta({ description: 'What it looked at: types and sizes; values only of what every record has in clear.' }),
});

const rule = z
  .object({
    policy: z.string(),
    version: z.int(),
    rule: z.string(),
    effect,
    enforced: z.boolean(),
    decided: z.boolean(),
    outcome,
    met: z.boolean().optional(),
    to: z.array(z.string()).readonly(),
    parts: z.object({
      target: outcome,
      to: outcome,
      via: outcome.optional(),
      fields: outcome.optional(),
      when: outcome.optional(),
      unless: outcome.optional().meta({ description: 'True where the condition is false.' }),
    }),
    failed: clause.optional(),
  })
  .meta({ id: 'ExplainedRule' });

const guardrail = z
  .object({ name: z.string(), effect, reason: z.string(), met: z.boolean().optional() })
  .meta({ id: 'ExplainedGuardrail', description: 'A guardrail of the organisation; no more of it is told.' });

const role = z
  .object({
    role: z.string(),
    held: z.enum(['true', 'false', 'error']),
    ways: z
      .array(
        z.object({
          binding: z.string().optional(),
          mapping: z
            .string()
            .optional()
            .meta({ description: 'Where no binding gives the role, but a rule of a Mapping.' }),
          rule: z.string().optional(),
          possible: z
            .literal(true)
            .optional()
            .meta({ description: 'The rule is in error: it may give the role or not.' }),
          by: z.string(),
          through: z.array(z.string()).readonly(),
          expires: z.string().optional(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'ExplainedRole' });

const counterfactual = z
  .union([
    z.literal('none'),
    z.object({
      effect,
      reason: z.string(),
      change: z.enum(['add_role', 'remove_role', 'set', 'copy', 'copy_first', 'shorten', 'remove']),
      role: z.string().optional(),
      attribute: z.string().optional(),
      value: z.unknown().optional(),
      from: z.string().optional(),
      size: z.int().optional(),
    }),
  ])
  .meta({ id: 'Counterfactual', description: 'The one change that makes the answer another one; it has been tried.' });

/** An explanation on the wire, as the policies give it. */
export const explanationSchema = z
  .object({
    step: z.enum(STEPS),
    rules: z.array(rule).readonly(),
    guardrails: z.array(guardrail).readonly(),
    boundary: z
      .object({
        outcome: z.enum(['true', 'false', 'unknown']),
        outside: z.object({ scope: z.string(), clause: z.string(), detail: z.string() }).optional(),
      })
      .nullable(),
    default: z.object({ effect: z.enum(['deny', 'ask']), met: z.boolean() }).nullable(),
    roles: z.array(role).readonly(),
    counterfactual,
    truncated: z.array(z.enum(['rules', 'roles', 'counterfactual'])).readonly(),
  })
  .meta({ id: 'Explanation', description: 'Why an answer is what it is (docs/explain.md).' });
