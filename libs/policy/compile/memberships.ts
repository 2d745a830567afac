import type { BindingDocument, RoleDocument } from '../documents/schema.js';
import { Owned, tableOver, type Table } from '../layers.js';
import type { Mapped, MappedRole } from '../mapping/map-claims.js';
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

/** What else is known of somebody than by bindings. */
interface Known {
  /** Whether there may be more groups than are named. */
  readonly mayBeInMore: boolean;
  /** The roles that claims give; null: none. */
  readonly mapped: Mapped['roles'] | null;
}

/** What a subject's roles would be like: with one more, or without one wherever it is given. */
export type SupposedRole = { readonly given: string } | { readonly taken: string };

/** One way on which a subject comes by a role. */
export interface RoleWay {
  readonly binding: string;
  /** The group that the binding names; null where it names the subject. */
  readonly group: string | null;
  /** The role that is given, those that lead on from it by inheritance, and the one that was asked for. */
  readonly through: readonly string[];
  /** When the binding expires, in ms since 1970; null: never. */
  readonly expires: number | null;
}

/** One way on which a subject comes by a role, or (`possible`) may do so, by a rule of a Mapping. */
export interface MappedWay {
  readonly by: MappedRole;
  readonly through: readonly string[];
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
   * @param supposed what is to be otherwise than it is, for an explanation
   * @param known left out: the groups are all of them or unknown, and no claims give a role
   */
  rolesOf(
    key: string,
    groups: ReadonlySet<string> | null,
    now: number,
    supposed?: SupposedRole,
    known?: Known,
  ): HeldRoles {
    const mayBeInMore = known ? known.mayBeInMore : groups === null;
    const mapped = known ? known.mapped : null;
    const taken = supposed && 'taken' in supposed ? supposed.taken : undefined;
    const held = new Set<string>(supposed && 'given' in supposed ? this.#closureOf(supposed.given) : []);
    const possible = new Set<string>();
    let validUntil: number | null = null;
    const collect = (principal: string, into: Set<string>) => {
      for (const { roles, expires } of this.#bindings.of(principal)?.values() ?? []) {
        if (expires !== null && !(expires > now)) continue;
        if (expires !== null) validUntil = Math.min(validUntil ?? expires, expires);
        for (const role of roles) {
          if (role === taken) continue;
          for (const reached of this.#closureOf(role)) into.add(reached);
        }
      }
    };
    collect(key, held);
    for (const group of groups ?? []) collect(`group:${group}`, held);
    if (mapped) this.#addMapped(mapped, taken, held, possible);
    if (mayBeInMore) {
      for (const principal of this.#bindings.owners()) {
        if (principal.startsWith('group:') && !groups?.has(principal.slice('group:'.length)))
          collect(principal, possible);
      }
    }
    const indexKeys = [
      'any',
      key,
      ...[...(groups ?? [])].map((group) => `group:${group}`),
      ...[...held].map((role) => `role:${role}`),
    ];
    if (!mayBeInMore) for (const role of possible) indexKeys.push(`role:${role}`);
    const isCertain = !mayBeInMore && possible.size === 0;
    return { key, groups, mayBeInMore, roles: held, possibleRoles: possible, isCertain, indexKeys, validUntil };
  }

  #addMapped(mapped: Mapped['roles'], taken: string | undefined, held: Set<string>, possible: Set<string>): void {
    const add = (roles: readonly string[], into: Set<string>) => {
      for (const role of roles) if (role !== taken) for (const reached of this.#closureOf(role)) into.add(reached);
    };
    add(mapped.held, held);
    add(mapped.possible, possible);
  }

  /** How claims give some roles, by which rules and by what inheritance: at most `limit` ways for each role. */
  mappedWaysTo(
    wanted: ReadonlySet<string>,
    { ways }: Mapped['roles'],
    limit: number,
  ): ReadonlyMap<string, readonly MappedWay[]> {
    const found = new Map<string, MappedWay[]>();
    for (const by of ways) {
      for (const reached of this.#closureOf(by.role)) {
        if (!wanted.has(reached)) continue;
        const known = found.get(reached) ?? [];
        if (known.length < limit) known.push({ by, through: this.#wayDown(by.role, reached) });
        found.set(reached, known);
      }
    }
    return found;
  }

  /**
   * How a subject comes by some roles at `now`: by which bindings, as whom, and by what inheritance. At most `limit` ways
   * for each role: first those of its own, then those by its groups, in the order of names.
   */
  waysTo(
    wanted: ReadonlySet<string>,
    { key, groups }: Pick<Principals, 'key' | 'groups'>,
    now: number,
    limit: number,
  ): ReadonlyMap<string, readonly RoleWay[]> {
    const ways = new Map<string, RoleWay[]>();
    if (wanted.size === 0) return ways;
    for (const group of [null, ...[...(groups ?? [])].sort()]) {
      const given = this.#bindings.of(group === null ? key : `group:${group}`);
      const bindings = [...(given ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
      for (const [binding, { roles, expires }] of bindings) {
        if (expires !== null && !(expires > now)) continue;
        for (const role of [...roles].sort()) {
          for (const reached of this.#closureOf(role)) {
            if (!wanted.has(reached)) continue;
            const found = ways.get(reached) ?? [];
            if (found.length < limit) found.push({ binding, group, through: this.#wayDown(role, reached), expires });
            ways.set(reached, found);
          }
        }
      }
    }
    return ways;
  }

  /** The shortest line of inheritance from one role to another that it reaches. */
  #wayDown(from: string, to: string): string[] {
    const heirs = new Map<string, string>();
    const seen = new Set([from]);
    for (const role of seen) {
      for (const parent of this.#parents.get(role) ?? []) {
        if (!seen.has(parent)) heirs.set(parent, role);
        seen.add(parent);
      }
    }
    const way = [to];
    for (let heir = heirs.get(to); heir !== undefined; heir = heirs.get(heir)) way.unshift(heir);
    return way;
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
