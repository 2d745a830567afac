import { attributeNamed, GROUP, USER, type ResourceKind } from './attributes.js';
import { ScimError } from './error.js';
import { FOREIGN, withoutSchema } from './path.js';
import { isObject, itemOf, refuseTwice, valueOf, withoutUndefined, type Dropped } from './values.js';

/** What we keep of a user, as the attributes have it. */
export interface UserValues {
  readonly userName: string;
  readonly externalId?: string;
  /** Left out: it was not said. */
  readonly active?: boolean;
  readonly displayName?: string;
  readonly name?: Readonly<Record<string, string>>;
  readonly emails?: readonly Readonly<Record<string, string | boolean>>[];
}

/** What we keep of a group; `members`: ids of users, undefined where it was not said. */
export interface GroupValues {
  readonly displayName: string;
  readonly externalId?: string;
  readonly members?: readonly string[];
}

/** The whole of a user, as in POST and PUT. Throws ScimError. */
export const readUser = (body: unknown, dropped: Dropped): UserValues => {
  const values = readResource(USER, body, dropped);
  return { ...(values as object), userName: requiredText(values, 'userName') };
};

/** The whole of a group, as in POST and PUT. Throws ScimError. */
export function readGroup(body: unknown, dropped: Dropped): GroupValues {
  const { members, ...values } = readResource(GROUP, body, dropped);
  return {
    ...(values as object),
    displayName: requiredText(values, 'displayName'),
    ...(members === undefined ? {} : { members: memberIds(members) }),
  };
}

/** The ids in a list of members. Throws ScimError for one without. */
export function memberIds(members: unknown): string[] {
  const ids = (members as readonly { readonly value?: string }[]).map(({ value }) => value);
  if (ids.some((id) => id === undefined))
    throw new ScimError('invalidValue', 'members: each has the id of a user as its value');
  return [...new Set(ids as string[])];
}

/** Attributes of every resource that are ours to say (RFC 7643 §3.1), and those that only say what it is. */
const COMMON = ['schemas', 'id', 'meta'];

function readResource(
  { schema, attributes, name: kind }: ResourceKind,
  body: unknown,
  dropped: Dropped,
): Record<string, unknown> {
  if (!isObject(body)) throw new ScimError('invalidSyntax', 'the body is an object');
  const { schemas } = body;
  if (!Array.isArray(schemas) || !schemas.some((each) => String(each).toLowerCase() === schema.toLowerCase()))
    throw new ScimError('invalidSyntax', `schemas: a ${kind} names ${schema}`);
  const values: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(body)) {
    if (COMMON.includes(key)) continue;
    const name = withoutSchema(key, schema);
    const attribute = name === FOREIGN ? undefined : attributeNamed(attributes, name);
    if (attribute?.readOnly === true) continue;
    if (!attribute) {
      dropped(key);
      continue;
    }
    refuseTwice(values, attribute.name);
    values[attribute.name] =
      attribute.name === 'members' ? membersOf(given, dropped) : valueOf(attribute, given, dropped);
  }
  return { ...withoutUndefined(values) };
}

const MEMBERS = attributeNamed(GROUP.attributes, 'members')!;

/** Members that one request may name. */
const MAX_MEMBERS = 10_000;

/** Members as a list of objects; more of them than of other values. Throws ScimError. */
export function membersOf(given: unknown, dropped: Dropped): unknown[] | undefined {
  if (given === null || given === undefined) return undefined;
  const items = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  if (items.length > MAX_MEMBERS) throw new ScimError('tooMany', `one request names ${MAX_MEMBERS} members at most`);
  // Entra and Okta say more of each, which is ours to know: only the id counts, and whoever has none is not passed over.
  return items.map((item) => itemOf(MEMBERS, isObject(item) ? { value: item['value'] } : item, dropped) ?? {});
}

function requiredText(values: Record<string, unknown>, name: string): string {
  const value = values[name];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new ScimError('invalidValue', `${name} is required`);
}
