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
} from '../documents/schema.js';
import { DocumentSet, type DocumentChange, type StoredDocument } from '../documents/set.js';
import type { RuleRef } from '../model.js';
import { Boundaries } from './boundaries.js';
import { compileDefaults, type TenantDefaults } from './defaults.js';
import { Memberships } from './memberships.js';
import { Provisioned, type Provisioning, type ProvisionedRow } from './provisioned.js';
import type { RegisteredTool } from './registered-tool.js';
import { Registry, type ServerReference } from './registry.js';
import { RuleBook } from './rule-book.js';
import type { Covering, Query } from './rule-index.js';
import type { CompiledRule } from './rules.js';
import type { CompiledScope } from './scopes.js';
import { Silence } from './silence.js';
import { Suspensions } from './suspensions.js';

/**
 * The documents of one tenant, compiled: what a decision looks things up in. A change is applied in place and at once,
 * between two evaluations; the cost follows the size of the change and not that of the set.
 */
export class PolicySet {
  #documents: DocumentSet;
  readonly #rules: RuleBook;
  readonly #memberships: Memberships;
  readonly #boundaries: Boundaries;
  readonly #registry: Registry;
  readonly #suspensions: Suspensions;
  readonly #provisioned = new Provisioned();
  /** Whom connectors have provisioned. */
  readonly provisioned: Provisioning;
  #defaults: TenantDefaults;
  readonly #silence: Silence;
  /** Of a fork: the set below it, and the documents which that one had. */
  readonly #basis: { readonly set: PolicySet; readonly documents: DocumentSet } | null;

  /**
   * @param base the set that this one is a fork of; left out: an empty set
   * @param provisioned of a fork: who is provisioned in it; left out: as in the set below it
   */
  constructor(base?: PolicySet, provisioned: Provisioning | undefined = base?.provisioned) {
    this.#documents = base ? base.#documents : DocumentSet.EMPTY;
    this.#rules = new RuleBook(base && base.#rules);
    this.#memberships = new Memberships(base && base.#memberships);
    this.#boundaries = new Boundaries(base && base.#boundaries);
    this.#registry = new Registry(base && base.#registry);
    this.#suspensions = new Suspensions(base && base.#suspensions);
    this.#silence = new Silence(base && base.#silence);
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
        return this.#rules.replacePolicy(name, after as PolicyDocument | undefined, stored?.version ?? 0);
      case 'Guardrail':
        return this.#rules.replaceGuardrail(name, after as GuardrailDocument | undefined, stored?.version ?? 0);
      case 'Scope':
        return this.#boundaries.replace(name, before as ScopeDocument, after as ScopeDocument);
      case 'Tenant':
        this.#defaults = compileDefaults(after as TenantDocument | undefined);
        return;
      case 'Subject':
        return this.#registry.replaceSubject(before as SubjectDocument, after as SubjectDocument);
      case 'Server':
        return this.#registry.replaceServer(before as ServerDocument, after as ServerDocument);
      case 'Resource':
        return this.#registry.replaceResource(before as ResourceDocument, after as ResourceDocument);
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

  /**
   * Takes over the guardrails that stand above this tenant, in the place of those that did. As with `apply`, the set is
   * unusable if it throws. Never of the home tenant, of whose documents they are.
   */
  guard(guardrails: readonly StoredDocument<'Guardrail'>[]): void {
    this.#rules.guard(guardrails);
    // Other documents, though the same: what was forked from this set before is stale.
    this.#documents = this.#documents.with([]);
  }

  /** The guardrail that a rule of some name is; undefined where there is none in force here. */
  guardrail(ref: Pick<RuleRef, 'policy' | 'rule'>): CompiledRule | undefined {
    return this.#rules.guardrail(ref);
  }

  /** What a rule asks for, be it of a policy or a guardrail; undefined where it asks nothing, or is not there. */
  consentOf(ref: Pick<RuleRef, 'policy' | 'rule'>): ConsentBlock | undefined {
    return this.#documents.rule(ref.policy, ref.rule)?.consent ?? this.guardrail(ref)?.consent?.block;
  }

  /** Every rule of the tenant's own policies, in no order. */
  rules(): Iterable<CompiledRule> {
    return this.#rules.own();
  }

  /** The rules that could concern a request. */
  candidates(query: Query): ReadonlySet<CompiledRule> {
    return this.#rules.index.candidates(query);
  }

  /** The rules whose target could cover a request, whomever they are for; `limit` of them are looked at. */
  covering(query: Query, limit: number): Covering {
    return this.#rules.index.covering(query, limit);
  }

  get memberships(): Memberships {
    return this.#memberships;
  }

  /** The boundaries of a server; none means that the server itself limits nothing. */
  serverScopes(server: string): Iterable<CompiledScope> {
    return this.#boundaries.ofServer(server)?.values() ?? [];
  }

  /** The boundaries of a host, else the tenant's default one; none means that nothing is inside. */
  hostScopes(host: string): readonly CompiledScope[] {
    const own = this.#boundaries.ofHost(host);
    if (own) return [...own.values()];
    return this.#defaults.hostScope ? [this.#defaults.hostScope] : [];
  }

  host(name: string): HostDocument | undefined {
    return this.#documents.find('Host', name)?.document;
  }

  /** The stored subject that a type and id, or an alias, stands for. */
  subject(type: string, id: string): SubjectDocument | undefined {
    return this.#registry.subject(type, id);
  }

  /** The registered server that every part of a reference leads to; undefined if there is none, or if they disagree. */
  server(reference: ServerReference): ServerDocument | undefined {
    return this.#registry.server(this.#documents, reference);
  }

  /** A tool of a server's document, if it is declared there. */
  tool(server: ServerDocument, name: string): RegisteredTool | undefined {
    return this.#registry.tool(server, name);
  }

  /** What suspends one of some names, as in `Server:files`; or the tenant. */
  suspensionOf(names: () => readonly string[]): SuspensionDocument | undefined {
    return this.#suspensions.of(names);
  }

  /** Says which Issuers are directories that have not been heard of for longer than what they said is good. */
  silence(issuers: ReadonlySet<string>): void {
    this.#silence.issuers = issuers;
  }

  /** Issuers of whose people nothing is known at this moment. */
  get silent(): ReadonlySet<string> {
    return this.#silence.issuers;
  }

  /** The Issuer of one of some people, as in `user:corp/3f2c`, of whom nothing is known at this moment; undefined: there is none. */
  silentIssuerOf(names: () => readonly string[]): string | undefined {
    return this.#silence.issuerOf(this.#documents, names);
  }

  /** Whether a connector keeps a person out, under one of some names. */
  keepsOut(names: readonly { readonly type: string; readonly id: string }[]): boolean {
    return names.some((name) => this.provisioned.isKeptOut(this.#documents, name));
  }

  /** The stored resource of a server, or (null) of none. */
  resource(server: string | null, type: string, id: string): ResourceDocument | undefined {
    return this.#registry.resource(server, type, id);
  }
}

type BindingOrNone = Extract<AnyDocument, { kind: 'Binding' }> | undefined;
type SuspensionOrNone = SuspensionDocument | undefined;
