import { hash } from 'node:crypto';
import { TokenRefused, type TokenVerifier, type VerifiedToken } from '#identity';
import type { TenantSnapshot } from '#snapshot';
import { checkStanding } from './proven-subject.js';
import { RememberedTokens, type RememberedBounds } from './remembered-tokens.js';

/** For how long a token that was verified is not verified again, in ms: no longer, as its key may have been withdrawn. */
const REMEMBERED_MS = 60_000;

/** Told of each token that is refused: why, and by which Issuer, if one was found. */
export type OnRefused = (tenant: string, refused: TokenRefused) => void;

/** Verifies the tokens by which hosts prove their subjects. */
export class SubjectTokens {
  /** By the digest of tenant and token; the tokens themselves are not kept. */
  readonly #remembered: RememberedTokens;

  constructor(
    private readonly verifier: Pick<TokenVerifier, 'verify'>,
    private readonly onRefused: OnRefused = () => undefined,
    bounds?: RememberedBounds,
  ) {
    this.#remembered = new RememberedTokens(bounds);
  }

  /**
   * Whom a token proves, by the Issuers of a state. Throws TokenRefused, and IdentityProviderUnavailable.
   * @param now ms since 1970, by the database's clock
   */
  async verify(snapshot: TenantSnapshot, text: string, now: number): Promise<VerifiedToken> {
    try {
      const token = await this.#verified(snapshot, text, now);
      checkStanding(token, snapshot, now);
      return token;
    } catch (error) {
      if (error instanceof TokenRefused) this.onRefused(snapshot.tenant, error);
      throw error;
    }
  }

  async #verified({ tenant, policies }: TenantSnapshot, text: string, now: number): Promise<VerifiedToken> {
    const digest = hash('sha256', `${tenant}\n${text}`);
    const { documents } = policies;
    const known = this.#remembered.get(digest);
    const isKnown =
      known && now < known.until && documents.find('Issuer', known.token.issuer.document.name) === known.token.issuer;
    if (isKnown) return known.token;
    this.#remembered.delete(digest);
    const token = await this.verifier.verify(documents.all('Issuer'), text, { tenant, use: 'subject', now });
    const until = Math.min(token.expiresAt, now + REMEMBERED_MS);
    this.#remembered.set(digest, { token, until, bytes: Buffer.byteLength(text) });
    return token;
  }
}
