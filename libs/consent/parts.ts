import { weighAgreements, type Agreed, type ConsentChoice, type PolicySet, type SignedInPerson } from '#policy';
import type { ConsentAnswer } from '#store';
import type { AskedRequirement } from './content.js';
import type { Agreement, AskedFor } from './outcome.js';

/** One of the requirements of a request, as it stands for somebody who looks at it. */
export interface RequestPart {
  readonly requirement: AskedRequirement;
  /** How many people have agreed to it who may, signed in as it wants. */
  readonly people: number;
  /** How many must: fewer, once somebody has broken the glass. */
  readonly wanted: number;
  /** Whether somebody has broken the glass for it, and another must yet. */
  readonly isHalfBroken: boolean;
  readonly isMet: boolean;
  /**
   * What whoever looks can do about it: agree as they are signed in; sign in as it wants, and then agree; or nothing, because
   * they have agreed to it, or may not.
   */
  readonly yours: 'agree' | 'sign_in' | 'nothing';
  /** Where they sign in for it: a path of ours. */
  readonly signInAt?: string;
}

/**
 * Where each requirement stands for somebody.
 *
 * A requirement may want a certain way of signing in, which is asked of the session of whoever answers. So one answer counts
 * for those requirements that the session suffices for, and the same person agrees once more, signed in otherwise, to others.
 * @param agreeing what they would be recorded as if they agreed now
 */
export function partsOf(
  set: PolicySet,
  requirements: readonly AskedRequirement[],
  asked: AskedFor,
  answers: readonly ConsentAnswer[],
  agreeing: Agreed,
  now: number,
): readonly RequestPart[] {
  const agreements = agreementsOf(answers);
  return requirements.map((requirement) => {
    const { consent } = requirement;
    const { counted, people, wanted, areEnough } = weighAgreements(set, consent, agreements, asked, now);
    const wouldCount = (acr: string | null): boolean =>
      weighAgreements(set, consent, [{ ...agreeing, acr }], asked, now).counted.length > 0;
    const hasCounted = counted.some(({ person }) => person.id === agreeing.person.id);
    const could = wouldCount(agreeing.acr) ? 'agree' : wouldCount(consent.assurance ?? null) ? 'sign_in' : 'nothing';
    const isHalfBroken = !areEnough && counted.some(({ brokeGlass }) => brokeGlass);
    return { requirement, people, wanted, isHalfBroken, isMet: areEnough, yours: hasCounted ? 'nothing' : could };
  });
}

/** What was agreed to by some answers and was not taken back. */
export const agreementsOf = (answers: readonly ConsentAnswer[]): readonly Agreement[] =>
  answers.flatMap(({ answer, withdrawnAt, choice, acr, brokeGlass, for: other, ...person }) =>
    answer !== 'agreed' || withdrawnAt !== null || choice === null
      ? []
      : [
          {
            person: signedIn(person),
            for: other ? signedIn(other) : undefined,
            acr,
            brokeGlass: brokeGlass !== null,
            choice: choice as unknown as ConsentChoice,
          },
        ],
  );

/** Somebody as they signed in last. */
export const signedIn = ({
  person,
  issuer,
  claims,
}: Pick<ConsentAnswer, 'person' | 'issuer' | 'claims'>): SignedInPerson => ({
  id: person,
  issuer,
  claims,
});

/** The agreement of somebody that stands; undefined where they have none. */
export const ownAgreement = (answers: readonly ConsentAnswer[], person: string): ConsentAnswer | undefined =>
  answers.find((one) => one.person === person && one.answer === 'agreed' && one.withdrawnAt === null);
