/** What is wrong with a request (RFC 7644 §3.12, table 9). */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'tooMany'
  | 'uniqueness';

/** A request of a connector that is not done, and why. */
export class ScimError extends Error {
  override readonly name = 'ScimError';
  /** As among our other errors: what the status of the answer follows from. */
  readonly code: 'invalid_request' | 'already_exists';

  constructor(
    readonly scimType: ScimType,
    message: string,
  ) {
    super(message);
    this.code = scimType === 'uniqueness' ? 'already_exists' : 'invalid_request';
  }
}
