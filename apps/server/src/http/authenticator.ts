import type { IncomingMessage } from 'node:http';
import { Refusal, tenantSuspended } from '#http';
import {
  abilityOf,
  administratorAgain,
  connectorOf,
  isSameAbility,
  isToken,
  principalOf,
  UnauthenticatedError,
  type AdministratorPrincipal,
  type ConnectorPrincipal,
  type Principal,
} from '#identity';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import { loadCredential, type Store } from '#store';
import type { LastUses } from './last-uses.js';
import type { SessionAuthenticator } from '../sign-in/session-authenticator.js';
import type { Gate } from './gate.js';
import type { TokenPrincipals } from './token-principals.js';

/** Finds out who calls the administration API, by what the database says at this moment and not by a snapshot. */
export class Authenticator {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly gate: Gate,
    private readonly uses: LastUses,
    private readonly tokens: TokenPrincipals,
    private readonly sessions: SessionAuthenticator,
  ) {}

  /**
   * Throws UnauthenticatedError, and Refusal for whoever failed too often. What is said in an Authorization header counts,
   * and beside it no cookie.
   * @param address of the client, normalised
   */
  async principalOf(request: IncomingMessage, address: string): Promise<Principal> {
    const { authorization } = request.headers;
    const person = authorization === undefined ? await this.sessions.principalOf(request, address) : undefined;
    if (person) return person;
    try {
      return await this.#principalOf(authorization, address);
    } catch (error) {
      throw this.gate.told(error, address);
    }
  }

  async #principalOf(authorization: string | undefined, address: string): Promise<Principal> {
    const { tenant, key } = await this.gate.callerOf(authorization, address);
    if (isToken(key)) return this.tokens.principalOf(tenant, key, address);
    const { credential, numbers } = await loadCredential(this.store, tenant, key.id);
    const proven = principalOf(tenant, credential, key, this.store.clock.now(), numbers.epoch, address);
    this.uses.used(tenant, key.id);
    const { policies } = await this.#goodState(tenant, numbers.revision);
    return proven.kind === 'host' ? proven : { ...proven, ability: abilityOf(proven.roles, policies.documents) };
  }

  /**
   * The connector that calls. Throws as `principalOf`, and Refusal where the Issuer's document does not let it provision.
   * @param address of the client, normalised
   */
  async connectorOf(request: IncomingMessage, address: string): Promise<ConnectorPrincipal> {
    try {
      const { tenant, key } = await this.gate.callerOf(request.headers.authorization, address);
      if (isToken(key)) throw new UnauthenticatedError('credentials_invalid', 'not the token of a connector');
      const { credential, numbers } = await loadCredential(this.store, tenant, key.id);
      const connector = connectorOf(tenant, credential, key, this.store.clock.now(), address);
      this.uses.used(tenant, key.id);
      const { policies } = await this.#goodState(tenant, numbers.revision);
      const issuer = policies.documents.find('Issuer', connector.issuer)?.document;
      if (issuer?.provisioning) return connector;
      throw new Refusal('forbidden', `the Issuer '${connector.issuer}' does not say provisioning: {scim: true}`);
    } catch (error) {
      throw this.gate.told(error, address);
    }
  }

  /**
   * Looks an administrator up anew, whose rights may have changed since. Throws UnauthenticatedError if it is none any
   * more, and Refusal if its rights are not the same.
   */
  async again(before: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    if (before.via === 'session') return this.sessions.again(before);
    const after = before.via === 'token' ? await this.tokens.again(before) : await this.#keyAgain(before);
    if (isSameAbility(after.ability, before.ability)) return after;
    throw new Refusal('forbidden', 'the rights of the caller were changed while the change was being made');
  }

  async #keyAgain(before: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const { tenant } = before;
    const { credential, numbers } = await loadCredential(this.store, tenant, before.credential);
    const proven = administratorAgain(before, credential, this.store.clock.now(), numbers.epoch);
    const { policies } = await this.#goodState(tenant, numbers.revision);
    return { ...proven, ability: abilityOf(proven.roles, policies.documents) };
  }

  /**
   * The tenant's state, not older than what the caller has proven itself with. Whose credential is good is told that the
   * tenant is suspended, and nobody else.
   */
  async #goodState(tenant: string, revision: number): Promise<TenantSnapshot> {
    await this.snapshots.refresh(tenant, revision);
    const snapshot = await this.snapshots.of(tenant);
    if (snapshot.suspended) throw tenantSuspended();
    return snapshot;
  }
}
