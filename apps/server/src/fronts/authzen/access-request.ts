import type { Requirement } from '#policy';

/** How long, in ms, a denial can be turned into a request. */
const REQUESTABLE_MS = 10 * 60 * 1000;

/**
 * The member that marks a denial as one that a person could lift (AuthZEN access request and approval profile, draft 1).
 * The names of the draft may still change: they stand here and nowhere else. `endpoint` is missing because this version
 * takes no requests yet.
 */
export function accessRequest(requirements: readonly Requirement[], now: number): Record<string, unknown> {
  const who = [...new Set(requirements.flatMap(({ consent }) => consent.by))];
  return {
    expires_at: new Date(now + REQUESTABLE_MS).toISOString(),
    display: {
      title: who.every((by) => by === 'subject') ? 'Your consent is needed' : 'An approval is needed',
      description: `Must be agreed to by: ${who.join(', ')}.`,
    },
  };
}
