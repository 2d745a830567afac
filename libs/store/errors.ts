/** What can go wrong between us and the database, in words that may leave the process. */
export type StoreErrorCode =
  | 'database_unreachable'
  | 'database_refuses'
  | 'database_too_old'
  | 'database_roles'
  | 'database_busy'
  /** A tenant would have more than it may; the message says of what. */
  | 'quota_reached'
  | 'unknown_outcome';

/** A fault of the database or of the way to it. The message names the thing and the mend; `cause` has the driver's own. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}

/** SQLSTATE of a driver's error, if it has one. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether a whole transaction may simply be tried again: serialization failure, deadlock, lock not available. */
export const isRetryable = (error: unknown): boolean => ['40001', '40P01', '55P03'].includes(sqlState(error) ?? '');

/** A driver's error as one of ours. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const state = sqlState(error);
  if (state === undefined || state.startsWith('08') || state.startsWith('57')) {
    return new StoreError('database_unreachable', 'the database does not answer', { cause: error });
  }
  if (state === 'PL429') return new StoreError('quota_reached', ownWords(error), { cause: error });
  if (isRetryable(error))
    return new StoreError('database_busy', 'the database is too busy: try again', { cause: error });
  return new StoreError('database_refuses', 'the database refused a statement', { cause: error });
}

/** What a function of ours raised, for whoever calls. */
function ownWords(error: unknown): string {
  const { driverError } = error as { readonly driverError?: Error };
  return (driverError ?? (error as Error)).message;
}
