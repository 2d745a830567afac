import type { BindingDocument, RoleDocument } from '../documents/schema.js';
import { Owned, tableOver, type Table } from '../layers.js';
import { principalKey, type Principals } from './principals.js';

/** What one binding gives. */
interface Membership {
  readonly roles: readonly string[];
  /** Milliseconds since 1970, or null for never. */
  readonly expires: number | null;
}

/** Which roles a subject holds at a moment, and until when that stays so. */
export interface HeldRoles extends Principals {
  /** The first moment at which a binding that counted here expires, or null. */
  readonly validUntil: number | null;
}

/** Roles, their inheritance, and the bindings that give them. Changed in place, one document at a time. */
export class Memberships {
  readonly #parents: Table<string, readonly string[]>;
  readonly #closures = new Map<string, ReadonlySet<string>>();
  /** By the key of a subject or group, then by the binding's name. */
  readonly #bindings: Owned<Membership>;

  /** @param base those that these are a layer over */
  constructor(base?: Memberships) {
    this.#parents = tableOver(base && base.#parents);
    this.#bindings = new Owned(base && base.#bindings);
  }

  setRole(name: string, role: RoleDocument | undefined): void {
    if (role) this.#parents.set(name, role.inherits ?? []);
    else this.#parents.delete(name);
    this.#closures.clear();
  }

  setBinding(name: string, before: BindingDocument | undefined, after: BindingDocument | undefined): void {
    for (const ref of before?.subjects ?? []) this.#bindings.delete(principalKey(ref), name);
    if (!after) return;
    const membership = { roles: after.roles, expires: after.expires === undefined ? null : Date.parse(after.expires) };
    for (const ref of after.subjects) this.#bindings.set(principalKey(ref), name, membership);
  }

  /**
   * The roles of a subject at `now` (milliseconds since 1970). A binding that has expired by then does not count.
   * @param key the subject's key
   * @param groups the groups it is in, or null where they are not known
   */
  rolesOf(key: string, groups: ReadonlySet<string> | null, now: number): HeldRoles {
    const held = new Set<string>();
    const possible = new Set<string>();
    let validUntil: number | null = null;
    const collect = (principal: string, into: Set<string>) => {
      for (const { roles, expires } of this.#bindings.of(principal)?.values() ?? []) {
        if (expires !== null && !(expires > now)) continue;
        if (expires !== null) validUntil = Math.min(validUntil ?? expires, expires);
        for (const role of roles) for (const reached of this.#closureOf(role)) into.add(reached);
      }
    };
    collect(key, held);
    for (const group of groups ?? []) collect(`group:${group}`, held);
    if (groups === null) {
      for (const principal of this.#bindings.owners()) if (principal.startsWith('group:')) collect(principal, possible);
    }
    const indexKeys = [
      'any',
      key,
      ...[...(groups ?? [])].map((group) => `group:${group}`),
      ...[...held].map((role) => `role:${role}`),
    ];
    return { key, groups, roles: held, possibleRoles: possible, indexKeys, validUntil };
  }

  /** What gives roles to a subject or group, by the binding's name; also what has expired. */
  bindingsOf(key: string): Iterable<readonly [string, Membership]> {
    return this.#bindings.of(key) ?? [];
  }

  /** The roles that a role inherits by its own word. */
  parentsOf(role: string): readonly string[] {
    return this.#parents.get(role) ?? [];
  }

  /** A role and all that it inherits. Ends on a cycle, too, though none is ever saved. */
  #closureOf(role: string): ReadonlySet<string> {
    const known = this.#closures.get(role);
    if (known) return known;
    const closure = new Set([role]);
    for (const reached of closure) for (const parent of this.#parents.get(reached) ?? []) closure.add(parent);
    this.#closures.set(role, closure);
    return closure;
  }
}
