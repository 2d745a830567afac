import type { SignInAssurance } from '../principal.js';

/** What is demanded of a sign-in. */
export interface StrengthDemand {
  /** One of these; empty: any. */
  readonly acr: readonly string[];
  /** Not longer ago than this, in seconds; null: whenever. */
  readonly maxAge: number | null;
}

/** Between our clock and the identity provider's, in ms. */
const CLOCK_TOLERANCE = 30_000;

/** Whether a proof is as good and as fresh as is demanded. What is not known is not enough. `now` in ms since 1970. */
export function isStrongEnough({ acr, authTime }: SignInAssurance, demand: StrengthDemand, now: number): boolean {
  if (demand.acr.length > 0 && (acr === null || !demand.acr.includes(acr))) return false;
  if (demand.maxAge === null) return true;
  return (
    authTime !== null && authTime > now - demand.maxAge * 1000 - CLOCK_TOLERANCE && authTime < now + CLOCK_TOLERANCE
  );
}
