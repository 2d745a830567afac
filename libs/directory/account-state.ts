import type { Entry } from 'ldapts';
import type { LdapSignIn } from '#policy';
import { isInPieces, textOf, textsOf } from './entries.js';

/** Whether an account may be used. What must be there and is not makes it `unreadable`, and never good. */
export type AccountState = 'good' | 'disabled' | 'expired' | 'unreadable';

/** What has to be read of an entry to know its state. */
export const stateAttributes = ({ directory, inactiveWhen = [] }: LdapSignIn): readonly string[] => [
  ...(directory === 'active-directory' ? ['userAccountControl', 'accountExpires'] : GENERIC),
  ...inactiveWhen.map(({ attribute }) => attribute),
];

const GENERIC = ['pwdReset', 'pwdAccountLockedTime', 'nsAccountLock', 'loginDisabled', 'shadowExpire'];

/**
 * The state of an account by its attributes, and not by what a server says at a bind: with a wrong password servers say
 * nothing of it, and people whose password nobody types are stopped as well.
 * @param now ms since 1970
 */
export function stateOf(entry: Entry, settings: LdapSignIn, now: number): AccountState {
  const { inactiveWhen = [] } = settings;
  const isInactive = inactiveWhen.some(({ attribute, oneOf }) => {
    const values = textsOf(entry, attribute).map(asCompared);
    return oneOf.some((wanted) => values.includes(asCompared(wanted)));
  });
  if (isInactive) return 'disabled';
  // One of the values that did not come may be the one.
  if (inactiveWhen.some(({ attribute }) => isInPieces(entry, attribute))) return 'unreadable';
  return settings.directory === 'active-directory' ? stateInActiveDirectory(entry, now) : genericState(entry, now);
}

/** As directories compare: without case, and blanks at the ends or more than one (RFC 4518 §2.6.1). */
const asCompared = (text: string): string => text.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();

/** MS-ADTS 2.2.16: ADS_UF_ACCOUNTDISABLE. */
const ACCOUNT_DISABLED = 0x2;

/** MS-ADTS 2.3.1: an account that never expires has one of these. */
const NEVER: readonly string[] = ['0', '9223372036854775807'];

function stateInActiveDirectory(entry: Entry, now: number): AccountState {
  const control = textOf(entry, 'userAccountControl');
  if (control === undefined || !/^-?\d{1,10}$/.test(control)) return 'unreadable';
  if ((Number(control) & ACCOUNT_DISABLED) !== 0) return 'disabled';
  const expires = textOf(entry, 'accountExpires');
  if (expires === undefined || !/^\d{1,19}$/.test(expires)) return 'unreadable';
  if (NEVER.includes(expires)) return 'good';
  return msOfFileTime(BigInt(expires)) > now ? 'good' : 'expired';
}

/** Of a FILETIME: 100 ns since 1601. */
const msOfFileTime = (time: bigint): number => Number(time / 10_000n - 11_644_473_600_000n);

/**
 * Whether somebody else has set the password, and it is good for nothing but for setting another one (draft-behera-ldap-password-policy
 * §5.3.7). Active Directory says so at the bind, by refusing it.
 */
export const mustChangePassword = (entry: Entry): boolean =>
  textsOf(entry, 'pwdReset').some((value) => value.toLowerCase() !== 'false');

/** As the password policy overlay writes it of an account that an administrator locks (draft-behera-ldap-password-policy). */
const LOCKED_FOR_GOOD = '000001010000Z';

/** A lock that passes by itself, after wrong passwords, stops nobody who is in: else anybody could stop anybody. */
function genericState(entry: Entry, now: number): AccountState {
  if (textsOf(entry, 'pwdAccountLockedTime').includes(LOCKED_FOR_GOOD)) return 'disabled';
  for (const name of ['nsAccountLock', 'loginDisabled'])
    if (textsOf(entry, name).some((value) => value.toLowerCase() !== 'false')) return 'disabled';
  const [days] = textsOf(entry, 'shadowExpire');
  if (days === undefined || days === '-1') return 'good';
  if (!/^\d{1,8}$/.test(days)) return 'unreadable';
  return Number(days) * 86_400_000 > now ? 'good' : 'expired';
}
