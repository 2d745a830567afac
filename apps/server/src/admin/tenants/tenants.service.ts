import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import { generateApiKey, macOf, principalName, type AdministratorPrincipal, type KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import {
  exportTenant,
  OperationRefused,
  Tenants,
  type OperationRefusal,
  type Operator,
  type Quotas,
  type Store,
  type TenantListing,
} from '#store';
import { ownerKey } from '../../bootstrap.js';
import type { Standing } from '../changes.js';
import { demandFreshSignIn } from '../step-up.js';
import type { MadeTenantBody, NewTenantBody, OwnerKeyBody, QuotasBody } from './wire.js';

/** What a new tenant may have, where nobody says otherwise: far more than a company with a hundred servers needs. */
const DEFAULT_QUOTAS: Quotas = {
  documents: 20_000,
  documentBytes: 256 * 1024 * 1024,
  historyBytes: 4 * 1024 ** 3,
  credentials: 2000,
  persons: 100_000,
  decisionsPerSecond: 2000,
};

/** Attempts at what others keep coming before. */
const ATTEMPTS = 8;

/** What an operator does to tenants. Whoever is none is refused the same, whatever there is. */
@Injectable()
export class TenantsService {
  readonly #tenants: Tenants;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly standing: Standing,
    private readonly check: KeyCheck,
    private readonly home: string,
  ) {
    this.#tenants = new Tenants(store);
  }

  /** Makes a tenant with a key for its first owner; the text of the key is in the answer and nowhere else. */
  async create(principal: AdministratorPrincipal, body: NewTenantBody): Promise<MadeTenantBody> {
    await this.#demandFreshSignIn(principal);
    const { name, title = null, quotas = {} } = body;
    const { text, key } = generateApiKey(this.check.environment);
    const tenant = { id: randomUUID(), name, title, quotas: withQuotas(DEFAULT_QUOTAS, quotas) };
    await this.#as(principal, (by) => this.#tenants.create(by, tenant, [ownerKey(key, this.check, ['owner'])]), name);
    return { id: tenant.id, name, owner_key: { id: key.id, key: text } };
  }

  /** Tenants by name, one more than `limit` if there is more. */
  async list(principal: AdministratorPrincipal, after: string | undefined, limit: number): Promise<TenantListing[]> {
    return this.#as(principal, (by) => this.#tenants.list(by, after, limit));
  }

  async get(principal: AdministratorPrincipal, name: string): Promise<TenantListing> {
    const found = await this.#as(principal, (by) => this.#tenants.find(by, name));
    if (!found) throw noTenant(name);
    return found;
  }

  /** When this returns, nothing that is asked for in the tenant afterwards is allowed, on any replica. */
  async suspend(principal: AdministratorPrincipal, name: string, reason: string | undefined): Promise<number> {
    return this.#follow(name, await this.#as(principal, (by) => this.#tenants.suspend(by, name, reason ?? null), name));
  }

  async resume(principal: AdministratorPrincipal, name: string): Promise<number> {
    await this.#demandFreshSignIn(principal);
    return this.#follow(name, await this.#as(principal, (by) => this.#tenants.resume(by, name), name));
  }

  /**
   * Makes a further key of an owner, for a tenant that has lost its own; its text is in the answer and nowhere else. The tenant
   * sees in its history, and in its ledger, that this was done and why.
   */
  async makeOwnerKey(principal: AdministratorPrincipal, name: string, reason: string): Promise<OwnerKeyBody> {
    await this.#demandFreshSignIn(principal);
    const { environment, pepper } = this.check;
    const { text, key } = generateApiKey(environment);
    const made = { id: key.id, environment, mac: macOf(key, pepper).toString('hex') };
    const since = await this.#as(principal, (by) => this.#tenants.makeOwnerKey(by, name, made, reason), name);
    return { id: key.id, key: text, revision: await this.#follow(name, since) };
  }

  /** Changes what a tenant may have; what is left out stays as it is. */
  async setQuotas(principal: AdministratorPrincipal, name: string, quotas: QuotasBody): Promise<number> {
    await this.#demandFreshSignIn(principal);
    const { quotas: present } = await this.get(principal, name);
    const next = withQuotas(present, quotas);
    return this.#follow(name, await this.#as(principal, (by) => this.#tenants.setQuotas(by, name, next), name));
  }

  /** Everything of a tenant, line by line. What it throws later leaves a file without its last line. */
  async export(principal: AdministratorPrincipal, name: string): Promise<AsyncGenerator<string>> {
    await this.#demandFreshSignIn(principal);
    const begin = async (by: Operator) => {
      const lines = exportTenant(this.store, by, name);
      return begun(await lines.next(), lines);
    };
    return this.#as(principal, begin, name);
  }

  /** Deletes a suspended tenant of which there is an export. */
  async delete(principal: AdministratorPrincipal, name: string, digest: string | undefined): Promise<void> {
    await this.#demandFreshSignIn(principal);
    const { id } = await this.get(principal, name);
    if (digest === undefined)
      throw new Refusal('precondition_required', 'export: export the tenant first, and name the SHA-256 of the export');
    await this.#as(principal, (by) => this.#tenants.delete(by, name, digest), name);
    this.snapshots.gone(id);
  }

  /** Brings this replica up to what was done, if it has the tenant in memory. */
  async #follow(name: string, revision: number): Promise<number> {
    const id = await this.store.tenantNamed(name);
    if (id !== undefined && this.snapshots.held(id)) await this.snapshots.refresh(id, revision);
    return revision;
  }

  /** Whoever makes a tenant gets the key of its owner. Only to look, and to suspend, takes no fresh sign-in. */
  async #demandFreshSignIn(principal: AdministratorPrincipal): Promise<void> {
    const { policies } = await this.snapshots.of(principal.tenant);
    await demandFreshSignIn(this.store, policies, principal);
  }

  async #as<T>(principal: AdministratorPrincipal, work: (by: Operator) => Promise<T>, name = ''): Promise<T> {
    let standing = principal;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(operatorOf(standing, this.home));
      } catch (error) {
        if (!(error instanceof OperationRefused)) throw error;
        if (error.why !== 'rights' || attempt === ATTEMPTS) throw refusalOf(error.why, name);
        standing = await this.standing.again(standing);
      }
    }
  }
}

