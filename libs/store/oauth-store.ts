import type { Store } from './store.js';

/** What the authorization server keeps, as it is stored. Times in ms since 1970. */
export interface StoredOAuthState {
  readonly model: string;
  readonly id: string;
  readonly sealed: Buffer;
  readonly client: string | null;
  readonly account: string | null;
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly consumedAt: number | null;
}

/** What is to be kept: ids and codes as digests, the content encrypted. */
export interface NewOAuthState {
  readonly model: string;
  readonly id: string;
  readonly sealed: Buffer;
  readonly grant: string | null;
  readonly userCode: string | null;
  readonly client: string | null;
  readonly account: string | null;
  /** ISO 8601. */
  readonly expiresAt: string | null;
}

/** Models whose ids are access tokens. */
const TOKENS = ['AccessToken', 'ClientCredentials'];

const STATE = `
  select s.model, s.id, s.sealed, s.client, s.account, (extract(epoch from s.issued_at) * 1000)::float8 as "issuedAt",
    (extract(epoch from s.expires_at) * 1000)::float8 as "expiresAt",
    (extract(epoch from s.consumed_at) * 1000)::float8 as "consumedAt"
  from placet.oauth_state s where s.tenant = $1`;

/** The rows of the authorization server. Nothing is read that has expired, but device codes, whose holders are told so. */
export class OAuthStore {
  constructor(private readonly store: Store) {}

  async find(tenant: string, model: string, id: string): Promise<StoredOAuthState | undefined> {
    return (await this.#read(tenant, 's.model = $2 and s.id = $3', [model, id]))[0];
  }

  async findByUserCode(tenant: string, code: string): Promise<StoredOAuthState | undefined> {
    return (await this.#read(tenant, `s.model = 'DeviceCode' and s.user_code = $2`, [code]))[0];
  }

  /** An access token of either model. */
  async findToken(tenant: string, id: string): Promise<StoredOAuthState | undefined> {
    return (await this.#read(tenant, 's.model = any ($2) and s.id = $3', [TOKENS, id]))[0];
  }

  /** The access tokens of a grant. */
  async tokensOf(tenant: string, grant: string): Promise<StoredOAuthState[]> {
    return this.#read(tenant, 's.model = any ($2) and s.grant_id = $3', [TOKENS, grant]);
  }

  /** The tenant that an access token belongs to. Who asks has not proven anything yet: nothing else is told. */
  async tenantOfToken(id: string): Promise<string | undefined> {
    const [row] = await this.store.call<{ tenant: string | null }>('select placet.tenant_of_token($1) as tenant', [id]);
    return row?.tenant ?? undefined;
  }

  /**
   * Keeps something; false where the grant that it comes from is gone. With `onlyNew`, false as well where it is there
   * already: of several that try, one gets true.
   */
  async put(tenant: string, state: NewOAuthState, onlyNew = false): Promise<boolean> {
    const { userCode, expiresAt, sealed, ...rest } = state;
    const columns = { ...rest, user_code: userCode, expires_at: expiresAt, sealed: sealed.toString('hex') };
    return this.#done('select placet.put_oauth_state($1, $2, $3) as done', [tenant, JSON.stringify(columns), onlyNew]);
  }

  /** Takes something as used. Of several that try, one gets true. */
  async consume(tenant: string, model: string, id: string): Promise<boolean> {
    return this.#done('select placet.consume_oauth_state($1, $2, $3) as done', [tenant, model, id]);
  }

  /** Takes a user code away from its device code: it is being answered. Of several that try, one gets true. */
  async claimUserCode(tenant: string, code: string): Promise<boolean> {
    return this.#done('select placet.claim_user_code($1, $2) as done', [tenant, code]);
  }

  /** Deletes one thing. Not for access tokens: to end those is a change. */
  async remove(tenant: string, model: string, id: string): Promise<void> {
    await this.store.call('select placet.end_oauth_state($1, $2, $3, null)', [tenant, model, id]);
  }

  /** Deletes what there is of a model for a grant. Not for access tokens: to end those is a change. */
  async removeOfGrant(tenant: string, model: string, grant: string): Promise<void> {
    await this.store.call('select placet.end_oauth_state($1, $2, null, $3)', [tenant, model, grant]);
  }

  async #done(statement: string, values: readonly unknown[]): Promise<boolean> {
    const [row] = await this.store.call<{ done: boolean }>(statement, values);
    return row!.done;
  }

  async #read(tenant: string, where: string, values: readonly unknown[]): Promise<StoredOAuthState[]> {
    const statement = `${STATE} and (s.expires_at > clock_timestamp() or s.expires_at is null or s.model = 'DeviceCode') and ${where}`;
    return this.store.read(tenant, (view) => view.query<StoredOAuthState[]>(statement, [tenant, ...values]));
  }
}
