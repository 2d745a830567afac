import {
  checkTokenScope,
  checkStands,
  principalAt,
  UnauthenticatedError,
  type AccessToken,
  type AdministratorPrincipal,
  type PresentedToken,
  type Principal,
} from '#identity';
import { tenantSuspended } from '#http';
import type { Snapshots } from '#snapshot';
import { loadCredential, type RightsProof, type Store } from '#store';

/** A person who has proven who they are, and by what. */
interface ProvenPerson {
  readonly tenant: string;
  /** The subject that they are, as in `user:entra/3f2c`. */
  readonly person: string;
  readonly via: 'token';
  /** The id of the token. */
  readonly credential: string;
  /** ms since 1970. */
  readonly validUntil: number;
  /** From where they call, normalised. */
  readonly address: string;
  /** What this proof rests on, and at which epoch it was looked at. */
  readonly proof: RightsProof;
}

/** Says what a person may do as an administrator. Throws UnauthenticatedError, and Refusal where they are none. */
export type PersonalRights = (proven: ProvenPerson) => Promise<AdministratorPrincipal>;

/** Finds out who calls with an access token, by what the database says at this moment. */
export class TokenPrincipals {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly tokenNamed: (tenant: string, id: string) => Promise<AccessToken | undefined>,
    private readonly rights: PersonalRights,
  ) {}

  /** Throws UnauthenticatedError, ScopeError, and Refusal where a person is no administrator. */
  async principalOf(tenant: string, presented: PresentedToken, address: string): Promise<Principal> {
    const { token } = presented;
    const { numbers } = await loadCredential(this.store, tenant, presented.id);
    await this.snapshots.refresh(tenant, numbers.revision);
    const snapshot = await this.snapshots.of(tenant);
    if (snapshot.suspended) throw tenantSuspended();
    const now = this.store.clock.now();
    checkStands(snapshot, token, now);
    if (!(await this.tokenNamed(tenant, token.id))) throw new UnauthenticatedError('credentials_invalid', 'revoked');
    if (token.person !== null) return this.#administrator(tenant, token, token.person, numbers.epoch, address);
    const principal = principalAt(snapshot, presented, now, address);
    if (principal.kind === 'host') return principal;
    throw new UnauthenticatedError('credentials_invalid', 'not the token of a host');
  }

  /** Looks an administrator up anew. Throws what `principalOf` throws. */
  async again({ tenant, credential, address }: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const token = await this.tokenNamed(tenant, credential);
    const after = token && (await this.principalOf(tenant, { id: token.client, token }, address));
    if (after?.kind === 'administrator') return after;
    throw new UnauthenticatedError('credentials_invalid', 'revoked');
  }

  async #administrator(
    tenant: string,
    token: AccessToken,
    person: string,
    epoch: number,
    address: string,
  ): Promise<Principal> {
    checkTokenScope(token, 'administer');
    return this.rights({
      tenant,
      person,
      via: 'token',
      credential: token.id,
      validUntil: token.expiresAt,
      address,
      proof: {
        epoch,
        keys: ['administration', `token:${token.id}`, `subject:${person}`],
      },
    });
  }
}
