import type { Store } from './store.js';

/** What is recorded that is neither a decision nor a change. */
export type EventKind =
  'sign_in' | 'sign_out' | 'sign_in_refused' | 'sign_in_test' | 'credential_refused' | 'export' | 'consent';

/**
 * Adds a record of an event to the tenant's ledger. It takes the tenant's turn at changes, so nobody who has proven
 * nothing may be able to cause many of them. Never a secret in the content.
 */
export async function recordEvent(store: Store, tenant: string, event: EventKind, content: object): Promise<void> {
  await store.call('select placet.record_event($1, $2, $3)', [tenant, event, JSON.stringify(content)]);
}
