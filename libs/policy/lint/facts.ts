import { Condition } from '../cel/condition.js';
import { checkCondition } from '../cel/language.js';
import { RuleIndex, type Query } from '../compile/rule-index.js';
import { compilePolicy, ConditionPool } from '../compile/rules.js';
import { compileScope, type CompiledScope } from '../compile/scopes.js';
import {
  documentName,
  type PolicyDocument,
  type RuleDocument,
  type ScopeDocument,
  type ServerDocument,
  type ToolDocument,
} from '../documents/schema.js';
import type { DocumentSet } from '../documents/set.js';
import type { RuleRef } from '../model.js';
import type { Glob } from '../paths/glob.js';
import { includes, witnessOf, type LintTarget } from './patterns.js';

/** More servers that one pattern matches than this are not looked at: a finding is missed, and time is bounded. */
const MAX_SERVERS = 200;

/** Different boundaries of hosts beyond which nothing is said of all of them. */
const MAX_HOST_BOUNDARIES = 200;

/**
 * What lint must know of a set beyond the document at hand. Each fact is gathered when it is first asked for, once, so
 * that looking at one document of a large set costs a walk through a kind at most.
 */
export class Facts {
  readonly #matching = new Map<string, readonly ServerDocument[]>();
  readonly #conditions = new Map<string, Condition | null>();
  readonly #tools = new Map<ServerDocument, readonly (ToolDocument & { readonly name: string })[]>();
  readonly #answers = new Map<string, boolean>();
  #serverNames: readonly string[] | undefined;
  #roles: ReadonlySet<string> | undefined;
  #denies: RuleIndex | undefined;
  #asks: RuleIndex | undefined;
  #serverScopes: ReadonlyMap<string, readonly CompiledScope[]> | undefined;
  #hostScopes: ReadonlyMap<string, readonly CompiledScope[]> | undefined;
  #hostBoundaries: readonly (readonly CompiledScope[])[] | null | undefined;

  constructor(readonly set: DocumentSet) {}

  server(name: string): ServerDocument | undefined {
    return this.set.find('Server', name)?.document;
  }

  hasHost(name: string): boolean {
    return this.set.find('Host', name) !== undefined;
  }

