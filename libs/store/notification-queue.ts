import type { Store } from './store.js';

/** An event that a webhook of a tenant is to be told of. Times in ms since 1970. */
export interface ClaimedNotification {
  readonly id: string;
  /** Which attempt this one is, from 1. */
  readonly attempt: number;
  readonly url: string;
  /** The name of the secret that signs it; null where the tenant has no such webhook any more. */
  readonly secret: string | null;
  readonly event: 'requested' | 'answered' | 'cancelled' | 'revoked';
  readonly at: number;
  /** What the request was after the event; null where the event is not about that. */
  readonly status: string | null;
  /** Whether somebody broke the glass. */
  readonly loud: boolean;
  readonly tenantName: string;
  readonly request: string;
  readonly subject: string;
  readonly agent: string;
  readonly server: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
}

/** What a notification is after an attempt; `over`: somebody else has settled it, or has it now. */
export type SettledNotification = 'delivered' | 'waiting' | 'given_up' | 'over';

/** What tenants are to be told, as the database keeps it. Events get here by the transactions that make them. */
export class NotificationQueue {
  constructor(private readonly store: Store) {}

  /** Tenants with something to be delivered now, whoever has waited longest first. */
  async tenants(most: number): Promise<readonly string[]> {
    const rows = await this.store.call<{ id: string }>('select id from placet.tenants_to_notify($1) id', [most]);
    return rows.map(({ id }) => id);
  }

  /** Takes some of a tenant that are due; until `leaseMs` are over nobody else takes them. */
  async claim(tenant: string, most: number, leaseMs: number): Promise<readonly ClaimedNotification[]> {
    return this.store.call<ClaimedNotification>(
      `select id, attempt, url, secret, event, at, status, loud, tenant_name as "tenantName", request, subject, agent, server,
         action, resource_type as "resourceType", resource_id as "resourceId"
       from placet.claim_notifications($1, $2, $3)`,
      [tenant, most, leaseMs],
    );
  }

  /**
   * Writes down what came of an attempt.
   * @param result `delivered`, or why not
   * @param retryMs after how long it is to be tried again; null: not at all
   */
  async settle(
    tenant: string,
    { id, attempt }: Pick<ClaimedNotification, 'id' | 'attempt'>,
    result: string,
    retryMs: number | null,
  ): Promise<SettledNotification> {
    const [row] = await this.store.call<{ state: SettledNotification }>(
      'select placet.settle_notification($1, $2, $3, $4, $5) as state',
      [tenant, id, attempt, result, retryMs],
    );
    return row!.state;
  }

  /** How many there are that are neither delivered nor given up, of all tenants. */
  async waiting(): Promise<number> {
    const [row] = await this.store.call<{ count: string }>('select placet.notifications_waiting() as count', []);
    return Number(row!.count);
  }
}
