import type { HeldRoles } from '../compile/memberships.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { TouchKey } from '../documents/touches.js';
import type { Effect, JsonObject, Obligation, ReasonCode, RuleRef } from '../model.js';
import type { BoundaryOutcome } from './boundary.js';
import { combine, combineListing, deniedListing, type ListingVerdict, type Outcomes, type Verdict } from './combine.js';
import { joinObligations } from './obligations.js';
import { certainObligations, obligationsOf, unsupported } from './obliged.js';
import { attributesOf, type Consent, type Requirement } from './requirements.js';
import type { DecisionInput, NamedApproval, ResolvedRequest } from './request.js';
import { resolve } from './resolve.js';
import { candidatesOf, principalsOf, weigh, type Weighing } from './weigh.js';

/** The names by which rules know what a request is about, however the host named it. */
interface Found {
  readonly subject: Pick<ResolvedRequest['subject'], 'type' | 'id' | 'key'>;
  readonly server: string | null;
  readonly resource: string | null;
  /** What is given besides the arguments, as rules know it. */
  readonly attributes: JsonObject;
}

const foundIn = (request: ResolvedRequest): Found => {
  const { subject, server, resource } = request;
  return {
    subject: { type: subject.type, id: subject.id, key: subject.key },
    server: server?.id ?? null,
    resource: resource.id,
    attributes: attributesOf(request),
  };
};

interface WouldBe {
  readonly effect: Effect;
  readonly reason: ReasonCode;
  readonly rules: readonly RuleRef[];
}

/** The answer to one request, with everything that it follows from. */
export interface Decision {
  readonly effect: Effect;
  readonly reason: ReasonCode;
  /** More on the reason, for administrators: what was outside of what, which argument did not fit. */
  readonly detail: string | null;
  /** The rules that decided. */
  readonly rules: readonly RuleRef[];
  readonly outcomes: Outcomes;
  readonly boundary: BoundaryOutcome | null;
  /** What the request was found to be about; null where it could not be looked up. */
  readonly found: Found | null;
  /** What must be agreed to and is not. */
  readonly requirements: readonly Requirement[];
  readonly obligations: readonly Obligation[];
  /** Ids of the consents that an allow rests on. */
  readonly consents: readonly string[];
  /** What the answer rests on. */
  readonly keys: readonly TouchKey[];
  /** What the answer would be if the shadow rules that are not false here were enforced; null: there is none. */
  readonly wouldBe: WouldBe | null;
  /** The first moment at which something expires that was used, in milliseconds since 1970; null: none. */
  readonly validUntil: number | null;
}

/**
 * Decides one request. Pure and total: the result follows from the arguments alone, and there always is one.
 * @param consents the live consents that could concern the request; others do no harm
 * @param now milliseconds since 1970, by the database's clock
 */
export function decide(set: PolicySet, input: DecisionInput, consents: readonly Consent[], now: number): Decision {
  const resolution = resolve(set, input);
  const { keys } = resolution;
  if ('denied' in resolution) return early('deny', resolution.denied, resolution.detail, keys, null);
  const { request } = resolution;
  if (input.approval !== undefined && !isOwnApproval(input.approval, input, request)) {
    const detail = 'the approval that is named was not asked for by this application, for this person, in this session';
    return early('deny', 'approval_invalid', detail, keys, request);
  }
  if (input.kind === 'none') return early('allow', 'no_decision_needed', null, keys, request);
  return decideResolved(set, { request, keys, principals: principalsOf(set, request, now) }, consents, now);
}

/** An approval is a reference and no right: whoever names one that is not theirs gets nothing at all. */
const isOwnApproval = (
  approval: NamedApproval | null,
  { gateway }: DecisionInput,
  { subject, agent, session }: ResolvedRequest,
): boolean =>
  approval !== null &&
  approval.subject === subject.key &&
  approval.host === (gateway ?? agent.id) &&
  approval.agent === agent.id &&
  (approval.session === null || approval.session === session?.id);

