import { canonicalJson, DESTRUCTIVE_OPERATIONS, type Json, type PolicyDocument, type PolicySet } from '#policy';
import type { AnsweredThing } from '#store';
import { equalTo } from './equal-to.js';
import { argumentsShown, textShown } from './read-back.js';
import type { ShownValue } from './shown-values.js';

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
 * A condition that is true of some things, as they were asked for (the same arguments and the same purpose), for the people
 * who were asked about each, and of nothing else; with those that are in it. What cannot be said in a condition, or makes it
 * longer than a condition may be, is left out.
 * @param room characters that the rule's own condition takes
 */
export function conditionOf(
  set: PolicySet,
  things: readonly AnsweredThing[],
  room: number,
): { readonly text: string; readonly things: readonly AnsweredThing[] } | undefined {
  const groups = Map.groupBy(things, ({ subjectId: _id, answers: _answers, agreed: _agreed, ...alike }) =>
    canonicalJson(alike as unknown as Json),
  );
  const parts = [...groups.values()].flatMap((group) => {
    const equals = equalsOf(set, group);
    return equals ? [{ group, equals }] : [];
  });
  // What all of them have is said once.
  const common = parts[0]?.equals.filter((one) => parts.every(({ equals }) => equals.includes(one))) ?? [];
  let left = MOST_CHARACTERS - MARGIN - room - common.join(' && ').length;
  const taken = parts.filter(({ equals }) => {
    const length = termOf(equals, common).length + ' || '.length;
    if (length > left) return false;
    left -= length;
    return true;
  });
  if (taken.length === 0) return undefined;
  const terms = taken.map(({ equals }) => termOf(equals, common));
  const alternatives = terms.includes('') ? [] : [`(${balanced(terms, '||')})`];
  return { text: balanced([...common, ...alternatives], '&&'), things: taken.flatMap(({ group }) => group) };
}

/** Parentheses and operators around terms. */
const MARGIN = 400;

/** What is to be said of some things beside what is said of all; empty: nothing. */
function termOf(equals: readonly string[], common: readonly string[]): string {
  const own = equals.filter((one) => !common.includes(one));
  return own.length === 0 ? '' : `(${balanced(own, '&&')})`;
}

/** What is true of things that differ in nothing but the person, and of nothing else; undefined where it cannot be said. */
function equalsOf(set: PolicySet, group: readonly AnsweredThing[]): readonly string[] | undefined {
  const [{ agent, server, action, resourceType, resourceId, subjectType, purpose, arguments: shown }] = group as [
    AnsweredThing,
  ];
  const given = shown && argumentsShown(shown as unknown as readonly ShownValue[]);
  const equal = given && equalTo('arguments', given);
  const why = purpose === null ? null : textShown(purpose);
  if (!equal || why === undefined) return undefined;
  const names = Object.entries({
    'agent.id': agent,
    'server.id': server,
    'action.name': action,
    'resource.type': resourceType,
    'resource.id': resourceId,
    'subject.type': subjectType,
  }).map(([name, value]) => `${name} == ${JSON.stringify(value)}`);
  const people = group.map(({ subjectId }) => JSON.stringify(subjectId)).toSorted();
  const stored = Object.keys(set.resource(server, resourceType, resourceId)?.properties ?? {}).length;
  return [
    ...names,
    `subject.id in [${people.join(', ')}]`,
    why === null ? '!has(context.purpose)' : `context.purpose == ${JSON.stringify(why)}`,
    ...equal,
    // Attributes that a host asserts beside the arguments were not shown: there are only those that are stored.
    `resource.properties.size() == ${stored}`,
    '!has(context.action)',
  ];
}

/** Joined by halves: a chain would be as deep as it is long. */
function balanced(terms: readonly string[], by: '&&' | '||'): string {
  if (terms.length <= 2) return terms.join(` ${by} `);
  const half = Math.ceil(terms.length / 2);
  return `(${balanced(terms.slice(0, half), by)}) ${by} (${balanced(terms.slice(half), by)})`;
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
