import type { ClaimedNotification } from '#store';

/**
 * What a receiver is told (docs/webhooks.md).
 *
 * INVARIANT: nothing of the arguments is in it, and nothing that people were shown: whoever wants to know goes to `review`
 * and signs in.
 */
export function notificationBody(told: ClaimedNotification, review: string): string {
  return JSON.stringify({
    id: told.id,
    event: `consent.${told.event}`,
    time: new Date(told.at).toISOString(),
    tenant: told.tenantName,
    request: told.request,
    ...(told.status === null ? {} : { status: told.status }),
    loud: told.loud,
    subject: told.subject,
    agent: told.agent,
    server: told.server,
    action: told.action,
    resource: { type: told.resourceType, id: told.resourceId },
    review,
  });
}
