import { identitiesOf } from '../documents/identities.js';
import { subjectKey } from '../documents/names.js';
import { documentName } from '../documents/schema.js';
import type {
  AnyDocument,
  ConsentBlock,
  GuardrailDocument,
  HostDocument,
  Kind,
  PolicyDocument,
  ResourceDocument,
  ScopeDocument,
  ServerDocument,
  SubjectDocument,
  SuspensionDocument,
  TenantDocument,
  ToolDocument,
} from '../documents/schema.js';
import { serverIdentities, type ServerIdentity } from '../documents/server-identity.js';
import { DocumentSet, type DocumentChange, type StoredDocument } from '../documents/set.js';
import type { RuleRef } from '../model.js';
import { readUri } from '../paths/uris.js';
import { Owned, tableOver, type Table } from '../layers.js';
import { compileDefaults, type TenantDefaults } from './defaults.js';
import { compileGuardrail, concernsTenant, guardrailPolicy, HOME_TENANT } from './guardrails.js';
import { Memberships } from './memberships.js';
import { Provisioned, type Provisioning, type ProvisionedRow } from './provisioned.js';
import { registeredTool, type RegisteredTool } from './registered-tool.js';
import { LayeredIndex, RuleIndex, type Covering, type Query, type Rules } from './rule-index.js';
import { compilePolicy, ConditionPool, type CompiledRule } from './rules.js';
import { compileScope, type CompiledScope } from './scopes.js';
import { Suspensions } from './suspensions.js';

/** A server as a host may name it. Every member that is given must lead to the same registered server. */
export interface ServerReference extends ServerIdentity {
  readonly name?: string | undefined;
}

/**
 * The documents of one tenant, compiled: what a decision looks things up in. A change is applied in place and at once,
 * between two evaluations; the cost follows the size of the change and not that of the set.
 */
export class PolicySet {
  #documents: DocumentSet;
  readonly #conditions: ConditionPool;
  readonly #rules: Table<string, readonly CompiledRule[]>;
  /** The rules that stand above the others, by their policy: of documents in the set (the home tenant's), and from above it. */
  readonly #guardrails: Table<string, readonly CompiledRule[]>;
  readonly #above: Table<string, readonly CompiledRule[]>;
  readonly #index: Rules;
  readonly #memberships: Memberships;
  readonly #serverScopes: Owned<CompiledScope>;
  readonly #hostScopes: Owned<CompiledScope>;
  readonly #subjects: Table<string, SubjectDocument>;
  readonly #serversByIdentity: Table<string, ServerDocument>;
  readonly #resources: Table<string, ResourceDocument>;
  readonly #tools: WeakMap<ToolDocument, RegisteredTool>;
  readonly #suspensions: Suspensions;
  readonly #provisioned = new Provisioned();
  /** Whom connectors have provisioned. */
  readonly provisioned: Provisioning;
  #defaults: TenantDefaults;
  /** Issuers whose directory has not been heard of for too long; null: those of the set below. */
  #silent: ReadonlySet<string> | null = null;
  /** Of a fork: the set below it, and the documents which that one had. */
  readonly #basis: { readonly set: PolicySet; readonly documents: DocumentSet } | null;

  /**
   * @param base the set that this one is a fork of; left out: an empty set
   * @param provisioned of a fork: who is provisioned in it; left out: as in the set below it
   */
  constructor(base?: PolicySet, provisioned: Provisioning | undefined = base?.provisioned) {
    this.#documents = base ? base.#documents : DocumentSet.EMPTY;
    this.#conditions = new ConditionPool(base && base.#conditions);
    this.#rules = tableOver(base && base.#rules);
    this.#guardrails = tableOver(base && base.#guardrails);
    this.#above = tableOver(base && base.#above);
    this.#index = base ? new LayeredIndex(base.#index) : new RuleIndex();
    this.#memberships = new Memberships(base && base.#memberships);
    this.#serverScopes = new Owned(base && base.#serverScopes);
    this.#hostScopes = new Owned(base && base.#hostScopes);
    this.#subjects = tableOver(base && base.#subjects);
    this.#serversByIdentity = tableOver(base && base.#serversByIdentity);
    this.#resources = tableOver(base && base.#resources);
    this.#tools = base ? base.#tools : new WeakMap<ToolDocument, RegisteredTool>();
    this.#suspensions = new Suspensions(base && base.#suspensions);
    this.#defaults = base ? base.#defaults : compileDefaults(undefined);
    this.provisioned = provisioned ?? this.#provisioned;
    this.#basis = base ? { set: base, documents: base.#documents } : null;
  }

