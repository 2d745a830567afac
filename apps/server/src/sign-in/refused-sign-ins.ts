import type { CountedEvents } from '#store';
import type { Log } from '../operations/log.js';
import type { SignInError } from './connector.js';

/** What of a refused sign-in is told besides the reason. */
export interface RefusedAbout {
  readonly tenant: string;
  readonly issuer: string;
  readonly address: string;
  readonly requestId: string;
}

/** Tells the log of sign-ins that were refused, and has them recorded in the tenant's ledger. */
export class RefusedSignIns {
  constructor(
    private readonly events: Pick<CountedEvents, 'note'>,
    private readonly log: Log,
  ) {}

  note({ reason, detail, cause }: SignInError, { tenant, issuer, address, requestId }: RefusedAbout): void {
    const about = { reason, issuer: issuer.slice(0, 128), address };
    const inner = cause instanceof Error ? { cause: cause.message.slice(0, 500) } : {};
    this.log.warn('sign-in refused', { ...about, detail: detail.slice(0, 500), requestId, ...inner });
    this.events.note(tenant, about);
  }
}
