import { createPrivateKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { seal, unseal, type AdministratorPrincipal } from '#identity';
import { selfSigned } from '#saml';
import { SigningKeyStore, type Operation, type Store, type StoredSigningKey } from '#store';
import type { Changes } from '../../admin/changes.js';

/** A key of a tenant as a SAML service provider, and its certificate, PEM. */
export interface SamlKey {
  readonly certificate: string;
  /** PEM (PKCS #8). */
  readonly privateKey: string;
}

/** The key that signs and that assertions are encrypted for, and the one that will be next: both are published. */
const CURRENT = 'saml';
const NEXT = 'saml-next';

/** For how long assertions may still be encrypted for a key that was replaced, in ms: administrators carry it over by hand. */
const RETIREMENT_MS = 30 * 24 * 3_600_000;

/** How long certificates say that they are good, in ms. */
const CERTIFICATE_MS = 20 * 365 * 24 * 3_600_000;

const generate = promisify(generateKeyPair);

/**
 * The keys of tenants as SAML service providers, made when they are first needed. They stand with the signing keys, under
 * names of their own, and sign no token.
 */
export class SamlKeys {
  readonly #keys: SigningKeyStore;

  constructor(
    private readonly store: Store,
    private readonly changes: Changes,
    private readonly pepper: Buffer,
  ) {
    this.#keys = new SigningKeyStore(store);
  }

  /** The key that signs. */
  async current(tenant: string): Promise<SamlKey> {
    return this.#opened(tenant, this.#only(await this.#all(tenant), CURRENT));
  }

  /** The certificates that identity providers are to know, the one of the key that signs first. */
  async certificates(tenant: string): Promise<readonly [string, string]> {
    const all = await this.#all(tenant);
    return [certificateOf(this.#only(all, CURRENT)), certificateOf(this.#only(all, NEXT))];
  }

  /** Private keys that an assertion may be encrypted for, PEM. */
  async decryptionKeys(tenant: string): Promise<string[]> {
    const all = await this.#all(tenant);
    return all.map((stored) => this.#opened(tenant, stored).privateKey);
  }

  /** Signs with the key that was to be next, and makes another one to be next. Returns the certificates of both. */
  async rotate(principal: AdministratorPrincipal): Promise<readonly [string, string]> {
    const { tenant } = principal;
    const next = this.#opened(tenant, this.#only(await this.#all(tenant), NEXT));
    const now = this.store.clock.now();
    const operations = [
      this.#replacing(this.#sealed(tenant, CURRENT, next), now + RETIREMENT_MS),
      this.#replacing(await this.#make(tenant, NEXT), now),
    ];
    await this.changes.make(principal, async () => ({ keys: [], operations }));
    return this.certificates(tenant);
  }

  #replacing({ id, algorithm, publicJwk, sealed }: NewKey, retiresAt: number): Operation {
    const body = { publicJwk, sealed: sealed.toString('hex') };
    return { op: 'replace_signing_key', id, algorithm, body, retiresAt: new Date(retiresAt).toISOString() };
  }

  #only(all: readonly StoredSigningKey[], name: string): StoredSigningKey {
    const found = all.find(({ algorithm, isCurrent }) => isCurrent && algorithm === name);
    if (!found) throw new Error(`the tenant has no SAML key of the name ${name}`);
    return found;
  }

  async #all(tenant: string): Promise<StoredSigningKey[]> {
    const stored = await this.#listed(tenant);
    const missing = [CURRENT, NEXT].filter(
      (name) => !stored.some(({ algorithm, isCurrent }) => isCurrent && algorithm === name),
    );
    if (missing.length === 0) return stored;
    for (const name of missing) await this.#keys.addFirst(tenant, await this.#make(tenant, name));
    return this.#listed(tenant);
  }

  async #listed(tenant: string): Promise<StoredSigningKey[]> {
    const all = await this.#keys.list(tenant);
    return all.filter(({ algorithm }) => algorithm === CURRENT || algorithm === NEXT);
  }

  async #make(tenant: string, name: string): Promise<NewKey> {
    const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048 });
    const now = this.store.clock.now();
    const terms = { commonName: 'Placet', serial: randomBytes(15), from: now - 86_400_000, to: now + CERTIFICATE_MS };
    const certificate = selfSigned(publicKey, privateKey, terms);
    return this.#sealed(tenant, name, { certificate, privateKey: pemOf(privateKey) });
  }

  #sealed(tenant: string, algorithm: string, { certificate, privateKey }: SamlKey): NewKey {
    const id = randomBytes(12).toString('base64url');
    return { id, algorithm, publicJwk: { certificate }, sealed: seal(this.pepper, place(tenant, id), privateKey) };
  }

  #opened(tenant: string, stored: StoredSigningKey): SamlKey {
    const privateKey = pemOf(createPrivateKey(unseal(this.pepper, place(tenant, stored.id), stored.sealed)));
    return { certificate: certificateOf(stored), privateKey };
  }
}

type NewKey = Omit<StoredSigningKey, 'isCurrent'>;

const certificateOf = ({ publicJwk }: StoredSigningKey): string =>
  (publicJwk as { readonly certificate: string }).certificate;

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const place = (tenant: string, id: string): string[] => [tenant, 'saml key', id];
