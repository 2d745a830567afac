/** How long sessions last, in ms. */
export interface SessionLimits {
  /** Without a request. */
  readonly idleMs: number;
  /** In all. */
  readonly absoluteMs: number;
}

/** Where a tenant says nothing. */
export const DEFAULT_LIMITS: SessionLimits = { idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000 };

/** When a session was begun and last seen, and until when it was to last, in ms since 1970. */
export interface SessionTimes {
  readonly createdAt: number;
  readonly seenAt: number;
  readonly idleEndsAt: number;
  readonly endsAt: number;
}

/**
 * When a session ends if nobody does anything: by what was written at its beginning, and by the limits of now, whichever
 * is sooner. In ms since 1970.
 */
export const endOfSession = (times: SessionTimes, { idleMs, absoluteMs }: SessionLimits): number =>
  Math.min(times.endsAt, times.idleEndsAt, times.createdAt + absoluteMs, times.seenAt + idleMs);