/** A request that has been looked up, and the roles to decide it with. */
interface Known {
  readonly request: ResolvedRequest;
  readonly principals: HeldRoles;
  readonly keys: readonly TouchKey[];
}

/** Decides a request that has been looked up. Pure and total. */
export function decideResolved(
  set: PolicySet,
  { request, principals, keys }: Known,
  consents: readonly Consent[],
  now: number,
): Decision {
  const candidates = candidatesOf(set, request, principals);
  const decideBy = (rules: readonly CompiledRule[]): Decision => {
    const weighing = weigh(set, request, consents, now, { ...candidates, rules });
    if ('refused' in weighing) return early('deny', weighing.refused, null, keys, request);
    return conclude(combine(weighing.outcomes), weighing, keys, request);
  };
  const decision = decideBy(candidates.rules);
  if (candidates.shadows.length === 0) return decision;
  return { ...decision, wouldBe: wouldBe(decideBy([...candidates.rules, ...candidates.shadows]), candidates.shadows) };
}

/** An answer by the shadow rules as well; null where all of them came out false. */
function wouldBe({ effect, reason, rules, outcomes }: Decision, shadows: readonly CompiledRule[]): WouldBe | null {
  const isRefused = reason === 'too_many_candidates' || reason === 'budget_exceeded';
  const counts = isRefused || shadows.some((shadow) => outcomes.rules.some(({ ref }) => ref === shadow.ref));
  return counts ? { effect, reason, rules } : null;
}

/** What a listing says of one item; `arguments` of the input are unknown. */
export function decideListing(
  set: PolicySet,
  input: DecisionInput,
  now: number,
): ListingVerdict & { readonly keys: readonly TouchKey[]; readonly outcomes: Outcomes } {
  const resolution = resolve(set, input);
  const { keys } = resolution;
  if ('denied' in resolution) return { ...deniedListing(resolution.denied), keys, outcomes: NOTHING };
  const weighing = weighListed(set, resolution.request, now);
  if (!('refused' in weighing)) {
    const { outcomes } = weighing;
    const lacking = unsupported(certainObligations(weighing, resolution.request), resolution.request);
    const verdict = lacking.length > 0 ? deniedListing('obligation_unsupported') : combineListing(outcomes);
    return { ...verdict, keys, outcomes };
  }
  // A call may need fewer steps than its listing, where both sides of an `&&` are looked at: it may still go through.
  if (weighing.refused === 'budget_exceeded')
    return { effect: 'allow', conditional: true, denied: null, keys, outcomes: NOTHING };
  return { ...deniedListing(weighing.refused), keys, outcomes: NOTHING };
}

function weighListed(set: PolicySet, request: ResolvedRequest, now: number): ReturnType<typeof weigh> {
  return weigh(set, request, [], now, candidatesOf(set, request, principalsOf(set, request, now)));
}

function conclude(verdict: Verdict, weighing: Weighing, keys: readonly TouchKey[], request: ResolvedRequest): Decision {
  const { outcomes, boundary } = weighing;
  const base = { outcomes, boundary, keys, found: foundIn(request), wouldBe: null, validUntil: weighing.validUntil };
  const none = { requirements: [], obligations: [], consents: [] };
  const named = { rules: verdict.rules.map(({ ref }) => ref) };
  if (verdict.effect === 'deny') {
    return { ...base, ...none, ...named, effect: 'deny', reason: verdict.reason, detail: detailOf(verdict, weighing) };
  }
  // An ask comes to the same obligations: nobody is asked for what could not hold afterwards.
  const joined = joinObligations(obligationsOf(weighing, request));
  if ('conflict' in joined) {
    const detail = `the rules that apply contradict each other on '${joined.conflict}'`;
    return { ...base, ...none, ...named, effect: 'deny', reason: 'obligations_conflict', detail };
  }
  const lacking = unsupported(joined.obligations, request);
  if (lacking.length > 0) {
    const detail = `the host does not say that it can carry out '${lacking.join("' and '")}'`;
    return { ...base, ...none, ...named, effect: 'deny', reason: 'obligation_unsupported', detail };
  }
  const gates = relevantRequirements(weighing);
  if (verdict.effect === 'ask') {
    const requirements = gates
      .filter(({ metBy }) => metBy === null)
      .map(({ metBy: _metBy, ...requirement }) => requirement);
    const detail = requirements.some(({ binding }) => binding === null) ? whyNoAgreement(request) : null;
    return { ...base, ...none, ...named, effect: 'ask', reason: reasonToAsk(requirements), detail, requirements };
  }
  const relied = [...new Set(gates.map(({ metBy }) => metBy!))];
  const ends = [weighing.validUntil, ...relied.map(({ expires }) => expires)].filter((end) => end !== null);
  return {
    ...base,
    ...none,
    ...named,
    effect: 'allow',
    reason: verdict.reason,
    detail: null,
    obligations: joined.obligations,
    consents: relied.map(({ id }) => id).sort(),
    validUntil: ends.length > 0 ? Math.min(...ends) : null,
  };
}

