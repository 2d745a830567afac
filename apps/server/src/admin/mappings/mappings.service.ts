import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import { TokenRefused, type TokenVerifier } from '#identity';
import type { JsonObject } from '#policy';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import { whatComesOf, type Outcome } from './outcome.js';

/** What the Mappings make of somebody, or why their token is none. */
export interface Tried {
  readonly revision: number;
  /** Null: no token was given. */
  readonly verified: boolean | null;
  readonly refused: Pick<TokenRefused, 'fault' | 'detail'> | null;
  /** Null where no Issuer was found. */
  readonly issuer: string | null;
  readonly came: Outcome | null;
}

/** Tries out what tokens and claims come to. Nothing is authorised by it, and nothing recorded. */
@Injectable()
export class MappingsService {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly verifier: TokenVerifier,
  ) {}

  /** Of a token: it is verified first, and an administrator hears what is wrong with it. Throws IdentityProviderUnavailable. */
  async ofToken(tenant: string, token: string): Promise<Tried> {
    const { policies, revision } = await this.snapshots.of(tenant);
    try {
      const now = this.store.clock.now();
      const { issuer, claims } = await this.verifier.verify(policies.documents.all('Issuer'), token, {
        tenant,
        use: 'subject',
        now,
      });
      const came = whatComesOf(policies, issuer.document, claims);
      return { revision, verified: true, refused: null, issuer: issuer.document.name, came };
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      const { fault, detail, issuer } = error;
      return { revision, verified: false, refused: { fault, detail }, issuer, came: null };
    }
  }

  /** Of claims, as if a token of an Issuer said them. Throws Refusal where there is no such Issuer. */
  async ofClaims(tenant: string, name: string, claims: JsonObject): Promise<Tried> {
    const { policies, revision } = await this.snapshots.of(tenant);
    const issuer = policies.documents.find('Issuer', name)?.document;
    if (!issuer) throw new Refusal('not_found', `there is no Issuer named '${name}'`);
    return { revision, verified: null, refused: null, issuer: name, came: whatComesOf(policies, issuer, claims) };
  }
}
