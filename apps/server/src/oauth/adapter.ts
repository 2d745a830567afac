import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import { derivedKey, digestOf, seal, unseal, type KeyCheck } from '#identity';
import type { OAuthStore, StoredOAuthState } from '#store';

/** What an adapter keeps things in. */
export interface AdapterParts {
  readonly tenant: string;
  readonly state: OAuthStore;
  readonly pepper: Buffer;
  /** The database's clock, in ms since 1970. */
  readonly now: () => number;
  /** Whether what has proven the client of the present request would still prove it. */
  readonly stillProven: () => Promise<boolean>;
  /** Ends access tokens on every replica. */
  readonly endTokens: (tenant: string, tokens: readonly StoredOAuthState[]) => Promise<void>;
}

/** Models whose instances are access tokens. */
const TOKENS = ['AccessToken', 'ClientCredentials'];

/** What all of the authorization servers is hidden under. What one environment has issued, another does not know. */
export const oauthPepper = ({ pepper, environment }: KeyCheck): Buffer => derivedKey(pepper, 'oauth', environment);

/** The digest of a token, code or id under which the database knows it. */
export const oauthDigest = (pepper: Buffer, value: string): string => digestOf(pepper, 'oauth', value);

/** The digest of a user code, which is typed. */
export const userCodeDigest = (pepper: Buffer, code: string): string => digestOf(pepper, 'oauth user code', code);

/** What is in a row. Throws SealError. */
export function contentOf(pepper: Buffer, tenant: string, { model, id, sealed }: StoredOAuthState): AdapterPayload {
  return JSON.parse(unseal(pepper, [tenant, model, id], sealed)) as AdapterPayload;
}

/** Keeps one model of the authorization server in Postgres: ids as digests, contents encrypted. */
export class PostgresAdapter implements Adapter {
  constructor(
    private readonly model: string,
    private readonly parts: AdapterParts,
  ) {}

  /**
   * INVARIANT: an assertion that is shown twice is refused, also where both are shown at the same moment; and nothing is
   * kept of a grant that was ended meanwhile. A client's token is kept before its proof is looked at again: what replaces
   * its secret or keys and ends its tokens is seen here, or finds the token there to be ended.
   */
  async upsert(value: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { tenant, state, pepper, now } = this.parts;
    const id = this.#digest(value);
    const onlyNew = this.model === 'ReplayDetection';
    const isAnswered = payload.accountId !== undefined || payload.error !== undefined;
    const kept = await state.put(
      tenant,
      {
        model: this.model,
        id,
        sealed: seal(pepper, [tenant, this.model, id], JSON.stringify(payload)),
        grant: payload.grantId === undefined ? null : this.#digest(payload.grantId),
        userCode: payload.userCode === undefined || isAnswered ? null : userCodeDigest(pepper, payload.userCode),
        client: payload.clientId ?? null,
        account: payload.accountId ?? null,
        expiresAt: expiresIn === undefined ? null : new Date(now() + expiresIn * 1000).toISOString(),
      },
      onlyNew,
    );
    if (kept && (this.model !== 'ClientCredentials' || (await this.parts.stillProven()))) return;
    if (kept) {
      await state.remove(tenant, this.model, id);
      throw new errors.InvalidClientAuth('its secret or keys were replaced meanwhile');
    }
    if (onlyNew) throw new errors.InvalidClientAuth('the assertion was used before');
    throw new errors.InvalidGrant('the grant was ended meanwhile');
  }

  async find(value: string): Promise<AdapterPayload | undefined> {
    return this.#content(await this.parts.state.find(this.parts.tenant, this.model, this.#digest(value)));
  }

  async findByUserCode(code: string): Promise<AdapterPayload | undefined> {
    const { tenant, state, pepper } = this.parts;
    return this.#content(await state.findByUserCode(tenant, userCodeDigest(pepper, code)));
  }

  /** There are no sessions of the authorization server: people sign in to the service. */
  async findByUid(): Promise<undefined> {
    return undefined;
  }

  /** INVARIANT: what is used once is used once, also where two try at the same moment. */
  async consume(value: string): Promise<void> {
    const { tenant, state } = this.parts;
    if (await state.consume(tenant, this.model, this.#digest(value))) return;
    throw new errors.InvalidGrant('it was used before');
  }

  async destroy(value: string): Promise<void> {
    const { tenant, state, endTokens } = this.parts;
    const id = this.#digest(value);
    if (!TOKENS.includes(this.model)) return state.remove(tenant, this.model, id);
    const token = await state.find(tenant, this.model, id);
    if (token) await endTokens(tenant, [token]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const { tenant, state, endTokens } = this.parts;
    const grant = this.#digest(grantId);
    if (!TOKENS.includes(this.model)) return state.removeOfGrant(tenant, this.model, grant);
    const tokens = await state.tokensOf(tenant, grant);
    if (tokens.length > 0) await endTokens(tenant, tokens);
  }

  #digest(value: string): string {
    return oauthDigest(this.parts.pepper, value);
  }

  #content(row: StoredOAuthState | undefined): AdapterPayload | undefined {
    if (!row) return undefined;
    const content = contentOf(this.parts.pepper, this.parts.tenant, row);
    return row.consumedAt === null ? content : { ...content, consumed: Math.floor(row.consumedAt / 1000) };
  }
}
