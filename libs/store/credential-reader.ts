import { MoreThan } from 'typeorm';
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
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly disabledAt: string | null;
  /** When each of its secrets ends, oldest first; null: with the key. */
  readonly secrets: readonly { readonly expiresAt: string | null }[];
}

/** Reads keys as they are in the database at this moment. */
export class CredentialReader {
  constructor(private readonly store: Store) {}

  async find(tenant: string, id: string): Promise<CredentialListing | undefined> {
    return this.store.read(tenant, async (view) => {
      const found = await view.getRepository(CredentialEntity).findOneBy({ tenant, id });
      return found ? (await withSecrets(view, tenant, [found]))[0] : undefined;
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
      const where = { tenant, ...ofHost, ...behind };
      const found = await view.getRepository(CredentialEntity).find({ where, order: { id: 'ASC' }, take: limit + 1 });
      return withSecrets(view, tenant, found);
    });
  }
}

async function withSecrets(
  view: TenantView,
  tenant: string,
  credentials: readonly CredentialEntity[],
): Promise<CredentialListing[]> {
  if (credentials.length === 0) return [];
  const secrets = await view
    .getRepository(CredentialSecretEntity)
    .find({ where: credentials.map(({ id }) => ({ tenant, credential: id })), order: { number: 'ASC' } });
  return credentials.map((credential) => ({
    id: credential.id,
    principalKind: credential.principalKind,
    principal: credential.principal,
    environment: credential.environment,
    rights: credential.rights,
    createdBy: credential.createdBy,
    createdAt: credential.createdAt.toISOString(),
    expiresAt: credential.expiresAt?.toISOString() ?? null,
    disabledAt: credential.disabledAt?.toISOString() ?? null,
    secrets: secrets
      .filter((secret) => secret.credential === credential.id)
      .map(({ expiresAt }) => ({ expiresAt: expiresAt?.toISOString() ?? null })),
  }));
}
