import { MoreThan } from 'typeorm';
import { CredentialUseEntity } from './entities/credential-use.entity.js';
import { CredentialEntity } from './entities/credential.entity.js';
import { CredentialSecretEntity } from './entities/credential-secret.entity.js';
import type { Store, TenantView } from './store.js';

/** A key as lists show it: everything but its secrets. */
export interface CredentialListing {
  readonly id: string;
  readonly principalKind: 'host' | 'administrator';
  readonly principal: string;
  readonly environment: string;
  readonly rights: object;
  /** From where it may be used; null: from anywhere. */
  readonly cidrs: readonly string[] | null;
  readonly createdBy: string;
  /** Of an administrator's: the person with whom it ends, who made it or rotated it last; null: nobody knows. */
  readonly person: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly disabledAt: string | null;
  /** To within some minutes; null: never. */
  readonly lastUsedAt: string | null;
  /** When each of its secrets ends, oldest first; null: with the key. */
  readonly secrets: readonly { readonly expiresAt: string | null }[];
}

/** Reads API keys as they are in the database at this moment. */
export class CredentialReader {
  constructor(private readonly store: Store) {}

  async find(tenant: string, id: string): Promise<CredentialListing | undefined> {
    return this.store.read(tenant, async (view) => {
      const found = await view.getRepository(CredentialEntity).findOneBy({ tenant, id, kind: 'api_key' });
      return found ? (await listings(view, tenant, [found]))[0] : undefined;
    });
  }

  /** Keys by id, of one host if it is given, one more than `limit` if there is more. */
  async list(
    tenant: string,
    host: string | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<CredentialListing[]> {
    const ofHost = host === undefined ? {} : { principalKind: 'host' as const, principal: host };
    const behind = after === undefined ? {} : { id: MoreThan(after) };
    return this.store.read(tenant, async (view) => {
      const where = { tenant, kind: 'api_key' as const, ...ofHost, ...behind };
      const found = await view.getRepository(CredentialEntity).find({ where, order: { id: 'ASC' }, take: limit + 1 });
      return listings(view, tenant, found);
    });
  }
}

async function listings(
  view: TenantView,
  tenant: string,
  credentials: readonly CredentialEntity[],
): Promise<CredentialListing[]> {
  if (credentials.length === 0) return [];
  const of = credentials.map(({ id }) => ({ tenant, credential: id }));
  const secrets = await view.getRepository(CredentialSecretEntity).find({ where: of, order: { number: 'ASC' } });
  const uses = await view.getRepository(CredentialUseEntity).find({ where: of });
  const lastUsed = new Map(uses.map(({ credential, lastUsedAt }) => [credential, lastUsedAt.toISOString()]));
  return credentials.map((credential) => ({
    id: credential.id,
    principalKind: credential.principalKind,
    principal: credential.principal,
    environment: credential.environment,
    rights: credential.rights,
    cidrs: credential.cidrs,
    createdBy: credential.createdBy,
    person: credential.person,
    createdAt: credential.createdAt.toISOString(),
    expiresAt: credential.expiresAt?.toISOString() ?? null,
    disabledAt: credential.disabledAt?.toISOString() ?? null,
    lastUsedAt: lastUsed.get(credential.id) ?? null,
    secrets: secrets
      .filter((secret) => secret.credential === credential.id)
      .map(({ expiresAt }) => ({ expiresAt: expiresAt?.toISOString() ?? null })),
  }));
}
