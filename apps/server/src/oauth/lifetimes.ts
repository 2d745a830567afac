/** How long things last, in seconds. What people may do was worked out from claims that must not get older than a day's work. */
export const LIFETIMES = {
  hostToken: 10 * 60,
  personToken: 15 * 60,
  /** Of everything that one sign-in of a device gives, however often it is refreshed. */
  grant: 12 * 3600,
  deviceCode: 10 * 60,
  /** Longest of an assertion by which a client proves itself. */
  assertion: 5 * 60,
} as const;
