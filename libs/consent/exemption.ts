import { DESTRUCTIVE_OPERATIONS, type PolicyDocument, type PolicySet } from '#policy';
import type { AnsweredThing } from '#store';

/** What an action does in the words of a Scope, as libs/mcp knows it; a symbol: it depends on the tool. */
export type OperationOf = (action: string) => string | symbol | null | undefined;

/** What a condition may have in characters (docs/policy.md). */
const MOST_CHARACTERS = 4096;

/**
 * Whether something may be proposed that was agreed to: always, by everybody who was asked, on a server, and it is known that it
 * neither deletes, nor administers, nor executes. What is not known is not proposed.
 */
export function isProposable(set: PolicySet, thing: AnsweredThing, operationOf: OperationOf): boolean {
  if (thing.server === null || thing.agreed === 0 || thing.agreed < thing.answers) return false;
  const operation = operationOfThing(set, thing, operationOf);
  return operation !== undefined && (operation === null || !DESTRUCTIVE_OPERATIONS.includes(operation));
}

function operationOfThing(
  set: PolicySet,
  { server, action, resourceType, resourceId }: AnsweredThing,
  operationOf: OperationOf,
): string | null | undefined {
  const word = operationOf(action);
  if (typeof word !== 'symbol') return word;
  const stored = set.server({ name: server! });
  return stored && resourceType === 'tool' ? set.tool(stored, resourceId)?.document.operation : undefined;
}

/**
 * A condition that is true of some things, for the people who were asked about each, and of nothing else but other arguments;
 * with those that are in it. What makes it longer than a condition may be is left out.
 * @param room characters that the rule's own condition takes
 */
export function conditionOf(
  things: readonly AnsweredThing[],
  room: number,
): { readonly text: string; readonly things: readonly AnsweredThing[] } | undefined {
  const groups = new Map<string, AnsweredThing[]>();
  for (const thing of things) {
    const { agent, server, action, resourceType, resourceId, subjectType } = thing;
    const key = JSON.stringify([agent, server, action, resourceType, resourceId, subjectType]);
    const group = groups.get(key);
    if (group) group.push(thing);
    else groups.set(key, [thing]);
  }
  const terms: string[] = [];
  const taken: AnsweredThing[] = [];
  for (const group of groups.values()) {
    const term = termOf(group);
    if ([...terms, term].join(' || ').length + room + MARGIN > MOST_CHARACTERS) continue;
    terms.push(term);
    taken.push(...group);
  }
  return terms.length === 0 ? undefined : { text: balanced(terms), things: taken };
}

/** Parentheses and operators around terms. */
const MARGIN = 400;

const termOf = (group: readonly AnsweredThing[]): string => {
  const [{ agent, server, action, resourceType, resourceId, subjectType }] = group as [AnsweredThing];
  const people = group.map(({ subjectId }) => JSON.stringify(subjectId)).toSorted();
  const equals = Object.entries({
    'agent.id': agent,
    'server.id': server,
    'action.name': action,
    'resource.type': resourceType,
    'resource.id': resourceId,
    'subject.type': subjectType,
  }).map(([name, value]) => `${name} == ${JSON.stringify(value)}`);
  return `(${equals.join(' && ')} && subject.id in [${people.join(', ')}])`;
};

/** Joined by halves: a chain would be as deep as it is long. */
function balanced(terms: readonly string[]): string {
  if (terms.length <= 2) return terms.join(' || ');
  const half = Math.ceil(terms.length / 2);
  return `(${balanced(terms.slice(0, half))}) || (${balanced(terms.slice(half))})`;
}

/**
 * A policy in which one rule does not ask where a condition is true; undefined where it has no such rule. An ask rule is given the
 * condition as an exception. Beside an allow rule with a consent block comes one that is the same without it, under the condition.
 */
export function exempting(policy: PolicyDocument, name: string, condition: string): PolicyDocument | undefined {
  const rule = policy.rules.find((each) => each.name === name);
  if (rule?.consent === undefined || rule.effect === 'deny') return undefined;
  if (rule.effect === 'ask') {
    const unless = rule.unless === undefined ? condition : `(${rule.unless}) || (${condition})`;
    return { ...policy, rules: policy.rules.map((each) => (each === rule ? { ...rule, unless } : each)) };
  }
  const { consent: _consent, ...rest } = rule;
  const when = rule.when === undefined ? condition : `(${rule.when}) && (${condition})`;
  const added = { ...rest, name: `${name.slice(0, 100)}-agreed-to`, when };
  if (policy.rules.some((each) => each.name === added.name)) return undefined;
  return { ...policy, rules: policy.rules.flatMap((each) => (each === rule ? [rule, added] : [each])) };
}