/** Why nothing that anybody agrees to can change this answer. */
const whyNoAgreement = ({ tool }: ResolvedRequest): string =>
  tool?.registered?.document.definition === undefined
    ? `no agreement can apply: the host does not say which definition of the tool '${tool?.name}' it means`
    : `no agreement can apply: the host does not say that it means the registered definition of the tool '${tool.name}'`;

/** More on the reason of a deny. */
function detailOf(verdict: Verdict, weighing: Weighing): string | null {
  if (verdict.reason === 'guardrail') return toldOf(weighing, verdict);
  return verdict.reason === 'outside_boundary' ? describe(weighing.boundary) : null;
}

/** What the organisation says of its guardrails, and no more of them. */
const toldOf = ({ rules }: Weighing, verdict: Verdict): string =>
  rules
    .flatMap(({ ref, guardrail }) =>
      guardrail && verdict.rules.some((record) => record.ref === ref) ? [guardrail] : [],
    )
    .map(({ name, reason }) => `the guardrail '${name}': ${reason}`)
    .join('; ');

const describe = ({ outside }: BoundaryOutcome): string | null =>
  outside ? `outside the scope '${outside.scope}' by its ${outside.clause}: ${outside.detail}` : null;

/** The requirements that count by step 4: not those of allows where one allow asks nothing, nor the default's beside an allow. */
function relevantRequirements({ outcomes, rules, requirements }: Weighing): Weighing['requirements'] {
  if (requirements.length === 0) return requirements;
  const allows = outcomes.rules.filter(({ effect, outcome }) => effect === 'allow' && outcome === 'true');
  const free = allows.some(({ met }) => met === null);
  const effects = new Map(rules.map((rule, index) => [rule.ref, outcomes.rules[index]!]));
  return requirements.filter(({ rule }) => {
    if (rule === null) return allows.length === 0;
    const record = effects.get(rule)!;
    return record.effect === 'ask' || (!free && record.outcome === 'true');
  });
}

/** Who must agree: the person alone, or somebody else as well. */
function reasonToAsk(requirements: readonly Requirement[]): ReasonCode {
  const byOthers = requirements.some(({ consent }) => consent.by.some((by) => by !== 'subject'));
  return byOthers ? 'approval_required' : 'consent_required';
}

const NOTHING: Outcomes = { rules: [], boundary: 'true', default: { effect: 'deny', met: false } };

function early(
  effect: 'allow' | 'deny',
  reason: ReasonCode,
  detail: string | null,
  keys: readonly TouchKey[],
  request: ResolvedRequest | null,
): Decision {
  return {
    effect,
    reason,
    detail,
    rules: [],
    outcomes: NOTHING,
    boundary: null,
    found: request && foundIn(request),
    wouldBe: null,
    requirements: [],
    obligations: [],
    consents: [],
    keys,
    validUntil: null,
  };
}
