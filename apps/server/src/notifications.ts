import { NamedSecrets, type Settings } from '#config';
import { Notifier } from '#notifications';
import { Lookups } from '#outgoing';
import { NotificationQueue, type Store } from '#store';
import { reviewPage } from './fronts/requests/review-links.js';
import type { PublicAddress } from './http/public-address.js';
import type { ConsentMetrics } from './operations/consent-metrics.js';
import type { Log } from './operations/log.js';

/** What the settings say of who may be told. */
export interface NotifierSettings extends Partial<Pick<Settings, 'webhookHosts' | 'privateWebhooks' | 'secrets'>> {
  /** How often what is due is looked for, in ms; left out: every second. */
  readonly notifyEveryMs?: number;
}

/** For how long the same is not said again, in ms. */
const QUIET_MS = 60_000;

/** Tells webhooks of tenants what is asked and answered. Not started yet. */
export function assembleNotifier(
  store: Store,
  address: PublicAddress,
  { webhookHosts = [], privateWebhooks = 'off', secrets = NamedSecrets.NONE, notifyEveryMs }: NotifierSettings,
  metrics: ConsentMetrics,
  log: Log,
): Notifier {
  const lookups = new Lookups();
  let failedAt = -Infinity;
  return new Notifier(new NotificationQueue(store), {
    hosts: webhookHosts,
    privateWebhooks,
    resolve: (tenant, name, how, done) => lookups.resolve(tenant, name, how, done),
    secretOf: (tenantName, secretName) => secrets.of(tenantName, secretName),
    reviewOf: (tenantName, request) => reviewPage(address, tenantName, request),
    now: () => store.clock.now(),
    everyMs: notifyEveryMs,
    events: {
      attempted: (tenant, { id, attempt, url }, { outcome, detail }, state) => {
        metrics.attempted(outcome, state);
        if (outcome === 'delivered' || (attempt > 1 && state !== 'given_up')) return;
        // Never the whole URL: with some receivers it is as good as a password.
        log.warn('a webhook could not be told', {
          tenant,
          id,
          attempt,
          host: new URL(url).host,
          outcome,
          detail,
          state,
        });
      },
      queued: (waiting) => metrics.queued(waiting),
      failed: (error) => {
        // While the database is away, each look fails.
        if (performance.now() - failedAt < QUIET_MS) return;
        failedAt = performance.now();
        log.error('notifications could not be looked after', error);
      },
    },
  });
}
