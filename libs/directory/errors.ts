/** Why a directory has not said who somebody is. */
export type DirectoryReason =
  /** No server answers, or not in time, or by a certificate that is not good. */
  | 'unreachable'
  /** Nobody has that user name, or the password is not theirs. Never told apart to who has typed it. */
  | 'not_proven'
  /** The password is right, and the account is disabled, expired or locked. */
  | 'inactive'
  /** The directory does not let us in, or its entries are not as the document says. */
  | 'misconfigured';

/** A directory has not said who somebody is. The message is for the log: it has no password in it. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';

  constructor(
    readonly reason: DirectoryReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether a server was there, and its certificate or its TLS not good: the innermost error says it. */
export function isOfTls(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code = '' } = at as NodeJS.ErrnoException;
    if (/^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)|_CERT/.test(code)) return true;
  }
  return false;
}
