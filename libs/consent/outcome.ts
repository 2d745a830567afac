import {
  entitlementOf,
  mayStandIn,
  ONCE_MS,
  personAt,
  reachOf,
  type Concerned,
  type ConsentChoice,
  type PolicySet,
  type SignedInPerson,
} from '#policy';
import type { NewConsent } from '#store';
import type { AskedRequirement } from './content.js';
import { newConsentId } from './ids.js';

/** Somebody who has agreed, how far they want it to reach, and how they had signed in. */
export interface Agreement {
  readonly person: SignedInPerson;
  /** In whose place they have agreed; left out: their own. */
  readonly for?: SignedInPerson | undefined;
  readonly acr: string | null;
  readonly brokeGlass: boolean;
  readonly choice: ConsentChoice;
}

/** For whom something was asked, and where. */
export interface AskedFor extends Concerned {
  readonly session: string | null;
}

/**
 * The consents that come of some agreements: one for each requirement, once as many people as it wants have agreed who may;
 * undefined while one of them is not met. One agreement serves two requirements only where its person is entitled to both.
 * @param now ms since 1970
 */
export function consentsOf(
  set: PolicySet,
  requirements: readonly AskedRequirement[],
  asked: AskedFor,
  agreements: readonly Agreement[],
  now: number,
): readonly NewConsent[] | undefined {
  const consents = requirements.map((_, index) => consentOf(set, requirements, index, asked, agreements, now));
  return consents.every((consent) => consent !== undefined) ? consents : undefined;
}

function consentOf(
  set: PolicySet,
  requirements: readonly AskedRequirement[],
  requirement: number,
  asked: AskedFor,
  agreements: readonly Agreement[],
  now: number,
): NewConsent | undefined {
  const { rule, consent, binding } = requirements[requirement]!;
  const counted = agreements.filter((agreement) => counts(set, consent, asked, agreement, now));
  const people = new Set(counted.map(({ person, for: other }) => personAt(set, other ?? person, now)!.key));
  const brokeGlass = counted.some((agreement) => agreement.brokeGlass);
  if (!brokeGlass && people.size < consent.approvals) return undefined;
  // Who agrees is asked once for all of it, so how far it reaches is what all of it leaves.
  const reach = reachOf(
    requirements.map((each) => each.consent),
    asked.session !== null,
    counted.map(({ choice }) => choice),
  );
  if (!reach) return undefined;
  return {
    id: newConsentId(),
    requirement,
    binding,
    agreed: counted.map(({ person }) => person.id),
    policy: rule?.policy ?? null,
    rule: rule?.rule ?? null,
    // Whoever breaks the glass does it for this one time.
    uses: brokeGlass ? 1 : reach.uses,
    session: reach.session ? asked.session : null,
    ms: brokeGlass ? Math.min(reach.ms, ONCE_MS) : reach.ms,
  };
}

function counts(
  set: PolicySet,
  consent: AskedRequirement['consent'],
  asked: AskedFor,
  { person, for: other, acr, brokeGlass }: Agreement,
  now: number,
): boolean {
  if (consent.assurance !== undefined && acr !== consent.assurance) return false;
  const known = personAt(set, person, now);
  if (!known) return false;
  if (other) {
    const delegator = personAt(set, other, now);
    return delegator !== undefined && !brokeGlass && mayStandIn(set, consent, asked, known, delegator);
  }
  return entitlementOf(set, consent, asked, known) === (brokeGlass ? 'break_glass' : 'entitled');
}