  static of(documents: Iterable<StoredDocument>): PolicySet {
    const set = new PolicySet();
    const changes: DocumentChange[] = [];
    for (const stored of documents)
      changes.push({ kind: stored.document.kind, name: documentName(stored.document), stored });
    set.apply(changes);
    return set;
  }

  /**
   * The set as it would be after some changes: a layer over this one that reads through to it where nothing changes, so
   * that it costs what the changes do. This set is not changed by it; once this set changes, the fork is stale.
   */
  fork(changes: readonly DocumentChange[], provisioned?: Provisioning): PolicySet {
    const fork = new PolicySet(this, provisioned);
    fork.apply(changes);
    return fork;
  }

  /** Whether the set below this fork has changed since. Then its answers mean nothing any more. */
  get isStale(): boolean {
    if (this.#basis === null) return false;
    return this.#basis.set.#documents !== this.#basis.documents || this.#basis.set.isStale;
  }

  get documents(): DocumentSet {
    return this.#documents;
  }

  get defaults(): TenantDefaults {
    return this.#defaults;
  }

  /**
   * Takes over some changes. If it throws, the set may be half changed and must not be asked any more: the caller
   * throws it away and loads anew.
   */
  apply(changes: readonly DocumentChange[]): void {
    if (changes.length === 0) return;
    const before = this.#documents;
    this.#documents = this.#basis === null ? before.with(changes) : before.over(changes);
    for (const { kind, name, stored } of changes) {
      this.#replace(kind, name, before.find(kind, name)?.document, stored);
    }
  }

  /** Takes over who is provisioned; never of a fork. */
  provision(rows: readonly ProvisionedRow[]): void {
    this.#provisioned.apply(rows);
  }

  #replace(kind: Kind, name: string, before: AnyDocument | undefined, stored: StoredDocument | undefined): void {
    const after = stored?.document;
    switch (kind) {
      case 'Role':
        return this.#memberships.setRole(name, after as Extract<AnyDocument, { kind: 'Role' }> | undefined);
      case 'Binding':
        return this.#memberships.setBinding(name, before as BindingOrNone, after as BindingOrNone);
      case 'Policy':
        return this.#replacePolicy(name, after as PolicyDocument | undefined, stored?.version ?? 0);
      case 'Guardrail':
        return this.#replaceGuardrail(name, after as GuardrailDocument | undefined, stored?.version ?? 0);
      case 'Scope':
        this.#removeScope(name, before as ScopeDocument | undefined);
        return this.#addScope(name, after as ScopeDocument | undefined);
      case 'Tenant':
        this.#defaults = compileDefaults(after as TenantDocument | undefined);
        return;
      case 'Subject':
        return replaceEntries(this.#subjects, identitiesOf, before as SubjectDocument, after as SubjectDocument);
      case 'Server':
        return replaceEntries(this.#serversByIdentity, identitiesOf, before as ServerDocument, after as ServerDocument);
      case 'Resource':
        return replaceEntries(this.#resources, resourceKeys, before as ResourceDocument, after as ResourceDocument);
      case 'Host':
      case 'Test':
      case 'Issuer':
      case 'Mapping':
      case 'AdministratorRole':
      case 'AdministratorBinding':
        return;
      case 'Suspension':
        return this.#suspensions.replace(name, before as SuspensionOrNone, after as SuspensionOrNone);
    }
  }

  #replacePolicy(name: string, policy: PolicyDocument | undefined, version: number): void {
    const compiled = policy ? compilePolicy(policy, version, this.#conditions) : [];
    this.#exchange(this.#rules, name, compiled);
  }

  #replaceGuardrail(name: string, guardrail: GuardrailDocument | undefined, version: number): void {
    const holds = guardrail !== undefined && concernsTenant(guardrail, HOME_TENANT);
    const compiled = holds ? [compileGuardrail(guardrail, version, this.#conditions)] : [];
    this.#exchange(this.#guardrails, guardrailPolicy(name), compiled);
  }

  #exchange(table: Table<string, readonly CompiledRule[]>, name: string, compiled: readonly CompiledRule[]): void {
    for (const rule of table.get(name) ?? []) {
      this.#index.remove(rule);
      this.#conditions.giveBack(rule.when);
      this.#conditions.giveBack(rule.unless);
    }
    for (const rule of compiled) this.#index.add(rule);
    if (compiled.length > 0) table.set(name, compiled);
    else table.delete(name);
  }

  /**
   * Takes over the guardrails that stand above this tenant, in the place of those that did. As with `apply`, the set is
   * unusable if it throws. Never of the home tenant, of whose documents they are.
   */
  guard(guardrails: readonly StoredDocument<'Guardrail'>[]): void {
    for (const policy of [...this.#above.keys()]) this.#exchange(this.#above, policy, []);
    for (const { document, version } of guardrails) {
      const rule = compileGuardrail(document, version, this.#conditions);
      this.#exchange(this.#above, rule.ref.policy, [rule]);
    }
    // Other documents, though the same: what was forked from this set before is stale.
    this.#documents = this.#documents.with([]);
  }

  /** The guardrail that a rule of some name is; undefined where there is none in force here. */
  guardrail({ policy, rule }: Pick<RuleRef, 'policy' | 'rule'>): CompiledRule | undefined {
    const found = this.#above.get(policy) ?? this.#guardrails.get(policy);
    return found?.find(({ ref }) => ref.rule === rule);
  }

  /** What a rule asks for, be it of a policy or a guardrail; undefined where it asks nothing, or is not there. */
  consentOf(ref: Pick<RuleRef, 'policy' | 'rule'>): ConsentBlock | undefined {
    return this.#documents.rule(ref.policy, ref.rule)?.consent ?? this.guardrail(ref)?.consent?.block;
  }

  #scopesOf({ server, host }: ScopeDocument): { scopes: Owned<CompiledScope>; owner: string } {
    return server === undefined
      ? { scopes: this.#hostScopes, owner: host! }
      : { scopes: this.#serverScopes, owner: server };
  }

  #removeScope(name: string, scope: ScopeDocument | undefined): void {
    if (!scope) return;
    const { scopes, owner } = this.#scopesOf(scope);
    scopes.delete(owner, name);
  }

  #addScope(name: string, scope: ScopeDocument | undefined): void {
    if (!scope) return;
    const { scopes, owner } = this.#scopesOf(scope);
    scopes.set(owner, name, compileScope(name, scope));
  }

  /** Every rule of the tenant's own policies, in no order. */
  *rules(): Iterable<CompiledRule> {
    for (const rules of this.#rules.values()) yield* rules;
  }

  /** The rules that could concern a request. */
  candidates(query: Query): ReadonlySet<CompiledRule> {
    return this.#index.candidates(query);
  }

  /** The rules whose target could cover a request, whomever they are for; `limit` of them are looked at. */
  covering(query: Query, limit: number): Covering {
    return this.#index.covering(query, limit);
  }

  get memberships(): Memberships {
    return this.#memberships;
  }

  /** The boundaries of a server; none means that the server itself limits nothing. */
  serverScopes(server: string): Iterable<CompiledScope> {
    return this.#serverScopes.of(server)?.values() ?? [];
  }

  /** The boundaries of a host, else the tenant's default one; none means that nothing is inside. */
  hostScopes(host: string): readonly CompiledScope[] {
    const own = this.#hostScopes.of(host);
    if (own) return [...own.values()];
    return this.#defaults.hostScope ? [this.#defaults.hostScope] : [];
  }

  host(name: string): HostDocument | undefined {
    return this.#documents.find('Host', name)?.document;
  }

  /** The stored subject that a type and id, or an alias, stands for. */
  subject(type: string, id: string): SubjectDocument | undefined {
    return this.#subjects.get(subjectKey(type, id));
  }

  /** The registered server that every part of a reference leads to; undefined if there is none, or if they disagree. */
  server(reference: ServerReference): ServerDocument | undefined {
    const found: (ServerDocument | undefined)[] = [];
    if (reference.name !== undefined) found.push(this.#documents.find('Server', reference.name)?.document);
    for (const identity of serverIdentities(reference)) found.push(this.#serversByIdentity.get(identity));
    return found.length > 0 && found.every((server) => server === found[0]) ? found[0] : undefined;
  }

  /** A tool of a server's document, if it is declared there. */
  tool(server: ServerDocument, name: string): RegisteredTool | undefined {
    const tools = server.tools;
    if (!tools || !Object.hasOwn(tools, name)) return undefined;
    const document = tools[name]!;
    let tool = this.#tools.get(document);
    if (!tool) this.#tools.set(document, (tool = registeredTool(document)));
    return tool;
  }

  /** What suspends one of some names, as in `Server:files`; or the tenant. */
  suspensionOf(names: () => readonly string[]): SuspensionDocument | undefined {
    return this.#suspensions.of(names);
  }

  /** Says which Issuers are directories that have not been heard of for longer than what they said is good. */
  silence(issuers: ReadonlySet<string>): void {
    this.#silent = issuers;
  }

  /** Issuers of whose people nothing is known at this moment. */
  get silent(): ReadonlySet<string> {
    return this.#silent ?? this.#basis?.set.silent ?? NOBODY;
  }

  /** The Issuer of one of some people, as in `user:corp/3f2c`, of whom nothing is known at this moment; undefined: there is none. */
  silentIssuerOf(names: () => readonly string[]): string | undefined {
    const { silent } = this;
    if (silent.size === 0) return undefined;
    for (const name of names()) {
      const [, type, issuer] = /^([^:]*):([^/]*)\//.exec(name) ?? [];
      if (issuer === undefined || !silent.has(issuer)) continue;
      if (this.#documents.find('Issuer', issuer)?.document.subjectType === type) return issuer;
    }
    return undefined;
  }

  /** Whether a connector keeps a person out, under one of some names. */
  keepsOut(names: readonly { readonly type: string; readonly id: string }[]): boolean {
    return names.some((name) => this.provisioned.isKeptOut(this.#documents, name));
  }

  /** The stored resource of a server, or (null) of none. */
  resource(server: string | null, type: string, id: string): ResourceDocument | undefined {
    return this.#resources.get(`${server ?? ''}/${type}:${id}`);
  }
}

const NOBODY: ReadonlySet<string> = new Set();

type BindingOrNone = Extract<AnyDocument, { kind: 'Binding' }> | undefined;
type SuspensionOrNone = SuspensionDocument | undefined;

/** A resource by server, type and id; where ids are URIs, by their one spelling, as requests name them. */
function resourceKeys({ server, type, id }: ResourceDocument): readonly string[] {
  const read = type === 'resource' && server !== undefined ? readUri(id) : undefined;
  return [`${server ?? ''}/${type}:${read && 'uri' in read ? read.uri : id}`];
}

/** Moves a document's keys. A key that another document has taken over in the same change stays with that one. */
function replaceEntries<T extends AnyDocument>(
  map: Table<string, T>,
  keysOf: (document: T) => readonly string[],
  before: T | undefined,
  after: T | undefined,
): void {
  for (const key of before ? keysOf(before) : []) if (map.get(key) === before) map.delete(key);
  for (const key of after ? keysOf(after) : []) map.set(key, after!);
}