/** Throws Refusal for whoever is of another tenant, though the route has looked already. */
function operatorOf(principal: AdministratorPrincipal, home: string): Operator {
  if (principal.tenant !== home) throw new Refusal('forbidden', 'tenants are managed from the home tenant');
  return { principal: principalName(principal), proof: principal.proof };
}

/** Lines of which one has been taken already. */
async function* begun(first: IteratorResult<string, void>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

const withQuotas = (present: Quotas, given: QuotasBody): Quotas => ({
  documents: given.documents === undefined ? present.documents : given.documents,
  documentBytes: given.document_bytes === undefined ? present.documentBytes : given.document_bytes,
  historyBytes: given.history_bytes === undefined ? present.historyBytes : given.history_bytes,
  credentials: given.credentials === undefined ? present.credentials : given.credentials,
  persons: given.persons === undefined ? present.persons : given.persons,
  decisionsPerSecond:
    given.decisions_per_second === undefined ? present.decisionsPerSecond : given.decisions_per_second,
});

const noTenant = (name: string): Refusal => new Refusal('not_found', `there is no tenant '${name}'`);

function refusalOf(why: OperationRefusal, name: string): Refusal {
  switch (why) {
    case 'principal':
      return new Refusal('forbidden', 'the credential was disabled or expired meanwhile');
    case 'rights':
      return new Refusal('too_many_changes', 'others keep changing what the rights of the caller rest on: try again');
    case 'missing':
      return noTenant(name);
    case 'taken':
      return new Refusal('already_exists', `there is, or was, a tenant '${name}': a name is never given again`);
    case 'home':
      return new Refusal(
        'invalid_request',
        `the tenant '${name}' is the home of the operators: it stays as it is; an owner that is lost there comes back by PLACET_BOOTSTRAP_KEY`,
      );
    case 'not_suspended':
      return new Refusal('precondition_required', `the tenant '${name}' is not suspended`);
    case 'not_exported':
      return new Refusal(
        'version_mismatch',
        `that is not the last export of the tenant '${name}', or the tenant has changed since: export it again`,
      );
  }
}
