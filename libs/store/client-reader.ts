import type { Store, TenantView } from './store.js';

/** An OAuth client, or a workload that an identity provider vouches for, as lists show it. Times in ISO 8601. */
export interface ClientListing {
  readonly id: string;
  readonly kind: 'client' | 'federated';
  readonly principal: string;
  readonly environment: string;
  readonly rights: object;
  /** From where it may be used; null: from anywhere. */
  readonly cidrs: readonly string[] | null;
  /** Its public keys, as a JWK set; null: it has a secret, or an identity provider vouches for it. */
  readonly jwks: object | null;
  /** Of a workload: the Issuer that vouches for it, and whom its tokens are about. */
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly disabledAt: string | null;
  /** When each of its secrets ends, oldest first; null: with the client. */
  readonly secrets: readonly { readonly expiresAt: string | null }[];
}

const LISTING = `
  select c.id, c.kind, c.principal, c.environment, c.rights, c.cidrs, c.jwks, c.issuer, c.subject,
    c.created_by as "createdBy", c.created_at as "createdAt", c.expires_at as "expiresAt", c.disabled_at as "disabledAt",
    array(select s.expires_at from placet.credential_secret s
      where s.tenant = c.tenant and s.credential = c.id order by s.number) as secrets
  from placet.credential c where c.tenant = $1 and c.kind in ('client', 'federated')`;

interface Row extends Omit<ClientListing, 'createdAt' | 'expiresAt' | 'disabledAt' | 'secrets'> {
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly disabledAt: Date | null;
  readonly secrets: readonly (Date | null)[];
}

/** Reads OAuth clients as they are in the database at this moment. */
export class ClientReader {
  constructor(private readonly store: Store) {}

  async find(tenant: string, id: string): Promise<ClientListing | undefined> {
    return (await this.#read(tenant, `${LISTING} and c.id = $2`, [id]))[0];
  }

  /** Clients by id, of one host if it is given, one more than `limit` if there is more. */
  async list(
    tenant: string,
    host: string | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<ClientListing[]> {
    const where = 'and ($2::text is null or c.principal = $2) and ($3::text is null or c.id > $3)';
    return this.#read(tenant, `${LISTING} ${where} order by c.id limit $4`, [host ?? null, after ?? null, limit + 1]);
  }

  /** Ids of live workloads that an Issuer vouches for by one of some names. */
  async federated(tenant: string, issuer: string, subjects: readonly string[]): Promise<string[]> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<{ id: string }[]>(
        `select c.id from placet.credential c
         where c.tenant = $1 and c.kind = 'federated' and c.issuer = $2 and c.subject = any ($3) and c.disabled_at is null`,
        [tenant, issuer, subjects],
      ),
    );
    return rows.map(({ id }) => id);
  }

  async #read(tenant: string, statement: string, values: readonly unknown[]): Promise<ClientListing[]> {
    const rows = await this.store.read(tenant, (view: TenantView) => view.query<Row[]>(statement, [tenant, ...values]));
    return rows.map(({ createdAt, expiresAt, disabledAt, secrets, ...row }) => ({
      ...row,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt?.toISOString() ?? null,
      disabledAt: disabledAt?.toISOString() ?? null,
      secrets: secrets.map((end) => ({ expiresAt: end?.toISOString() ?? null })),
    }));
  }
}
