import { randomBytes } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import { macOf, mayBeUsedFrom, parseApiKey, sameMac, type KeyCheck, type RefusedCredential } from '#identity';
import { loadCredential, type Store, type StoredCredential } from '#store';
import { DEVICE_CODE_GRANT, JWT_BEARER_GRANT } from './endpoints.js';

/** The command line, which people sign in with: everybody can call themselves so, and it proves nothing. */
export const COMMAND_LINE = 'placet-cli';

export const COMMAND_LINE_CLIENT: ClientMetadata = {
  client_id: COMMAND_LINE,
  client_name: 'Placet command line',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [DEVICE_CODE_GRANT, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  scope: 'administer offline_access',
};

/** The library wants a secret for clients that have one. It compares with none of it: `secretMatches` does. */
const UNUSABLE_SECRET = randomBytes(32).toString('hex');

/** Takes note of a client that is refused, of why, and from where it came. */
export type NoteRefused = (about: RefusedCredential & { readonly tenant: string }, address: string) => void;

/** A client, as the authorization server wants to know of it. */
export function metadataOf(stored: StoredCredential): ClientMetadata {
  const isFederated = stored.kind === 'federated';
  return {
    client_id: stored.id,
    client_name: stored.principal,
    grant_types: [isFederated ? JWT_BEARER_GRANT : 'client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: 'decide',
    ...(isFederated ? { token_endpoint_auth_method: 'none' } : authenticationOf(stored)),
  };
}

/** OAuth clients, by what the database says at this moment. */
export class OAuthClients {
  constructor(
    private readonly store: Store,
    private readonly check: KeyCheck,
    private readonly noteRefused: NoteRefused,
  ) {}

  /** A client or workload of this environment that is neither disabled nor expired. */
  async live(tenant: string, id: string): Promise<StoredCredential | undefined> {
    const { credential } = await loadCredential(this.store, tenant, id);
    if (!credential || credential.kind === 'api_key' || credential.principalKind !== 'host') return undefined;
    if (credential.disabled || credential.environment !== this.check.environment) return undefined;
    const isOver = credential.expiresAt !== null && !(credential.expiresAt > this.store.clock.now());
    return isOver ? undefined : credential;
  }

  /**
   * Whether a text is one of a client's live secrets, and is shown from where the client may be used.
   * @param address normalised
   */
  async secretMatches(tenant: string, id: string, text: string, address: string): Promise<boolean> {
    const stored = await this.live(tenant, id);
    if (stored?.kind !== 'client' || stored.jwks !== null) return false;
    if (this.#isSecretOf(stored, text)) return this.mayComeFrom(tenant, stored, address);
    this.noteRefused({ tenant, credential: id, reason: 'wrong_secret' }, address);
    return false;
  }

  #isSecretOf({ id, secrets }: StoredCredential, text: string): boolean {
    const key = parseApiKey(text);
    if (key?.id !== id || key.environment !== this.check.environment) return false;
    const mac = macOf(key, this.check.pepper);
    const now = this.store.clock.now();
    return secrets.some((secret) => sameMac(secret.mac, mac) && (secret.expiresAt ?? Infinity) > now);
  }

  /**
   * Whether a client that has proven itself may be used from an address; takes note where it may not.
   * @param address normalised
   */
  mayComeFrom(tenant: string, stored: StoredCredential, address: string): boolean {
    if (mayBeUsedFrom(stored, address)) return true;
    this.noteRefused({ tenant, credential: stored.id, reason: 'outside_network' }, address);
    return false;
  }

  /** Whether a client proves itself by the same keys still as when it was read. */
  async hasKeysOf(tenant: string, { id, jwks }: StoredCredential): Promise<boolean> {
    const now = await this.live(tenant, id);
    return now !== undefined && JSON.stringify(now.jwks) === JSON.stringify(jwks);
  }
}

const authenticationOf = ({ jwks }: StoredCredential): Partial<ClientMetadata> =>
  jwks === null
    ? { token_endpoint_auth_method: 'client_secret_basic', client_secret: UNUSABLE_SECRET }
    : { token_endpoint_auth_method: 'private_key_jwt', jwks: jwks as NonNullable<ClientMetadata['jwks']> };
