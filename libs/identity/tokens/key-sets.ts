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

/** Providers whose keys are kept. */
const MAX_PROVIDERS = 1000;

interface KeptKeys {
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
 * INVARIANT: however many tokens come, whatever keys they name, a provider is asked once per cooldown.
 */
export class KeySets {
  readonly #kept = new Map<string, KeptKeys>();

  /** @param clock ms, from any beginning, that never goes back */
  constructor(
    private readonly outgoing: Outgoing,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** The one key that a token names. Throws TokenRefused, IdentityProviderUnavailable. */
  async keyOf(tenant: string, issuer: IssuerDocument, alg: string, kid: string | undefined): Promise<CryptoKey> {
    const kept = this.#keptFor(tenant, issuer);
    const keys = await this.#current(tenant, issuer, kept);
    try {
      return await find(keys, issuer, alg, kid);
    } catch (error) {
      if (!(error instanceof TokenRefused) || error.fault !== 'key_unknown') throw error;
      if (!this.#mayAskAgain(kept)) throw error;
      await this.#fetch(tenant, issuer, kept);
      return find(kept.keys ?? keys, issuer, alg, kid);
    }
  }

  /** Keys that may be used now. Waited for are those that are missing, or old at a provider that has answered last. */
  async #current(tenant: string, issuer: IssuerDocument, kept: KeptKeys): Promise<LocalJWKSet> {
    const age = this.clock() - kept.fetchedAt;
    if (!kept.keys) {
      if (kept.underWay || this.clock() - kept.triedAt >= RETRY_MS) await this.#fetch(tenant, issuer, kept);
    } else if (age >= OLD_MS && kept.failure === null) {
      await this.#fetch(tenant, issuer, kept);
    } else if (age >= SOON_MS && this.#mayAskAgain(kept)) {
      void this.#fetch(tenant, issuer, kept);
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

  #fetch(tenant: string, issuer: IssuerDocument, kept: KeptKeys): Promise<void> {
    kept.underWay ??= this.#attempt(tenant, issuer, kept).finally(() => (kept.underWay = undefined));
    return kept.underWay;
  }

  /** Never rejects: what was fetched before goes on, for as long as it may. */
  async #attempt(tenant: string, issuer: IssuerDocument, kept: KeptKeys): Promise<void> {
    kept.triedAt = this.clock();
    try {
      // What was asked for at the beginning may be as old as that.
      const began = this.clock();
      kept.keys = createLocalJWKSet(await fetchKeys(issuer, this.outgoing.for(tenant, issuer.issuer)));
      kept.fetchedAt = began;
      kept.failure = null;
    } catch (error) {
      kept.failure = error as Error;
    }
  }

  /**
   * INVARIANT: tenants whose Issuers say the same share the keys only where they may go to the same places: what was fetched
   * for one that may go further is not there for the others.
   */
  #keptFor(tenant: string, { issuer, jwksUri = '' }: IssuerDocument): KeptKeys {
    const { loopback, privateRanges } = this.outgoing.reachOf(tenant, issuer);
    const id = JSON.stringify([loopback, privateRanges, issuer, jwksUri]);
    let kept = this.#kept.get(id);
    if (!kept) {
      const [oldest] = this.#kept.keys();
      if (this.#kept.size >= MAX_PROVIDERS) this.#kept.delete(oldest!);
      kept = { keys: null, fetchedAt: -Infinity, triedAt: -Infinity, failure: null, underWay: undefined };
      this.#kept.set(id, kept);
    }
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
