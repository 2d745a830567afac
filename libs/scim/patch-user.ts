import { USER } from './attributes.js';
import { ScimError } from './error.js';
import { readPatch, type Step } from './patch.js';
import type { UserValues } from './resource.js';
import { bounded, itemOf, valueOf, withoutUndefined, type Dropped } from './values.js';

type Item = Readonly<Record<string, unknown>>;

/** A user after a PATCH. Throws ScimError; then nothing of it counts. */
export function patchUser(before: UserValues, body: unknown, dropped: Dropped): UserValues {
  const after: Record<string, unknown> = { ...before };
  for (const step of readPatch(USER, body, dropped)) {
    const { name } = step.attribute;
    const value = changed(step, after[name], dropped);
    if (value === undefined && (name === 'userName' || name === 'active'))
      throw new ScimError('invalidValue', `${name} cannot be removed${name === 'active' ? ': write false' : ''}`);
    if (value === undefined) delete after[name];
    else after[name] = value;
  }
  return after as unknown as UserValues;
}

/** What an attribute is after a step. */
function changed(step: Step, before: unknown, dropped: Dropped): unknown {
  const { attribute } = step;
  if (attribute.multiValued === true) {
    const items = changedItems(step, (before ?? []) as readonly Item[], dropped);
    return items && bounded(items, attribute.name);
  }
  if (attribute.type === 'complex') return changedParts(step, (before ?? {}) as Item, dropped);
  return step.op === 'remove' ? undefined : valueOf(attribute, step.value, dropped);
}

function changedParts({ op, attribute, sub, value }: Step, before: Item, dropped: Dropped): Item | undefined {
  if (sub)
    return withoutUndefined({ ...before, [sub.name]: op === 'remove' ? undefined : valueOf(sub, value, dropped) });
  if (op === 'remove') return undefined;
  const given = valueOf(attribute, value, dropped) as Item | undefined;
  // Of a complex attribute what is not said stays, also with replace (RFC 7644 §3.5.2.3).
  return withoutUndefined({ ...before, ...given });
}

function changedItems(step: Step, before: readonly Item[], dropped: Dropped): readonly Item[] | undefined {
  const { op, attribute, filter, sub, value } = step;
  if (!filter && !sub) {
    if (op === 'remove') return undefined;
    const given = (valueOf(attribute, value, dropped) ?? []) as readonly Item[];
    return orNone(op === 'replace' ? given : [...before.filter((item) => !given.some(isSame(item))), ...given]);
  }
  const isMeant = (item: Item): boolean =>
    filter === undefined || sameText(item[filter.attribute], filter.value) || item[filter.attribute] === filter.value;
  if (op === 'remove') {
    const rest = before.map((item) =>
      isMeant(item) ? (sub ? withoutUndefined({ ...item, [sub.name]: undefined }) : undefined) : item,
    );
    return orNone(rest.filter((item) => item !== undefined));
  }
  const given = sub ? { [sub.name]: valueOf(sub, value, dropped) } : (itemOf(attribute, value, dropped) as Item);
  const isThere = before.some(isMeant);
  // Entra fills in an address of a type of which there is none yet.
  const created = filter ? { [filter.attribute]: filter.value } : {};
  const after = isThere
    ? before.map((item) => (isMeant(item) ? { ...item, ...given } : item))
    : [...before, { ...created, ...given }];
  return orNone(after.map(withoutUndefined).filter((item) => item !== undefined));
}

const isSame =
  (one: Item) =>
  (other: Item): boolean =>
    one['value'] === other['value'] && one['type'] === other['type'];

const sameText = (left: unknown, right: unknown): boolean =>
  typeof left === 'string' && typeof right === 'string' && left.toLowerCase() === right.toLowerCase();

const orNone = (items: readonly Item[]): readonly Item[] | undefined => (items.length === 0 ? undefined : items);
