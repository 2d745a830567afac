import type { PolicySet } from '../compile/policy-set.js';
import type { Consent, Requirement } from '../decide/requirements.js';
import { hasFourEyes } from '../documents/four-eyes.js';
import type { ConsentBlock } from '../documents/schema.js';
import type { TouchKey } from '../documents/touches.js';
import { entitlementOf, mayStandIn, type Concerned } from './entitled.js';
import { personAt, type KnownPerson, type SignedInPerson } from './person.js';

/** Somebody who has agreed, and how. */
export interface Agreed {
  readonly person: SignedInPerson;
  /** In whose place they agreed, by a delegation that was live then; left out: their own. */
  readonly for?: SignedInPerson | undefined;
  /** How they had signed in, as the identity provider says (`acr`); null: it does not say. */
  readonly acr: string | null;
  /** Whether they broke the glass, because they were not among those who may agree. */
  readonly brokeGlass: boolean;
}

/** A consent as it is stored, with everybody who has agreed and has not taken it back. */
export interface StoredConsent extends Consent {
  readonly agreed: readonly Agreed[];
}

/** The consents that count on one state, and what it rests on that they do. */
export interface StandingConsents {
  readonly consents: readonly Consent[];
  readonly keys: readonly TouchKey[];
  /** When an entitlement expires by which one of them counts, in ms since 1970; null: none does. */
  readonly validUntil: number | null;
}

/** What some agreements come to for one requirement. */
export interface WeighedAgreements<A extends Agreed> {
  /** Those that count. */
  readonly counted: readonly A[];
  /** How many people they are of. */
  readonly people: number;
  /** How many it takes: as many as the requirement wants, or fewer, once somebody has broken the glass. */
  readonly wanted: number;
  /** Whether they are as many as the requirement wants, or the glass is broken, by two where the tenant wants two for it. */
  readonly areEnough: boolean;
  /** What it rests on that they count, and when entitlements expire by which they do, in ms since 1970. */
  readonly keys: readonly TouchKey[];
  readonly ends: readonly number[];
}

/**
 * Of some stored consents those that count now: as many people as the requirement wants are entitled still.
 * @param now ms since 1970
 */
export function standingConsents(
  set: PolicySet,
  requirements: readonly Requirement[],
  stored: readonly StoredConsent[],
  concerned: Concerned,
  now: number,
): StandingConsents {
  const keys = new Set<TouchKey>();
  const ends: number[] = [];
  const consents = stored.filter((consent) => {
    const requirement = requirements.find(({ binding }) => binding === consent.binding);
    if (!requirement) return false;
    const weighed = weighAgreements(set, requirement.consent, consent.agreed, concerned, now);
    weighed.keys.forEach((key) => keys.add(key));
    ends.push(...weighed.ends);
    return weighed.areEnough;
  });
  return {
    // What may be used any number of times comes first: no use is spent where none is needed.
    consents: consents.toSorted((left, right) => Number(left.usesLeft !== null) - Number(right.usesLeft !== null)),
    keys: [...keys],
    validUntil: ends.length > 0 ? Math.min(...ends) : null,
  };
}

/**
 * What some agreements come to for a requirement. Whoever has lost the role, has left, is suspended, or had not signed in as
 * the requirement wants does not count. Who agreed in the place of another counts as that other, as long as that one is
 * entitled and neither has left.
 *
 * INVARIANT: nobody counts twice, under whatever names: nobody for themselves and in the place of another, and nobody by two
 * who stand in for them.
 * @param now ms since 1970
 */
export function weighAgreements<A extends Agreed>(
  set: PolicySet,
  block: ConsentBlock,
  agreed: readonly A[],
  concerned: Concerned,
  now: number,
): WeighedAgreements<A> {
  const found = agreed.flatMap((one) => {
    const counts = countedAs(set, block, one, concerned, now);
    return counts ? [{ one, ...counts }] : [];
  });
  const people = peopleIn(found);
  const breakers = hasFourEyes(set.documents, 'breakGlass') ? 2 : 1;
  const isBroken = found.some(({ one }) => one.brokeGlass);
  const areEntitled = peopleIn(found.filter(({ one }) => !one.brokeGlass)) >= block.approvals;
  return {
    counted: found.map(({ one }) => one),
    people,
    wanted: isBroken ? breakers : block.approvals,
    areEnough: areEntitled || (isBroken && people >= breakers),
    keys: found.flatMap(({ keys }) => keys),
    ends: found.flatMap(({ ends }) => ends),
  };
}

/** How many people agreements are of: by whom, and of these as whom, each only once. */
const peopleIn = (found: readonly Pick<Counted, 'by' | 'as'>[]): number =>
  new Set(new Map(found.map(({ by, as }) => [by, as])).values()).size;

/** Somebody whose agreement counts: as whom, by whom it was given, and what that rests on. */
interface Counted {
  readonly as: string;
  readonly by: string;
  readonly keys: readonly TouchKey[];
  readonly ends: readonly number[];
}

function countedAs(
  set: PolicySet,
  block: ConsentBlock,
  { person, for: other, acr, brokeGlass }: Agreed,
  concerned: Concerned,
  now: number,
): Counted | undefined {
  if (block.assurance !== undefined && acr !== block.assurance) return undefined;
  const known = personAt(set, person, now);
  if (!known) return undefined;
  if (other) {
    const delegator = personAt(set, other, now);
    if (!delegator || brokeGlass || !mayStandIn(set, block, concerned, known, delegator)) return undefined;
    return { as: delegator.key, by: known.key, keys: [...known.keys, ...delegator.keys], ends: endsOf(delegator) };
  }
  if (entitlementOf(set, block, concerned, known) !== (brokeGlass ? 'break_glass' : 'entitled')) return undefined;
  return { as: known.key, by: known.key, keys: known.keys, ends: endsOf(known) };
}

const endsOf = ({ roles }: KnownPerson): number[] => (roles.validUntil === null ? [] : [roles.validUntil]);
