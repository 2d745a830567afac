import type { Store } from './store.js';

/** A token of a connector (SCIM) as lists show it: everything but its secrets. Times as in ISO 8601. */
export interface ConnectorTokenListing {
  readonly id: string;
  /** The name of the Issuer that it provisions. */
  readonly issuer: string;
  readonly environment: string;
  /** From where it may be used; null: from anywhere. */
  readonly cidrs: readonly string[] | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly disabledAt: string | null;
  /** To within some minutes; null: never. */
  readonly lastUsedAt: string | null;
  /** When each of its secrets ends, oldest first; null: with the token. */
  readonly secrets: readonly { readonly expiresAt: string | null }[];
}

const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const LISTING = `
  select c.id, c.issuer, c.environment, c.cidrs, c.created_by as "createdBy", ${time('c.created_at')} as "createdAt",
    ${time('c.expires_at')} as "expiresAt", ${time('c.disabled_at')} as "disabledAt",
    (select ${time('u.last_used_at')} from placet.credential_use u where u.tenant = c.tenant and u.credential = c.id) as "lastUsedAt",
    (select coalesce(json_agg(json_build_object('expiresAt', ${time('s.expires_at')}) order by s.number), '[]')
      from placet.credential_secret s where s.tenant = c.tenant and s.credential = c.id) as secrets
  from placet.credential c where c.tenant = $1 and c.kind = 'scim'`;

/** Reads tokens of connectors as they are in the database at this moment. */
export class ConnectorTokenReader {
  constructor(private readonly store: Store) {}

  async find(tenant: string, id: string): Promise<ConnectorTokenListing | undefined> {
    return (await this.#read(tenant, `${LISTING} and c.id = $2`, [id]))[0];
  }

  /** Tokens by id, one more than `limit` if there is more. */
  async list(tenant: string, after: string | undefined, limit: number): Promise<ConnectorTokenListing[]> {
    return this.#read(tenant, `${LISTING} and ($2::text is null or c.id > $2) order by c.id limit $3`, [
      after ?? null,
      limit + 1,
    ]);
  }

  #read(tenant: string, statement: string, values: readonly unknown[]): Promise<ConnectorTokenListing[]> {
    return this.store.read(tenant, (view) => view.query<ConnectorTokenListing[]>(statement, [tenant, ...values]));
  }
}
