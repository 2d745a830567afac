import type { AbuseLimits } from '#http';
import type { RefusedCredential, UnauthenticatedError } from '#identity';
import type { CountedEvents } from '#store';

/** A refusal whose tenant is known. */
type Known = RefusedCredential & { readonly tenant: string };

/** Counts refused credentials against the limits, and has them recorded in the ledger of the tenant whose they are. */
export class RefusedCredentials {
  constructor(
    private readonly limits: AbuseLimits,
    private readonly events: Pick<CountedEvents, 'note'>,
  ) {}

  /** What is answered: the error, or a Refusal where too many have failed; those are not recorded one by one any more. */
  refused(error: UnauthenticatedError, address: string): Error {
    // Nothing was tried out.
    if (error.code === 'credentials_missing') return error;
    const { about } = error;
    const known = about?.tenant === undefined ? undefined : { ...about, tenant: about.tenant };
    try {
      this.limits.check('api_key', address, known?.credential);
    } catch (refusal) {
      if (known) this.note(known, address);
      return refusal as Error;
    }
    this.limits.failed('api_key', address, known?.credential);
    if (known) this.note(known, address);
    return error;
  }

  /** Counts a refusal for the record alone. */
  note({ tenant, credential, reason }: Known, address: string): void {
    this.events.note(tenant, { credential, reason, address });
  }
}
