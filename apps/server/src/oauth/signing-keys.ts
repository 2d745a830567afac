import { createPrivateKey, generateKeyPair, randomBytes, type JsonWebKey, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { seal, unseal, type AdministratorPrincipal } from '#identity';
import { SigningKeyStore, type Operation, type Store, type StoredSigningKey } from '#store';
import type { Changes } from '../admin/changes.js';

/** A key that signs for a tenant: what our authorization server issues, and what proves us to identity providers. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyObject;
}

/** Not every identity provider takes ES256. */
const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/**
 * For how long the public part of a key that was replaced stays published, in ms: longer than any token that it signed is
 * good. Of receipts, which are good for years, the keys are published apart: whoever has stolen a key that was replaced must
 * not be able to sign tokens with it.
 */
const RETIREMENT_MS = 24 * 3_600_000;

const generate = promisify(generateKeyPair);

/** The signing keys of tenants, made when they are first needed. */
export class SigningKeys {
  readonly #keys: SigningKeyStore;

  constructor(
    private readonly store: Store,
    private readonly changes: Changes,
    private readonly pepper: Buffer,
  ) {
    this.#keys = new SigningKeyStore(store);
  }

  /** The key that signs with an algorithm at present. */
  async current(tenant: string, algorithm: SigningAlgorithm): Promise<SigningKey> {
    const stored = await this.#current(tenant, algorithm);
    return {
      id: stored.id,
      algorithm,
      key: createPrivateKey({ key: this.#privateJwk(tenant, stored), format: 'jwk' }),
    };
  }

  /** The public keys, as a JWK set (RFC 7517): those that sign, and those whose signatures may still be about. */
  async published(tenant: string): Promise<{ readonly keys: readonly object[] }> {
    const all = await this.#all(tenant, SIGNING_ALGORITHMS);
    // The keys of SAML stand beside them, and sign no token.
    const ours = all.filter(({ algorithm }) => (SIGNING_ALGORITHMS as readonly string[]).includes(algorithm));
    return { keys: ours.map(({ publicJwk }) => publicJwk) };
  }

  /**
   * The public keys by which receipts are verified, as a JWK set: those of now, and all that there were, with the time from
   * which on each has signed (`iat`) and until when (`exp`), as OpenID Federation 1.0 has it for historical keys.
   */
  async ofReceipts(tenant: string): Promise<{ readonly keys: readonly object[] }> {
    await this.#all(tenant, ['ES256']);
    const keys = await this.#keys.ofReceipts(tenant);
    return {
      keys: keys.map(({ publicJwk, madeAt, replacedAt }) => ({
        ...publicJwk,
        iat: Math.floor(madeAt / 1000),
        ...(replacedAt === null ? {} : { exp: Math.ceil(replacedAt / 1000) }),
      })),
    };
  }

  /** The whole key that signs with an algorithm at present, as the authorization server wants it. */
  async privateJwk(tenant: string, algorithm: SigningAlgorithm): Promise<JsonWebKey> {
    const stored = await this.#current(tenant, algorithm);
    return { ...stored.publicJwk, ...this.#privateJwk(tenant, stored) };
  }

  /** Puts new keys in the place of all that sign. Returns the ids of the new ones. */
  async rotate(principal: AdministratorPrincipal): Promise<string[]> {
    const { tenant } = principal;
    const made = await Promise.all(SIGNING_ALGORITHMS.map((algorithm) => this.#make(tenant, algorithm)));
    const operations: Operation[] = made.map(({ id, algorithm, publicJwk, sealed }) => ({
      op: 'replace_signing_key',
      id,
      algorithm,
      body: { publicJwk, sealed: sealed.toString('hex') },
      retiresAt: new Date(this.store.clock.now() + RETIREMENT_MS).toISOString(),
    }));
    await this.changes.make(principal, async () => ({ keys: [], operations }));
    return made.map(({ id }) => id);
  }

  async #current(tenant: string, algorithm: SigningAlgorithm): Promise<StoredSigningKey> {
    const all = await this.#all(tenant, [algorithm]);
    const stored = all.find((key) => key.isCurrent && key.algorithm === algorithm);
    if (!stored) throw new Error(`the tenant has no signing key for ${algorithm}`);
    return stored;
  }

  /** All that are published; those of some algorithms are made first, where there are none. */
  async #all(tenant: string, algorithms: readonly SigningAlgorithm[]): Promise<StoredSigningKey[]> {
    const stored = await this.#keys.list(tenant);
    const missing = algorithms.filter(
      (algorithm) => !stored.some((key) => key.isCurrent && key.algorithm === algorithm),
    );
    if (missing.length === 0) return stored;
    for (const algorithm of missing) await this.#keys.addFirst(tenant, await this.#make(tenant, algorithm));
    return this.#keys.list(tenant);
  }

  async #make(tenant: string, algorithm: SigningAlgorithm): Promise<Omit<StoredSigningKey, 'isCurrent'>> {
    const { publicKey, privateKey } =
      algorithm === 'ES256'
        ? await generate('ec', { namedCurve: 'P-256' })
        : await generate('rsa', { modulusLength: 2048 });
    const id = randomBytes(12).toString('base64url');
    const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: id, alg: algorithm, use: 'sig' };
    const sealed = seal(this.pepper, place(tenant, id), JSON.stringify(privateKey.export({ format: 'jwk' })));
    return { id, algorithm, publicJwk, sealed };
  }

  #privateJwk(tenant: string, { id, sealed }: StoredSigningKey): JsonWebKey {
    return JSON.parse(unseal(this.pepper, place(tenant, id), sealed)) as JsonWebKey;
  }
}

const place = (tenant: string, id: string): string[] => [tenant, 'signing key', id];
