import { Refusal } from '#http';
import {
  choicesOf,
  entitlementOf,
  hasFourEyes,
  mayStandIn,
  personAt,
  reachOf,
  type ConsentChoice,
  type Entitlement,
  type KnownPerson,
  type PolicySet,
  type SignedInPerson,
} from '#policy';
import type { Delegator, StoredConsentRequest } from '#store';
import { contentOf, type RequestContent } from './content.js';
import type { AskedFor } from './outcome.js';
import { partsOf, signedIn, type RequestPart } from './parts.js';

/** A request, as somebody may answer it. */
export interface AnswerableRequest {
  readonly request: StoredConsentRequest;
  readonly content: RequestContent;
  /** As whom; `none`: they have answered it before, and may not any more. */
  readonly as: Entitlement;
  /** In whose place, where they are not asked themselves. */
  readonly inPlaceOf: Delegator | null;
  readonly choices: readonly ConsentChoice[];
  /** What is required, each with where it stands and what they can do about it. */
  readonly parts: readonly RequestPart[];
  /** How many people it takes to break the glass. */
  readonly breakers: 1 | 2;
}

/** For whom a request is, and where. */
export const askedFor = ({ request, content }: Pick<AnswerableRequest, 'request' | 'content'>): AskedFor => ({
  subject: { ...content.subject, key: request.subject },
  server: request.server === null ? null : { id: request.server },
  session: request.session,
});

/** Somebody who is signed in, and how (`acr`; null: it is not known). */
export interface Visitor {
  readonly person: SignedInPerson;
  readonly acr: string | null;
}

/** A request as somebody may answer it; undefined where they may not. */
export function answerable(
  set: PolicySet,
  request: StoredConsentRequest,
  { person, acr }: Visitor,
  delegators: readonly Delegator[],
  now: number,
): AnswerableRequest | undefined {
  const known = personAt(set, person, now);
  if (!known) return undefined;
  const content = contentOf(request.content);
  const asked = askedFor({ request, content });
  const ways = content.requirements.map(({ consent }) => entitlementOf(set, consent, asked, known));
  const own = (['entitled', 'break_glass'] as const).find((way) => ways.includes(way)) ?? 'none';
  // Somebody who may only break the glass rather answers for somebody who is asked.
  const inPlaceOf = own === 'entitled' ? null : placeFor(set, content, asked, known, delegators, now);
  const as = inPlaceOf ? 'entitled' : own;
  const hasAnswered = request.answers.some((answer) => answer.person === person.id);
  if (as === 'none' && !hasAnswered) return undefined;
  const blocks = content.requirements.map(({ consent }) => consent);
  const agreeing = { person, for: inPlaceOf ? signedIn(inPlaceOf) : undefined, acr, brokeGlass: as === 'break_glass' };
  return {
    request,
    content,
    as,
    inPlaceOf,
    choices: choicesOf(blocks, request.session !== null),
    breakers: hasFourEyes(set.documents, 'breakGlass') ? 2 : 1,
    parts: partsOf(set, content.requirements, asked, request.answers, agreeing, now),
  };
}

/** The first of those in whose place somebody may agree to a requirement of a request; null: of nobody. */
function placeFor(
  set: PolicySet,
  { requirements }: RequestContent,
  asked: AskedFor,
  known: KnownPerson,
  delegators: readonly Delegator[],
  now: number,
): Delegator | null {
  const may = (delegator: Delegator): boolean => {
    const other = personAt(set, signedIn(delegator), now);
    return other !== undefined && requirements.some(({ consent }) => mayStandIn(set, consent, asked, known, other));
  };
  return delegators.find(may) ?? null;
}

/** The choice that somebody makes, or the first one. Throws Refusal for one that the policy does not leave. */
export function chosen(
  { content, choices, request }: AnswerableRequest,
  choice: ConsentChoice | undefined,
): ConsentChoice {
  const taken = choice ?? choices[0]!;
  const blocks = content.requirements.map(({ consent }) => consent);
  if (reachOf(blocks, request.session !== null, [taken])) return taken;
  throw new Refusal('invalid_request', 'choice: the policy does not leave that choice; see choices of the request');
}

/** The reason for which the glass is broken; null where it is not. Throws Refusal where it must be said, or must not. */
export function breaking(
  { as }: AnswerableRequest,
  answer: 'agreed' | 'refused',
  breakGlass: string | undefined,
): string | null {
  if (as === 'none') throw new Refusal('not_entitled', 'you are not among those who may answer any more');
  if (answer === 'refused') {
    if (as !== 'break_glass') return null;
    throw new Refusal('not_entitled', 'you are not among those who may agree, so it is not for you to refuse either');
  }
  if (as === 'entitled' && breakGlass === undefined) return null;
  if (as === 'break_glass' && breakGlass !== undefined) {
    if (isReason(breakGlass)) return breakGlass;
    throw new Refusal(
      'invalid_request',
      `say why it cannot wait (break_glass), in ${LEAST_REASON} characters or more that can be read`,
    );
  }
  throw new Refusal(
    'not_entitled',
    as === 'break_glass'
      ? 'you are not among those who may agree: to break the glass, say why in break_glass'
      : 'break_glass: you are among those who may agree, so there is no glass to break',
  );
}

/** Characters of why the glass is broken, where blanks in a row are one and those that nobody sees are none. */
const LEAST_REASON = 10;

function isReason(text: string): boolean {
  const seen = text.replace(/[\p{Z}\s]+/gu, ' ').replace(/[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu, '');
  return seen.trim().length >= LEAST_REASON && !text.includes('\0');
}
