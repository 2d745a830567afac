/** What of a token did not hold. A closed list, for the log and for administrators; whoever shows a token never hears it. */
export type TokenFault =
  | 'too_large'
  | 'not_a_jwt'
  | 'algorithm'
  | 'critical_header'
  | 'issuer_unknown'
  | 'audience'
  | 'issuer_ambiguous'
  | 'type'
  | 'claims_missing'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_in_future'
  | 'lifetime'
  | 'requirement'
  | 'identity'
  | 'key_unknown'
  | 'key_ambiguous'
  | 'signature'
  | 'denied';

/** A token that is not believed. The caller hears that, and nothing more. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly code = 'subject_token_invalid';

  /**
   * @param detail what was wrong, in words for an administrator; never a part of the token that could be a secret
   * @param issuer the name of the Issuer by which it was judged, if one was found
   */
  constructor(
    readonly fault: TokenFault,
    readonly detail: string,
    readonly issuer: string | null = null,
  ) {
    super('the token of the subject is not valid here');
  }
}

/** The keys of an identity provider are not to be had, and none of it are kept that could still be used. */
export class IdentityProviderUnavailable extends Error {
  override readonly name = 'IdentityProviderUnavailable';
  readonly code = 'identity_provider_unavailable';

  constructor(
    readonly issuer: string,
    options?: { cause: unknown },
  ) {
    super('the keys of the identity provider are not to be had at the moment: ask again', options);
  }
}
