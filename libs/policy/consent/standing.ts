import type { PolicySet } from '../compile/policy-set.js';
import type { Consent, Requirement } from '../decide/requirements.js';
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

/**
 * Of some stored consents those that count now: as many people as the requirement wants are entitled still. Whoever has
 * lost the role, has left, or is suspended does not count any more; and nobody counts twice. Who agreed in the place of
 * another counts as that other, as long as that one is entitled and neither has left.
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
    const people = new Set<string>();
    let brokeGlass = false;
    for (const agreed of consent.agreed) {
      const found = counted(set, requirement, agreed, concerned, now);
      if (!found) continue;
      people.add(found.as);
      brokeGlass ||= agreed.brokeGlass;
      found.keys.forEach((key) => keys.add(key));
      ends.push(...found.ends);
    }
    return brokeGlass || people.size >= requirement.consent.approvals;
  });
  return {
    // What may be used any number of times comes first: no use is spent where none is needed.
    consents: consents.toSorted((left, right) => Number(left.usesLeft !== null) - Number(right.usesLeft !== null)),
    keys: [...keys],
    validUntil: ends.length > 0 ? Math.min(...ends) : null,
  };
}

/** Somebody whose agreement counts: as whom, and what that rests on. */
interface Counted {
  readonly as: string;
  readonly keys: readonly TouchKey[];
  readonly ends: readonly number[];
}

function counted(
  set: PolicySet,
  { consent }: Requirement,
  { person, for: other, acr, brokeGlass }: Agreed,
  concerned: Concerned,
  now: number,
): Counted | undefined {
  if (consent.assurance !== undefined && acr !== consent.assurance) return undefined;
  const known = personAt(set, person, now);
  if (!known) return undefined;
  if (other) {
    const delegator = personAt(set, other, now);
    if (!delegator || brokeGlass || !mayStandIn(set, consent, concerned, known, delegator)) return undefined;
    return { as: delegator.key, keys: [...known.keys, ...delegator.keys], ends: endsOf(delegator) };
  }
  const wanted = brokeGlass ? 'break_glass' : 'entitled';
  if (entitlementOf(set, consent, concerned, known) !== wanted) return undefined;
  return { as: known.key, keys: known.keys, ends: endsOf(known) };
}

const endsOf = ({ roles }: KnownPerson): number[] => (roles.validUntil === null ? [] : [roles.validUntil]);
