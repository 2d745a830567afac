import { createLocalJWKSet, errors, type CryptoKey, type LocalJWKSet } from 'jose';
import type { IssuerDocument } from '#policy';
import type { Outgoing } from '../outgoing.js';
import { fetchKeys } from './fetch-keys.js';
import { IdentityProviderUnavailable, TokenRefused } from './refusal.js';

/** After how long keys are fetched anew, before that is waited for, and after how long it is, in ms. */
const SOON_MS = 5 * 60_000;
const OLD_MS = 10 * 60_000;

/** Least time between two fetches that tokens with unknown keys, or a provider that is away, cause, in ms. */
const COOLDOWN_MS = 30_000;

/** Least time between two attempts where no keys are there at all, in ms. */
const RETRY_MS = 2000;

/** Providers whose keys are kept for one tenant; the one that was asked for longest ago goes first. */
const MAX_PROVIDERS = 50;

interface KeptKeys {
  readonly tenant: string;
  keys: LocalJWKSet | null;
  /** When they were fetched, and when the last attempt began, in ms by the clock of the process. */
  fetchedAt: number;
  triedAt: number;
  /** Why the last attempt came to nothing; null: it did not. */
  failure: Error | null;
  underWay: Promise<void> | undefined;
}

/**
 * The keys of identity providers: fetched when they are first needed, anew every few minutes and for a key that is not
 * among them, and kept while the provider is away for as long as its Issuer says.
 *
 * INVARIANT: however many tokens come, whatever keys they name, a provider is asked once per cooldown for each tenant. Keys
 * are of one tenant, and within it of the issuer and of where its document has its keys fetched from, which is all that
 * fetching depends on: what another tenant or another document names changes nothing about them, nor takes their place.
 */
export class KeySets {
  readonly #kept = new Map<string, Map<string, KeptKeys>>();

  /** @param clock ms, from any beginning, that never goes back */
  constructor(
    private readonly outgoing: Outgoing,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** The one key that a token names. Throws TokenRefused, IdentityProviderUnavailable. */
  async keyOf(tenant: string, issuer: IssuerDocument, alg: string, kid: string | undefined): Promise<CryptoKey> {
    const kept = this.#keptFor(tenant, issuer);
    const keys = await this.#current(issuer, kept);
    try {
      return await find(keys, issuer, alg, kid);
    } catch (error) {
      if (!(error instanceof TokenRefused) || error.fault !== 'key_unknown') throw error;
      if (!this.#mayAskAgain(kept)) throw error;
      await this.#fetch(issuer, kept);
      return find(kept.keys ?? keys, issuer, alg, kid);
    }
  }

  /** Keys that may be used now. Waited for are those that are missing, or old at a provider that has answered last. */
  async #current(issuer: IssuerDocument, kept: KeptKeys): Promise<LocalJWKSet> {
    const age = this.clock() - kept.fetchedAt;
    if (!kept.keys) {
      if (kept.underWay || this.clock() - kept.triedAt >= RETRY_MS) await this.#fetch(issuer, kept);
    } else if (age >= OLD_MS && kept.failure === null) {
      await this.#fetch(issuer, kept);
    } else if (age >= SOON_MS && this.#mayAskAgain(kept)) {
      void this.#fetch(issuer, kept);
    }
    const goodFor = OLD_MS + issuer.keysGoodForSeconds * 1000;
    if (kept.keys && this.clock() - kept.fetchedAt < goodFor) return kept.keys;
    // Nobody is sent away because of an attempt that has only begun.
    await kept.underWay;
    if (kept.keys && this.clock() - kept.fetchedAt < goodFor) return kept.keys;
    throw new IdentityProviderUnavailable(issuer.name, { cause: kept.failure });
  }

  #mayAskAgain(kept: KeptKeys): boolean {
    return kept.underWay !== undefined || this.clock() - kept.triedAt >= COOLDOWN_MS;
  }

  #fetch(issuer: IssuerDocument, kept: KeptKeys): Promise<void> {
    kept.underWay ??= this.#attempt(issuer, kept).finally(() => (kept.underWay = undefined));
    return kept.underWay;
  }

  /** Never rejects: what was fetched before goes on, for as long as it may. */
  async #attempt(issuer: IssuerDocument, kept: KeptKeys): Promise<void> {
    kept.triedAt = this.clock();
    try {
      // What was asked for at the beginning may be as old as that.
      const began = this.clock();
      kept.keys = createLocalJWKSet(await fetchKeys(issuer, this.outgoing.for(kept.tenant, issuer.issuer)));
      kept.fetchedAt = began;
      kept.failure = null;
    } catch (error) {
      kept.failure = error as Error;
    }
  }

  /** Forgets the keys of a tenant that is not there any more. */
  forget(tenant: string): void {
    this.#kept.delete(tenant);
  }

  #keptFor(tenant: string, { issuer, jwksUri = '' }: IssuerDocument): KeptKeys {
    let ofTenant = this.#kept.get(tenant);
    if (!ofTenant) this.#kept.set(tenant, (ofTenant = new Map<string, KeptKeys>()));
    const id = `${issuer}\n${jwksUri}`;
    const known = ofTenant.get(id);
    const kept = known ?? {
      tenant,
      keys: null,
      fetchedAt: -Infinity,
      triedAt: -Infinity,
      failure: null,
      underWay: undefined,
    };
    // Put in anew, it is the youngest.
    ofTenant.delete(id);
    ofTenant.set(id, kept);
    if (ofTenant.size > MAX_PROVIDERS) ofTenant.delete(ofTenant.keys().next().value!);
    return kept;
  }
}

async function find(
  keys: LocalJWKSet,
  issuer: IssuerDocument,
  alg: string,
  kid: string | undefined,
): Promise<CryptoKey> {
  try {
    return await keys({ alg, ...(kid === undefined ? {} : { kid }) });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) {
      throw new TokenRefused('key_unknown', 'its provider has no such key', issuer.name);
    }
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      throw new TokenRefused('key_ambiguous', 'its provider has several keys that it could mean', issuer.name);
    }
    throw new TokenRefused('key_unknown', 'the key of its provider cannot be used', issuer.name);
  }
}
