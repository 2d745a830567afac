import { z } from 'zod';
import { combine, stepOf, type Outcomes, type ReasonCode, type Step } from '#policy';
import { REASON_TEXT } from './reasons.js';

const effect = z.enum(['allow', 'deny', 'ask']);

const recordedRule = z.object({
  policy: z.string(),
  version: z.int(),
  rule: z.string(),
  effect,
  outcome: z.enum(['true', 'error', 'unknown']),
  met: z.boolean().optional(),
});

/** What of a decision's record its explanation is made from (`decisionRecord` writes it). */
const recordedSchema = z.object({
  kind: z.literal('decision'),
  effect,
  reason: z.custom<ReasonCode>((reason) => typeof reason === 'string' && Object.hasOwn(REASON_TEXT, reason)),
  rules: z.array(recordedRule),
  boundary: z.enum(['true', 'false', 'unknown']),
  default: z.object({ effect: z.enum(['deny', 'ask']), met: z.boolean() }),
});

/** Why a past decision was what it was, from its record alone. */
export interface RecordedExplanation {
  readonly step: Step;
  readonly reason: { readonly code: ReasonCode; readonly message: string };
  /** Every rule that was not false, as recorded, and whether it decided. */
  readonly rules: readonly (z.output<typeof recordedRule> & { readonly decided: boolean })[];
  readonly boundary: Outcomes['boundary'] | null;
  readonly default: Outcomes['default'] | null;
  /** What the recorded outcomes come to; null where the answer does not follow from outcomes of rules. */
  readonly recomputed: Pick<ReturnType<typeof combine>, 'effect' | 'reason'> | null;
  /** Whether that is what was answered; null where there is nothing to compare. */
  readonly consistent: boolean | null;
}

/** Explains the record of a decision; undefined for a record of something else, or one that cannot be read. */
export function explainRecord(record: unknown): RecordedExplanation | undefined {
  const parsed = recordedSchema.safeParse(record);
  if (!parsed.success) return undefined;
  const { reason, effect: answered, rules, boundary, default: fallback } = parsed.data;
  const step = stepOf(reason);
  const head = { step, reason: { code: reason, message: REASON_TEXT[reason] } };
  if (step === 'before_rules' || step === 'limits') {
    return { ...head, rules: [], boundary: null, default: null, recomputed: null, consistent: null };
  }
  const verdict = combine({ rules: rules.map(outcomeOf), boundary, default: fallback });
  const decided = new Set<Outcomes['rules'][number]['ref']>(verdict.rules.map(({ ref }) => ref));
  const followed = step === 'obligations' ? null : { effect: verdict.effect, reason: verdict.reason };
  return {
    ...head,
    rules: rules.map((rule) => ({ ...rule, decided: decided.has(rule) })),
    boundary,
    default: fallback,
    recomputed: followed,
    consistent: followed && followed.effect === answered && followed.reason === outcomeReason(reason),
  };
}

const outcomeOf = (rule: z.output<typeof recordedRule>): Outcomes['rules'][number] => ({
  ref: rule,
  effect: rule.effect,
  outcome: rule.outcome,
  met: rule.met ?? null,
});

/** Who must agree does not follow from the outcomes, but from what the rules say: there, both reasons to ask are one. */
const outcomeReason = (reason: ReasonCode): ReasonCode =>
  reason === 'approval_required' ? 'consent_required' : reason;
