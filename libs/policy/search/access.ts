import { guardrailOf } from '../compile/guardrails.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledScope } from '../compile/scopes.js';
import type { Outcomes, RuleRecord } from '../decide/combine.js';
import { decide, decideListing } from '../decide/decide.js';
import { boundaryOf } from '../decide/boundary.js';
import type { DecisionInput } from '../decide/request.js';
import { resolve } from '../decide/resolve.js';
import type { Effect, ReasonCode, RuleRef } from '../model.js';
import { reachesOf, type Reach } from './reach.js';

/** A rule that has a say in somebody's access, and how it names them. */
export interface AccessRule {
  readonly ref: RuleRef;
  readonly effect: Effect;
  /** `unknown`: it depends on the arguments. */
  readonly outcome: RuleRecord['outcome'];
  /** Whether it asks for an agreement. */
  readonly asks: boolean;
  readonly reached: readonly Reach[];
}

/** What somebody could do, and by which rules. */
export interface Access {
  /** Where the arguments are unknown: the most permissive that some arguments reach. */
  readonly effect: Effect;
  readonly conditional: boolean;
  /** Why it is a deny; null where it is none. */
  readonly denied: ReasonCode | null;
  readonly rules: () => AccessRules;
}

/** The first rules by name, and how many there are beyond them. */
interface AccessRules {
  readonly rules: readonly AccessRule[];
  readonly more: number;
}

/** Most rules that are told of one access. */
const MAX_RULES = 50;

/**
 * The access that a request stands for: that of a decision without any agreement, or, with its arguments unknown, that of
 * a listing. The rules are worked out when they are asked for.
 */
export function accessOf(set: PolicySet, input: DecisionInput, now: number): Access {
  if (input.arguments === 'unknown') {
    const { effect, conditional, denied, outcomes } = decideListing(set, input, now);
    return { effect, conditional, denied, rules: () => rulesOf(set, input, outcomes, now) };
  }
  const { effect, reason, outcomes } = decide(set, input, [], now);
  const denied = effect === 'deny' ? reason : null;
  return { effect, conditional: false, denied, rules: () => rulesOf(set, input, outcomes, now) };
}

/** All that did not come out false. An allow rule in error does nothing, and is left out. */
function rulesOf(set: PolicySet, input: DecisionInput, { rules }: Outcomes, now: number): AccessRules {
  const resolution = resolve(set, input);
  if (!('request' in resolution)) return { rules: [], more: 0 };
  const { subject } = resolution.request;
  const told = rules.filter(({ effect, outcome }) => effect !== 'allow' || outcome !== 'error');
  const first = told.slice(0, MAX_RULES).map(({ ref, effect, outcome, met }): AccessRule => {
    const to = set.documents.rule(ref.policy, ref.rule)?.to ?? (guardrailOf(ref) === undefined ? [] : ['any']);
    return { ref, effect, outcome, asks: met !== null, reached: reachesOf(set.memberships, to, subject, now) };
  });
  return { rules: first, more: told.length - first.length };
}

/** Whether a host's and a server's boundaries let through what nobody in particular asks for. */
export interface Within {
  readonly within: boolean;
  /** Whether that depends on the arguments, or on who asks. */
  readonly conditional: boolean;
  readonly denied: ReasonCode | null;
}

/**
 * What the boundaries alone say of a request, whatever its arguments are and whoever makes it: of a path that is compared
 * with somebody's home, only that it depends on whose.
 */
export function withinBoundaries(set: PolicySet, input: DecisionInput): Within {
  const outside = (denied: ReasonCode): Within => ({ within: false, conditional: false, denied });
  const resolution = resolve(set, { ...input, arguments: 'unknown' });
  if ('denied' in resolution) return outside(resolution.denied);
  const { request } = resolution;
  const hostScopes = set.hostScopes(request.agent.id);
  if (hostScopes.length === 0) return outside('outside_boundary');
  let conditional = false;
  for (const scope of [...hostScopes, ...(request.server ? set.serverScopes(request.server.id) : [])]) {
    const { outcome, outside: clause } = boundaryOf([], [scope], request);
    if (outcome === 'false' && !(clause?.clause === 'paths' && knowsHome(scope))) return outside('outside_boundary');
    if (outcome !== 'true') conditional = true;
  }
  return { within: true, conditional, denied: null };
}

const knowsHome = ({ paths }: CompiledScope): boolean =>
  [...(paths?.allow ?? []), ...(paths?.deny ?? [])].some(({ underHome }) => underHome);
