import { isAllowed, isLoopbackUrl, OutgoingError, sendOut, type AllowedHost, type WayOut } from '#outgoing';
import type { ClaimedNotification } from '#store';
import { notificationBody } from './body.js';
import { signedHeaders, signingKeysOf } from './signature.js';

/** Where webhooks may be beyond the public internet: nowhere, on this machine, or in private networks as well. */
type PrivateWebhooks = 'on' | 'loopback' | 'off';

/** What came of an attempt. All but `delivered` are failures, of which `gone` is not tried again. */
export type DeliveryOutcome =
  'delivered' | 'gone' | 'host_not_allowed' | 'no_secret' | 'refused' | 'redirect' | 'unreachable';

/** What an attempt came to, and what the log says of it. */
export interface Delivery {
  readonly outcome: DeliveryOutcome;
  readonly detail: string;
}

/** What deliveries are made by. */
export interface DeliveryMeans {
  readonly hosts: readonly AllowedHost[];
  readonly privateWebhooks: PrivateWebhooks;
  /** Looks up a name for a tenant. */
  readonly resolve: (tenant: string, ...asked: Parameters<WayOut['resolve']>) => void;
  /** The value of a secret that a document of a tenant names. */
  readonly secretOf: (tenantName: string, secretName: string) => string | undefined;
  /** Where people look at a request. */
  readonly reviewOf: (tenantName: string, request: string) => string;
  readonly now: () => number;
}

/** Tries once to tell a receiver. A redirect is never followed: a receiver is told only where its document says. Never rejects. */
export async function deliver(tenant: string, told: ClaimedNotification, means: DeliveryMeans): Promise<Delivery> {
  const { secret: name, tenantName } = told;
  if (name === null) return { outcome: 'gone', detail: 'the Tenant document has no webhook of this URL any more' };
  const url = new URL(told.url);
  if (!isAllowed(means.hosts, url)) {
    return { outcome: 'host_not_allowed', detail: `${url.host} is not among PLACET_WEBHOOK_HOSTS` };
  }
  const secret = means.secretOf(tenantName, name);
  const keys = secret === undefined ? undefined : signingKeysOf(secret);
  if (!keys) {
    const detail = `the secret '${name}' of the tenant '${tenantName}' is not set, or is not whsec_ with 24 to 64 bytes in base64`;
    return { outcome: 'no_secret', detail };
  }
  const body = notificationBody(told, means.reviewOf(tenantName, told.request));
  try {
    const { status } = await sendOut(
      url,
      {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': 'Placet',
          ...signedHeaders(keys, told.id, body, means.now()),
        },
        body,
      },
      {
        reach: reachOf(means.privateWebhooks, told.url),
        resolve: (...asked) => means.resolve(tenant, ...asked),
        beyond: BEYOND,
      },
    );
    if (status >= 200 && status < 300) return { outcome: 'delivered', detail: String(status) };
    const outcome = status >= 300 && status < 400 ? 'redirect' : 'refused';
    return { outcome, detail: `${url.host} answers with status ${status}` };
  } catch (error) {
    if (!(error instanceof OutgoingError)) return { outcome: 'unreachable', detail: `${url.host}: ${String(error)}` };
    return { outcome: 'unreachable', detail: error.message };
  }
}

const BEYOND = 'where webhooks are not looked for: see PLACET_PRIVATE_WEBHOOKS';

const reachOf = (privateWebhooks: PrivateWebhooks, url: string): WayOut['reach'] => ({
  loopback: privateWebhooks !== 'off' && isLoopbackUrl(url),
  privateRanges: privateWebhooks === 'on',
});
