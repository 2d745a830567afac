/** What kind of thing is wrong with an answer of an identity provider. */
export type SamlFault =
  /** It is not of the shape that is taken, or not XML at all. */
  | 'shape'
  /** It is not signed as it must be, or cannot be decrypted. */
  | 'signature'
  /** It is signed, and not made for this sign-in, for us, or for now. */
  | 'not_for_us'
  /** The identity provider says that it has signed nobody in. */
  | 'status';

/** An answer of an identity provider does not count. The message is for the log, and never for a page. */
export class SamlRefused extends Error {
  override readonly name = 'SamlRefused';

  constructor(
    readonly fault: SamlFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
