/** Why a decision could not be recorded, and therefore is none. */
export type LedgerErrorCode =
  'contention' | 'overloaded' | 'ledger_unavailable' | 'answer_too_late' | 'state_regressed';

/** A decision that did not become one. To the host it means deny; it may ask again. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';

  constructor(
    readonly code: LedgerErrorCode,
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}
