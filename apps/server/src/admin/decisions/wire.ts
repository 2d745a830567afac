import { z } from 'zod';
import { STEPS } from '#policy';

/** Any text: what is no id of an evaluation is one that there is not. */
export const evaluationParamsSchema = z.object({ evaluation_id: z.string() });
export type EvaluationParams = z.output<typeof evaluationParamsSchema>;

const effect = z.enum(['allow', 'deny', 'ask']);

const rule = z
  .object({
    policy: z.string(),
    version: z.int(),
    rule: z.string(),
    effect,
    outcome: z.enum(['true', 'error', 'unknown']),
    met: z.boolean().optional(),
    decided: z.boolean(),
    text: z
      .object({ target: z.looseObject({}), rule: z.looseObject({}) })
      .optional()
      .meta({ description: 'Of a rule that decided: what it says in that version of its policy.' }),
  })
  .meta({ id: 'RecordedRule' });

const explanation = z
  .object({
    step: z.enum(STEPS),
    reason: z.object({ code: z.string(), message: z.string() }),
    rules: z.array(rule),
    boundary: z.enum(['true', 'false', 'unknown']).nullable(),
    default: z.object({ effect: z.enum(['deny', 'ask']), met: z.boolean() }).nullable(),
    recomputed: z
      .object({ effect, reason: z.string() })
      .nullable()
      .meta({ description: 'What the recorded outcomes come to; null where the answer does not follow from them.' }),
    consistent: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether that is what was answered; null where there is nothing to compare.' }),
  })
  .meta({ id: 'RecordedExplanation' });

export const recordedDecisionSchema = z
  .object({
    evaluation_id: z.string(),
    record: z.looseObject({}).meta({ description: 'The record as the ledger has it (docs/ledger.md).' }),
    explanation: explanation
      .nullable()
      .meta({ description: 'Made from the record; null for a listing or a search, of which no rule is recorded.' }),
  })
  .meta({ id: 'RecordedDecision' });
export type RecordedDecisionBody = z.output<typeof recordedDecisionSchema>;
