/** What can go wrong with the embedded Postgres. Closed list; the codes are API, the texts are not. */
export type EmbeddedPostgresErrorCode =
  | 'binaries_missing'
  | 'binaries_unusable'
  | 'account_unusable'
  | 'directory_unusable'
  | 'directory_not_empty'
  | 'disk_full'
  | 'other_version'
  | 'password_unusable'
  | 'in_use'
  | 'initdb_failed'
  | 'start_failed'
  | 'stop_failed';

/** A failure of the embedded Postgres; its message is one sentence that names the thing and the mend. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The mend that is always there. */
export const OTHER_DATABASE = 'set DATABASE_URL to use a Postgres of your own';

/** The mend for a folder that cannot be used. */
export const OTHER_DIRECTORY = 'set PLACET_DATA_DIR to another folder';

/** The code of a failed system call, such as `ENOENT`; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * The sentence for a system call that failed, most likely because of `directory`. Errors of other kinds come back as they
 * are.
 */
export function ofDirectory(directory: string, error: unknown): unknown {
  if (error instanceof EmbeddedPostgresError || !(error instanceof Error)) return error;
  const options = { cause: error };
  switch (systemCode(error)) {
    case undefined:
      return error;
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(directory, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new EmbeddedPostgresError(
        'directory_unusable',
        `The folder '${directory}' cannot be written: give this account the right to, or ${OTHER_DIRECTORY}.`,
        options,
      );
    case 'EEXIST':
    case 'ENOTDIR':
      return new EmbeddedPostgresError(
        'directory_unusable',
        `The folder '${directory}' cannot be made, because a file is in its place: remove it, or ${OTHER_DIRECTORY}.`,
        options,
      );
    default:
      return new EmbeddedPostgresError(
        'start_failed',
        `Postgres does not start in '${directory}' (${error.message}): mend that, or ${OTHER_DATABASE}.`,
        options,
      );
  }
}

/** The error for a disk without space. */
export function diskFull(directory: string, options?: ErrorOptions): EmbeddedPostgresError {
  const message = `There is no space left for the folder '${directory}': free some, or ${OTHER_DIRECTORY}.`;
  return new EmbeddedPostgresError('disk_full', message, options);
}
