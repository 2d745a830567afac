import { recordEvent, type Store } from '#store';
import type { Log } from '../operations/log.js';
import type { SignInError } from './connector.js';

/** Records of refused sign-ins that one tenant's ledger takes in a minute; anybody can cause them. */
const PER_MINUTE = 30;

const MINUTE = 60_000;

/** What of a refused sign-in is recorded besides the reason. */
export interface RefusedAbout {
  readonly tenant: string;
  readonly issuer: string;
  readonly address: string;
  readonly requestId: string;
}

/** Tells the log and the tenant's ledger of sign-ins that were refused. What is more than a ledger takes is counted there. */
export class RefusedSignIns {
  readonly #windows = new Map<string, { since: number; recorded: number; left: number }>();

  constructor(
    private readonly store: Store,
    private readonly log: Log,
  ) {}

  /** Does not throw: that something could not be recorded changes nothing for who was refused. */
  async note(
    { reason, detail, cause }: SignInError,
    { tenant, issuer, address, requestId }: RefusedAbout,
  ): Promise<void> {
    const about = { reason, issuer: issuer.slice(0, 128), address };
    const inner = cause instanceof Error ? { cause: cause.message.slice(0, 500) } : {};
    this.log.warn('sign-in refused', { ...about, detail: detail.slice(0, 500), requestId, ...inner });
    const unrecorded = this.#mayRecord(tenant);
    if (unrecorded === undefined) return;
    const content = { ...about, requestId, ...(unrecorded > 0 ? { unrecorded } : {}) };
    await recordEvent(this.store, tenant, 'sign_in_refused', content).catch((error: unknown) => {
      this.log.error('a refused sign-in could not be recorded', error);
    });
  }

  /** How many were not recorded before this one; undefined if this one is not either. */
  #mayRecord(tenant: string): number | undefined {
    const now = performance.now();
    const window = this.#windows.get(tenant) ?? { since: now, recorded: 0, left: 0 };
    this.#windows.set(tenant, window);
    if (now - window.since >= MINUTE) Object.assign(window, { since: now, recorded: 0 });
    if (window.recorded >= PER_MINUTE) {
      window.left++;
      return undefined;
    }
    window.recorded++;
    const { left } = window;
    window.left = 0;
    return left;
  }
}
