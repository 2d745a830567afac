import type { Bindings } from '../cel/condition.js';
import type { PolicySet } from '../compile/policy-set.js';
import { decideResolved, type Decision } from '../decide/decide.js';
import type { Consent } from '../decide/requirements.js';
import type { ResolvedRequest } from '../decide/request.js';
import { principalsOf } from '../decide/weigh.js';
import type { Effect } from '../model.js';
import { changed, toldChange, type AttributeChange } from './changes.js';
import type { Counterfactual } from './explanation.js';

/** One thing that could be otherwise. */
export type Supposition = AttributeChange | { readonly change: 'add_role' | 'remove_role'; readonly role: string };

/** What was decided, and on what. */
export interface Case {
  readonly set: PolicySet;
  readonly request: ResolvedRequest;
  readonly variables: Bindings;
  readonly consents: readonly Consent[];
  readonly now: number;
  readonly decision: Decision;
}

/** Changes of each class that are tried at most. */
const MAX_TRIALS = 30;

/** Times that changed arguments are held against the schema of their tool, which can take long. */
const MAX_SCHEMA_CHECKS = 3;

/**
 * The first of some changes that makes the answer another one. For what is not allowed: one that makes it an allow, else,
 * for a deny, one that makes it an ask. For an allow: one that makes it anything else. What the asker can change comes
 * first (arguments and context), then roles, then what is stored; within these, in the order given.
 * @param affordable how many trials may be made
 */
export function counterfactual(
  known: Case,
  suppositions: readonly Supposition[],
  affordable: number,
): { readonly found: Counterfactual | 'none'; readonly isComplete: boolean } {
  const ordered = [0, 1, 2].map((rank) => suppositions.filter((supposition) => rankOf(supposition) === rank));
  const trials = ordered.flatMap((ofRank) => ofRank.slice(0, MAX_TRIALS));
  const isWhole = ordered.every((ofRank) => ofRank.length <= MAX_TRIALS);
  const before = known.decision.effect;
  let second: Counterfactual | 'none' = 'none';
  let [tried, checks] = [0, 0];
  for (const supposition of trials) {
    if (tried >= affordable) return { found: second, isComplete: false };
    const supposed = suppose(known, supposition);
    if (!supposed) continue;
    tried++;
    const { effect, reason } = supposed.decision;
    const flips = before === 'allow' ? effect !== 'allow' : effect === 'allow';
    const eases = before === 'deny' && effect === 'ask' && second === 'none';
    if (!flips && !eases) continue;
    if (supposed.changesArguments) {
      if (known.request.tool?.registered && checks++ >= MAX_SCHEMA_CHECKS) return { found: second, isComplete: false };
      if (!fits(supposed.request)) continue;
    }
    const found = tell(supposition, effect, reason);
    if (flips) return { found, isComplete: true };
    second = found;
  }
  return { found: second, isComplete: isWhole };
}

function rankOf(supposition: Supposition): number {
  if ('role' in supposition) return 1;
  const [variable] = supposition.attribute;
  return variable === 'arguments' || variable === 'context' ? 0 : 2;
}

interface Supposed {
  readonly request: ResolvedRequest;
  readonly decision: Decision;
  readonly changesArguments: boolean;
}

/** What would be decided; undefined where the change changes nothing. */
function suppose({ set, request, variables, consents, now }: Case, supposition: Supposition): Supposed | undefined {
  if ('role' in supposition) {
    const { change, role } = supposition;
    const supposed = change === 'add_role' ? { given: role } : { taken: role };
    const principals = principalsOf(set, request, now, supposed);
    const decision = decideResolved(set, { request, principals, keys: [] }, consents, now);
    return { request, decision, changesArguments: false };
  }
  const made = changed(request, variables, supposition);
  if (!made) return undefined;
  const decision = decideResolved(
    set,
    { request: made, principals: principalsOf(set, made, now), keys: [] },
    consents,
    now,
  );
  return { request: made, decision, changesArguments: supposition.attribute[0] === 'arguments' };
}

const fits = ({ tool, arguments: given }: ResolvedRequest): boolean =>
  !tool?.registered || given === 'unknown' || tool.registered.fits(given);

function tell(supposition: Supposition, effect: Effect, reason: Decision['reason']): Counterfactual {
  return 'role' in supposition ? { ...supposition, effect, reason } : { ...toldChange(supposition), effect, reason };
}
