import { Refusal } from '#http';
import { networksOf } from './networks.js';

/** From where a credential may be used and until when, as far as a change says so. */
export const changedTerms = ({
  cidrs,
  expires_at: expiresAt,
}: {
  readonly cidrs?: readonly string[] | null | undefined;
  readonly expires_at?: string | null | undefined;
}): { readonly cidrs?: readonly string[] | null; readonly expiresAt?: string | null } => ({
  ...(cidrs === undefined ? {} : { cidrs: networksOf(cidrs) }),
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

/**
 * Throws Refusal for a credential that would have ended before it is good.
 * @param now in ms since 1970
 */
export function refusePast(expiresAt: string | null, now: number): void {
  if (expiresAt === null || Date.parse(expiresAt) > now) return;
  throw new Refusal('invalid_request', 'expires_at: lies in the past');
}
