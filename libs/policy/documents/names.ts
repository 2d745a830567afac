/** A name of ours: roles, policies, rules, scopes, servers, hosts, bindings. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** An id from elsewhere (a person, a group, a resource): anything printable that fits. */
export function isForeignId(text: string): boolean {
  return text.length > 0 && text.length <= 1024 && !/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed();
}

/** Whether subjects can be of this type: `role:admin` names a role and `group:emea` a group, never a subject. */
export function isSubjectType(type: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(type) && type !== 'role' && type !== 'group';
}

/** Whom a rule, a binding or a consent block names: `any`, `role:…`, `group:…`, or a subject as `<type>:<id>`. */
export type PrincipalRef =
  | { readonly kind: 'any' }
  | { readonly kind: 'role'; readonly name: string }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'subject'; readonly type: string; readonly id: string };

/** Reads such a name; undefined if it is none. */
export function parsePrincipal(text: string): PrincipalRef | undefined {
  if (text === 'any') return { kind: 'any' };
  const colon = text.indexOf(':');
  const type = text.slice(0, Math.max(colon, 0));
  const id = text.slice(colon + 1);
  if (type === 'role') return NAME.test(id) ? { kind: 'role', name: id } : undefined;
  if (!isForeignId(id)) return undefined;
  if (type === 'group') return { kind: 'group', name: id };
  return isSubjectType(type) ? { kind: 'subject', type, id } : undefined;
}

/**
 * The key under which a subject is found: type and id. Types have no colon, so no two subjects share one.
 *
 * INVARIANT: it is never the key of a role or a group. Who is asserted to be of the type `role`, with the id `admin`,
 * must not be taken for a holder of that role: a type that no subject can have makes a key that nothing can name.
 */
export function subjectKey(type: string, id: string): string {
  return isSubjectType(type) ? `${type}:${id}` : `?${JSON.stringify([type, id])}`;
}
