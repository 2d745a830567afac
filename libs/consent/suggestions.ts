import {
  canonicalJson,
  checkChange,
  documentText,
  parseDocuments,
  type ConsentBlock,
  type Json,
  type PolicyDocument,
  type PolicySet,
} from '#policy';
import type { AnsweredRule, AnsweredThing, ConsentStatistics } from '#store';
import { conditionOf, exempting, isProposable, type OperationOf } from './exemption.js';

/** Over how many days answers are counted, how many there must be, and which share of them must agree. */
const DAYS = 30;
const ANSWERS = 10;
const SHARE = 0.95;

/** A policy that would have made asks needless which were agreed to again and again. Nothing is saved. */
export interface Suggestion {
  readonly policy: string;
  readonly rule: string;
  /** Of the rule, in so many days. */
  readonly days: number;
  readonly answers: number;
  readonly agreed: number;
  /** Answers that would not have been needed. */
  readonly needless: number;
  /** The changed Policy, as YAML. */
  readonly document: string;
}

/** What could be asked less, by how people have answered. */
export async function suggestionsOf(
  statistics: ConsentStatistics,
  tenant: string,
  set: PolicySet,
  operationOf: OperationOf,
): Promise<readonly Suggestion[]> {
  const rules = await statistics.rules(tenant, DAYS, ANSWERS, SHARE);
  const found: Suggestion[] = [];
  for (const rule of rules) {
    if (!isOpen(set, rule)) continue;
    const things = await statistics.things(tenant, DAYS, rule);
    const suggestion = suggestionOf(set, rule, things, operationOf);
    if (suggestion) found.push(suggestion);
  }
  return found;
}

/** Whether a rule still asks what was agreed to, and is none that must be asked each time. */
function isOpen(set: PolicySet, { policy, rule: name, consent }: AnsweredRule): boolean {
  const rule = set.documents.find('Policy', policy)?.document.rules.find((each) => each.name === name);
  if (rule?.consent === undefined || rule.enforce === false) return false;
  if (isGuarded(rule.consent)) return false;
  return canonicalJson(rule.consent as unknown as Json) === canonicalJson(consent);
}

/** Rules for emergencies, and those under which nobody may agree for themselves, are about more than habit. */
const isGuarded = ({ breakGlass, notSelf }: ConsentBlock): boolean => breakGlass !== undefined || notSelf;

/**
 * The suggestion for one rule, as narrow as what was agreed to; undefined where there is none.
 *
 * INVARIANT: it leaves out no more than what somebody was asked for, and all who were asked agreed to: the same host, server,
 * action, resource and person, the same purpose, and the same arguments.
 */
export function suggestionOf(
  set: PolicySet,
  { policy: policyName, rule: name, answers, agreed }: AnsweredRule,
  things: readonly AnsweredThing[],
  operationOf: OperationOf,
): Suggestion | undefined {
  const policy = set.documents.find('Policy', policyName)?.document;
  const rule = policy?.rules.find((each) => each.name === name);
  if (!policy || !rule) return undefined;
  const proposable = things.filter((thing) => isProposable(set, thing, operationOf));
  const own = rule.effect === 'ask' ? rule.unless : rule.when;
  const condition = conditionOf(set, proposable, own?.length ?? 0);
  const changed = condition && exempting(policy, name, condition.text);
  if (!changed || !compiles(set, changed)) return undefined;
  return {
    policy: policyName,
    rule: name,
    days: DAYS,
    answers,
    agreed,
    needless: condition.things.reduce((sum, thing) => sum + thing.agreed, 0),
    document: documentText(changed),
  };
}

/** Whether a policy could be saved as it is written. */
function compiles(set: PolicySet, policy: PolicyDocument): boolean {
  const { documents, problems } = parseDocuments({ text: documentText(policy) });
  if (problems.length > 0) return false;
  const stored = { document: policy, version: 0 };
  const after = set.fork([{ kind: 'Policy', name: policy.name, stored }]).documents;
  return checkChange(after, { documents, deletions: [] }).length === 0;
}
