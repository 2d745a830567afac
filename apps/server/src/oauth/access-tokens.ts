import type { AccessToken } from '#identity';
import { OAuthStore, type Store, type StoredOAuthState } from '#store';
import type { Changes } from '../admin/changes.js';
import type { KnownToken } from '../http/token-reader.js';
import { contentOf, oauthDigest } from './adapter.js';

/** Access tokens, as they are shown with calls. */
export class AccessTokens {
  readonly #state: OAuthStore;

  constructor(
    store: Store,
    private readonly pepper: Buffer,
  ) {
    this.#state = new OAuthStore(store);
  }

  /** A token by its value; undefined if there is none, or not any more. Throws SealError if its row was tampered with. */
  async find(value: string): Promise<KnownToken | undefined> {
    const id = oauthDigest(this.pepper, value);
    const tenant = await this.#state.tenantOfToken(id);
    const row = tenant === undefined ? undefined : await this.#state.findToken(tenant, id);
    const token = row && this.#tokenOf(tenant!, row);
    return token && { tenant: tenant!, key: { id: token.client, token } };
  }

  /** A token by its id, as it is in the database at this moment. */
  async named(tenant: string, id: string): Promise<AccessToken | undefined> {
    const row = await this.#state.findToken(tenant, id);
    return row && this.#tokenOf(tenant, row);
  }

  #tokenOf(tenant: string, row: StoredOAuthState): AccessToken | undefined {
    const content = contentOf(this.pepper, tenant, row);
    // What somebody wrote into the columns beside is not believed: only what is sealed.
    if (content.kind !== row.model || typeof content.clientId !== 'string' || row.expiresAt === null) return undefined;
    const isOfPerson = row.model === 'AccessToken';
    if (isOfPerson && typeof content.accountId !== 'string') return undefined;
    return {
      id: row.id,
      client: content.clientId,
      person: isOfPerson ? content.accountId! : null,
      scopes: typeof content.scope === 'string' ? content.scope.split(' ') : [],
      issuedAt: row.issuedAt,
      expiresAt: Math.min(row.expiresAt, (content.exp ?? 0) * 1000),
    };
  }
}

/**
 * Ends access tokens: when this returns, no decision that is asked for with one of them afterwards is an allow, on any
 * replica.
 */
export async function endTokens(changes: Changes, tenant: string, tokens: readonly StoredOAuthState[]): Promise<void> {
  await changes.make({ kind: 'service', tenant, name: 'oauth' }, async () => ({
    keys: tokens.map(({ id }) => `token:${id}` as const),
    operations: tokens.flatMap(({ id, expiresAt }) => [
      { op: 'deny' as const, key: `token:${id}`, expiresAt: new Date(expiresAt ?? 0).toISOString() },
      { op: 'end_tokens' as const, token: id },
    ]),
  }));
}
