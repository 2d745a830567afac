import type { AbuseLimits } from '#http';
import type { SessionStore } from '#store';
import { SignInError } from '../connector.js';
import type { PasswordAttempts } from './ldap-connector.js';

/** In the place of an address, for what is counted from all of them together. */
const ANYWHERE = 'anywhere';

/**
 * Bounds how often passwords of one account are tried. Where a person has signed in from lately is counted apart: whoever
 * guesses from elsewhere shuts out others there, and not the person at their desk. What is refused says no more than a wrong
 * password does.
 */
export function passwordAttempts(
  tenant: string,
  limits: Pick<AbuseLimits, 'secondsToWait' | 'take'>,
  sessions: Pick<SessionStore, 'isKnownAddress'>,
): PasswordAttempts {
  const account = (person: string): string => `${tenant} ${person}`;
  const isKnown = async (person: string, address: string | undefined): Promise<boolean> =>
    address !== undefined && (await sessions.isKnownAddress(tenant, person, address));
  return {
    async take(person, address) {
      const from = (await isKnown(person, address)) ? address! : ANYWHERE;
      if (limits.secondsToWait('password', from, account(person)) === 0)
        return limits.take('password', from, account(person));
      throw new SignInError('not_proven', `too many passwords were tried for ${person}`);
    },
  };
}
