import {
  ONCE_MS,
  reachOf,
  weighAgreements,
  type Agreed,
  type Concerned,
  type ConsentChoice,
  type PolicySet,
} from '#policy';
import type { NewConsent } from '#store';
import type { AskedRequirement } from './content.js';
import { newConsentId } from './ids.js';

/** Somebody who has agreed, how they had signed in, and how far they want it to reach. */
export interface Agreement extends Agreed {
  readonly choice: ConsentChoice;
}

/** For whom something was asked, and where. */
export interface AskedFor extends Concerned {
  readonly session: string | null;
}

/**
 * The consents that come of some agreements: one for each requirement, once as many people as it wants have agreed who may;
 * undefined while one of them is not met. An agreement serves each requirement to which its person is entitled, signed in as
 * they were when they gave it.
 * @param now ms since 1970
 */
export function consentsOf(
  set: PolicySet,
  requirements: readonly AskedRequirement[],
  asked: AskedFor,
  agreements: readonly Agreement[],
  now: number,
): readonly Omit<NewConsent, 'superseded'>[] | undefined {
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
): Omit<NewConsent, 'superseded'> | undefined {
  const { rule, consent, binding } = requirements[requirement]!;
  const { counted, areEnough } = weighAgreements(set, consent, agreements, asked, now);
  if (!areEnough) return undefined;
  // Who agrees is asked once for all of it, so how far it reaches is what all of it leaves.
  const reach = reachOf(
    requirements.map((each) => each.consent),
    asked.session !== null,
    counted.map(({ choice }) => choice),
  );
  if (!reach) return undefined;
  const brokeGlass = counted.some((agreement) => agreement.brokeGlass);
  return {
    id: newConsentId(),
    requirement,
    binding,
    agreed: [...new Set(counted.map(({ person }) => person.id))],
    policy: rule?.policy ?? null,
    rule: rule?.rule ?? null,
    // Whoever breaks the glass does it for this one time.
    uses: brokeGlass ? 1 : reach.uses,
    session: reach.session ? asked.session : null,
    ms: brokeGlass ? Math.min(reach.ms, ONCE_MS) : reach.ms,
  };
}