  /** Registered servers that a pattern matches, the first of very many. */
  serversMatching(pattern: Glob): readonly ServerDocument[] {
    if (pattern.exact !== undefined) return [this.server(pattern.exact)].filter((server) => server !== undefined);
    const known = this.#matching.get(pattern.text);
    if (known) return known;
    const found: ServerDocument[] = [];
    const names = (this.#serverNames ??= [...this.set.all('Server')].map(({ document }) => document.name).sort());
    for (let at = firstFrom(names, pattern.prefix); at < names.length && found.length < MAX_SERVERS; at++) {
      if (!names[at]!.startsWith(pattern.prefix)) break;
      if (pattern.matches(names[at]!)) found.push(this.server(names[at]!)!);
    }
    this.#matching.set(pattern.text, found);
    return found;
  }

  /** The tools that a server declares. */
  toolsOf(server: ServerDocument): readonly (ToolDocument & { readonly name: string })[] {
    let tools = this.#tools.get(server);
    if (!tools) {
      tools = Object.entries(server.tools ?? {}).map(([name, tool]) => ({ ...tool, name }));
      this.#tools.set(server, tools);
    }
    return tools;
  }

  /** A condition, or null for one that does not compile. */
  condition(text: string): Condition | null {
    let condition = this.#conditions.get(text);
    if (condition === undefined) {
      condition = checkCondition(text).length === 0 ? new Condition(text) : null;
      this.#conditions.set(text, condition);
    }
    return condition;
  }

  /** Roles that some binding or mapping gives, directly or by inheritance, expired or not. */
  get givenRoles(): ReadonlySet<string> {
    if (this.#roles) return this.#roles;
    const given = new Set<string>();
    for (const { document } of this.set.all('Binding')) document.roles.forEach((role) => given.add(role));
    for (const { document } of this.set.all('Mapping')) {
      for (const { roles } of document.rules) roles?.forEach((role) => given.add(role));
    }
    // A set is walked through in the order of entry, also of what enters on the way.
    for (const role of given) {
      for (const parent of this.set.find('Role', role)?.document.inherits ?? []) given.add(parent);
    }
    return (this.#roles = given);
  }

  /** An answer that was asked for before under the same name. */
  once(name: string, answer: () => boolean): boolean {
    let known = this.#answers.get(name);
    if (known === undefined) this.#answers.set(name, (known = answer()));
    return known;
  }

  /** A deny for anybody, under no condition, whose target covers the whole of another; undefined if there is none. */
  denyOfAll(target: LintTarget): RuleRef | undefined {
    this.#denies ??= this.#indexOf(isBlanketDeny);
    const servers = target.servers ?? [null];
    for (const { target: wide, ref } of this.#denies.candidates(queryOf(target))) {
      if (
        servers.every((server) => wide.servers === null || (server && wide.servers.some((w) => includes(w, server)))) &&
        target.actions.every((action) => wide.actions.some((w) => includes(w, action))) &&
        target.resources.every((resource) =>
          wide.resources.some((w) => (w.type === null || w.type === resource.type) && includes(w.id, resource.id)),
        )
      )
        return ref;
    }
    return undefined;
  }

  /** Whether some ask rule, whoever and whatever it is for, can stand before the call of a tool. */
  isAskedFor(tool: LintTarget): boolean {
    this.#asks ??= this.#indexOf(({ effect }) => effect === 'ask');
    return this.#asks.candidates(queryOf(tool)).size > 0;
  }

  /** The boundaries of a server. */
  serverScopes(server: string): readonly CompiledScope[] {
    this.#serverScopes ??= this.#scopesBy(({ server: name }) => name);
    return this.#serverScopes.get(server) ?? [];
  }

  /**
   * The boundaries of some hosts, or of all of them, without repetitions; a host without one has nothing inside and is
   * left out. Null where no host has any, or where they are too many to tell: then nothing is certain.
   */
  hostBoundaries(via: readonly string[] | undefined): readonly (readonly CompiledScope[])[] | null {
    if (via) return via.every((host) => this.hasHost(host)) ? this.#boundariesOf(via) : null;
    if (this.#hostBoundaries === undefined)
      this.#hostBoundaries = this.#boundariesOf([...this.set.all('Host')].map(({ document }) => document.name));
    return this.#hostBoundaries;
  }

  #boundariesOf(hosts: readonly string[]): readonly (readonly CompiledScope[])[] | null {
    this.#hostScopes ??= this.#scopesBy(({ host }) => host);
    const [tenant] = this.set.all('Tenant');
    const clauses = tenant?.document.defaults.hostScope;
    const fallback = clauses ? [compileScope('defaults.hostScope', clauses)] : undefined;
    const boundaries = new Map<string, readonly CompiledScope[]>();
    for (const host of hosts) {
      const own = this.#hostScopes.get(host);
      const scopes = own ?? fallback;
      if (scopes) boundaries.set(own ? host : '', scopes);
    }
    return boundaries.size === 0 || boundaries.size > MAX_HOST_BOUNDARIES ? null : [...boundaries.values()];
  }

  #scopesBy(key: (scope: ScopeDocument) => string | undefined): ReadonlyMap<string, readonly CompiledScope[]> {
    const scopes = new Map<string, CompiledScope[]>();
    for (const { document } of this.set.all('Scope')) {
      const name = key(document);
      if (name === undefined) continue;
      const compiled = compileScope(documentName(document), document);
      const others = scopes.get(name);
      if (others) others.push(compiled);
      else scopes.set(name, [compiled]);
    }
    return scopes;
  }

  /** Files each policy that has such a rule, enforced, under its target, by the first of them; of those with one target, the first. */
  #indexOf(wanted: (rule: RuleDocument) => boolean): RuleIndex {
    const index = new RuleIndex();
    const conditions = new ConditionPool();
    const targets = new Set<string>();
    for (const { document } of this.set.all('Policy')) {
      const rule = document.rules.find((candidate) => candidate.enforce !== false && wanted(candidate));
      if (!rule) continue;
      const target = JSON.stringify(document.target);
      if (targets.has(target)) continue;
      targets.add(target);
      const bare: PolicyDocument = { ...document, rules: [{ name: rule.name, effect: 'deny', to: ['any'] }] };
      compilePolicy(bare, 0, conditions).forEach((compiled) => index.add(compiled));
    }
    return index;
  }
}

const isBlanketDeny = ({ effect, to, via, when, unless }: RuleDocument): boolean =>
  effect === 'deny' && to.includes('any') && via === undefined && when === undefined && unless === undefined;

/** One request that stands for the first of everything in a target; `*` is no type, so only rules for any type cover it. */
function queryOf({ servers, actions, resources }: LintTarget): Query {
  const [resource] = resources;
  return {
    server: servers ? witnessOf(servers[0]!.text) : null,
    action: witnessOf(actions[0]!.text),
    type: resource!.type ?? '*',
    id: witnessOf(resource!.id.text),
    principals: ANYBODY,
  };
}

const ANYBODY: Query['principals'] = {
  key: '',
  groups: new Set(),
  mayBeInMore: false,
  isCertain: true,
  roles: new Set(),
  possibleRoles: new Set(),
  indexKeys: ['any'],
};

/** The first place in a sorted list at which a text, or what sorts after it, stands. */
function firstFrom(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
