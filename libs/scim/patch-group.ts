import { GROUP } from './attributes.js';
import { ScimError } from './error.js';
import { readPatch, type Step } from './patch.js';
import { memberIds, membersOf } from './resource.js';
import { valueOf, type Dropped } from './values.js';

/** What a request does to a group, whoever is in it. */
export interface GroupEdit {
  /** Left out: as before. */
  readonly displayName?: string;
  /** Left out: as before; null: none. */
  readonly externalId?: string | null;
  /** Whether all members go who are not added. */
  readonly clears: boolean;
  /** Ids of users; nobody is in both. */
  readonly add: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
}

/** What a PATCH does to a group: the members that it names, and not all of them. Throws ScimError. */
export function patchGroup(body: unknown, dropped: Dropped): GroupEdit {
  const edit = { clears: false, add: new Set<string>(), remove: new Set<string>() };
  const values: { displayName?: string; externalId?: string | null } = {};
  for (const step of readPatch(GROUP, body, dropped)) {
    if (step.attribute.name === 'members') {
      editMembers(edit, step, dropped);
      continue;
    }
    const value =
      step.op === 'remove' ? undefined : (valueOf(step.attribute, step.value, dropped) as string | undefined);
    if (step.attribute.name === 'externalId') values.externalId = value ?? null;
    else if (value === undefined) throw new ScimError('invalidValue', 'displayName is required');
    else values.displayName = value;
  }
  return { ...values, ...edit };
}

function editMembers(
  edit: { clears: boolean; readonly add: Set<string>; readonly remove: Set<string> },
  { op, filter, sub, value }: Step,
  dropped: Dropped,
): void {
  if (sub) throw new ScimError('mutability', 'a member is added or removed, and not changed');
  if (filter) {
    if (op !== 'remove' || filter.attribute !== 'value' || typeof filter.value !== 'string')
      throw new ScimError('invalidPath', 'members are removed by members[value eq "ID"], and changed in no other way');
    return move(filter.value, edit.remove, edit.add);
  }
  const given = memberIds(membersOf(value, dropped) ?? []);
  // Without anybody named all are meant (RFC 7644 §3.5.2.2); an empty list names nobody, and removes nobody.
  if (op === 'replace' || (op === 'remove' && (value === undefined || value === null))) {
    edit.clears = true;
    edit.add.clear();
    edit.remove.clear();
  }
  for (const id of given) {
    if (op === 'remove') move(id, edit.remove, edit.add);
    else move(id, edit.add, edit.remove);
  }
}

function move(id: string, to: Set<string>, from: Set<string>): void {
  from.delete(id);
  to.add(id);
}
