import { digestOf, seal, TOLERANCE_MS } from '#identity';
import { own, type IssuerDocument, type JsonObject, type StoredDocument } from '#policy';
import type { Snapshots } from '#snapshot';
import { ClientReader, OAuthStore, type Store } from '#store';
import type { OAuthClients } from './clients.js';
import type { Endpoints } from './endpoints.js';

/** A token of a company's identity provider that was verified by an Issuer of the tenant. */
interface VerifiedAssertion {
  readonly issuer: { readonly document: IssuerDocument };
  readonly claims: JsonObject;
  /** Says which token it was, and does not give it away. */
  readonly fingerprint: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

/** Verifies tokens of identity providers. Throws where one is not to be believed. */
export interface AssertionVerifier {
  verify(
    issuers: Iterable<StoredDocument<'Issuer'>>,
    text: string,
    verification: {
      readonly tenant: string;
      readonly use: 'workload';
      readonly now: number;
      readonly audiences: readonly string[];
    },
  ): Promise<VerifiedAssertion>;
}

/** An assertion that no token is given for. The caller hears `invalid_grant`, and nothing more. */
export class AssertionRefused extends Error {
  override readonly name = 'AssertionRefused';
}

/** Finds out which workload an assertion is of (RFC 7523, section 2.1). */
export class Workloads {
  readonly #credentials: ClientReader;
  readonly #state: OAuthStore;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly clients: OAuthClients,
    private readonly verifier: AssertionVerifier,
    private readonly pepper: Buffer,
  ) {
    this.#credentials = new ClientReader(store);
    this.#state = new OAuthStore(store);
  }

  /**
   * The id of the federated credential whose workload an assertion is of. Throws AssertionRefused, and what the verifier
   * throws.
   * @param address of the workload, normalised
   */
  async identify(tenant: string, assertion: string, { token, issuer }: Endpoints, address: string): Promise<string> {
    await this.snapshots.refresh(tenant, Infinity);
    const { policies } = await this.snapshots.of(tenant);
    const now = this.store.clock.now();
    const audiences = [token, issuer];
    const verified = await this.verifier.verify(policies.documents.all('Issuer'), assertion, {
      tenant,
      use: 'workload',
      now,
      audiences,
    });
    const { name } = verified.issuer.document;
    const ids = await this.#credentials.federated(tenant, name, subjectsOf(verified));
    const [id] = ids;
    if (id === undefined || ids.length > 1)
      throw new AssertionRefused(`${ids.length} credentials are of this workload`);
    const stored = await this.clients.live(tenant, id);
    if (!stored) throw new AssertionRefused('the credential is disabled or expired');
    if (!this.clients.mayComeFrom(tenant, stored, address)) throw new AssertionRefused('not from one of its networks');
    await this.#use(tenant, name, verified);
    return id;
  }

  /** INVARIANT: an assertion gives one token, and is remembered for as long as it would be believed. */
  async #use(tenant: string, issuer: string, { fingerprint, expiresAt }: VerifiedAssertion): Promise<void> {
    const id = digestOf(this.pepper, 'assertion', `${issuer}\n${fingerprint}`);
    const isFirst = await this.#state.put(
      tenant,
      {
        model: 'Assertion',
        id,
        sealed: seal(this.pepper, [tenant, 'Assertion', id], ''),
        grant: null,
        userCode: null,
        client: null,
        account: null,
        // By our reckoning of the database's clock it may be believed a little longer than by the clock itself.
        expiresAt: new Date(expiresAt + TOLERANCE_MS).toISOString(),
      },
      true,
    );
    if (!isFirst) throw new AssertionRefused('the assertion was used before');
  }
}

/**
 * What a workload may be registered as: what its tokens are about, or the application that it is. The latter counts only in
 * a token that is about the application itself: one that a person got through it names it, too.
 */
export function subjectsOf({ claims, issuer }: Pick<VerifiedAssertion, 'claims' | 'issuer'>): readonly string[] {
  const [sub, azp, appid, oid, idtyp] = ['sub', 'azp', 'appid', 'oid', 'idtyp'].map((name) => own(claims, name));
  if (typeof sub !== 'string' || sub === '') return [];
  const isEntra = issuer.document.profile === 'entra';
  if (!isEntra || (idtyp !== 'app' && oid !== sub)) return [sub];
  return [...new Set([sub, azp, appid].filter((value) => typeof value === 'string' && value !== ''))] as string[];
}
