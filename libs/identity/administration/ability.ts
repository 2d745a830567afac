import { createMongoAbility, subject, type MongoAbility, type MongoQuery } from '@casl/ability';
import { packRules } from '@casl/ability/extra';
import type { AdministrationAction, AdministrationObject, DocumentSet } from '#policy';
import { TENANT_OBJECTS, type AdministrationGrant } from './built-in.js';
import { grantsOf } from './roles.js';

/**
 * What an administrator may do, as rules of CASL. Ask it through `may`.
 *
 * INVARIANT: every rule allows, and its one condition, if it has any, is on `name`: that it is one of some texts, or that
 * it begins in a certain way. So more rules never mean less, and the order of rules means nothing.
 */
export type AdministratorAbility = MongoAbility;

type Rule = MongoAbility['rules'][number];

/** Abilities that were worked out on one state of a tenant's documents, by the roles. A change is another state. */
const known = new WeakMap<DocumentSet, Map<string, AdministratorAbility>>();

/** Combinations of roles that are remembered for each state. */
const REMEMBERED = 1000;

/** What the holder of some roles may do. A role that is neither built in nor a document gives nothing. */
export function abilityOf(roles: readonly string[], documents: DocumentSet): AdministratorAbility {
  const ofState = known.get(documents) ?? new Map<string, AdministratorAbility>();
  known.set(documents, ofState);
  const key = JSON.stringify([...new Set(roles)].sort());
  let ability = ofState.get(key);
  if (!ability) {
    ability = createMongoAbility(grantsOf(roles, documents).flatMap(rulesOf));
    if (ofState.size >= REMEMBERED) ofState.clear();
    ofState.set(key, ability);
  }
  return ability;
}

function rulesOf({ actions, on, names }: AdministrationGrant): Rule[] {
  const objects = on.flatMap((object) => (object === 'all' ? TENANT_OBJECTS : [object]));
  const rule = (name?: MongoQuery[string]): Rule => ({
    action: [...actions],
    subject: [...new Set(objects)],
    ...(name === undefined ? {} : { conditions: { name } }),
  });
  if (names === undefined || names.includes('*')) return [rule()];
  const exact = names.filter((name) => !name.endsWith('*'));
  const beginnings = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return [
    ...(exact.length > 0 ? [rule({ $in: exact })] : []),
    ...beginnings.map((beginning) => rule({ $regex: `^${escaped(beginning)}` })),
  ];
}

/** A text as a regular expression that matches it, character by character: what begins with what stays so. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/**
 * Whether somebody may do something to a thing of a name; without a name, to all things of the sort.
 *
 * INVARIANT: CASL is asked about a thing, never about a type: of a type it takes "some of them" for yes.
 */
export function may(
  ability: AdministratorAbility,
  action: AdministrationAction,
  object: AdministrationObject,
  name?: string,
): boolean {
  return ability.can(action, subject(object, name === undefined ? {} : { name }));
}

/** Whether somebody may do something to some thing of a sort: never enough to do it. */
export const mayOnSome = (
  ability: AdministratorAbility,
  action: AdministrationAction,
  object: AdministrationObject,
): boolean => ability.can(action, object);

/** The rules in their short form, for whoever wants to know in advance what it may do (CASL's `unpackRules`). */
export const packed = (ability: AdministratorAbility): unknown[][] =>
  packRules(ability.rules)
    .map((rule) => [JSON.stringify(rule), rule] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, rule]) => [...rule]);

/** Whether two abilities have the same rules. */
export const isSameAbility = (one: AdministratorAbility, other: AdministratorAbility): boolean =>
  one === other || JSON.stringify(packed(one)) === JSON.stringify(packed(other));

/**
 * Whether everything that `granted` allows is plainly allowed by `own`. Not plain is a rule that several others allow only
 * together, and that counts as no.
 */
export const covers = (own: AdministratorAbility, granted: AdministratorAbility): boolean =>
  granted.rules.every((rule) =>
    listOf(rule.action).every((action) =>
      listOf(rule.subject as string | string[]).every((object) => coversRule(own, action, object, rule)),
    ),
  );

function coversRule(own: AdministratorAbility, action: string, object: string, { conditions }: Rule): boolean {
  if (conditions === undefined) return own.can(action, subject(object, {}));
  const { $in: names, $regex: beginning } = conditions.name as { $in?: string[]; $regex?: string };
  if (names !== undefined) return names.every((name) => own.can(action, subject(object, { name })));
  return own.rulesFor(action, object).some((rule) => {
    if (rule.conditions === undefined) return true;
    const { $regex: ours } = rule.conditions.name as { $regex?: string };
    return beginning !== undefined && ours !== undefined && beginning.startsWith(ours);
  });
}

const listOf = (value: string | string[]): string[] => (Array.isArray(value) ? value : [value]);
