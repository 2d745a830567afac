import { guardedName, instantOf } from './values.js';
import { childElements } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import { child, textOf } from './signature-shape.js';
import { nameOf, NAME_FORMATS, UNSPECIFIED_CONTEXT } from './names.js';
import type { XmlElement } from './xmldom.js';

/** Between our clock and the identity provider's, in ms. */
export const CLOCK_TOLERANCE = 60_000;

/** How long after it was made an assertion counts at most, in ms, whatever it says itself. */
export const MAX_ASSERTION_AGE = 300_000;

/** For whom, and for what, an assertion must have been made. */
export interface Expected {
  /** The entity id of the identity provider. */
  readonly issuer: string;
  /** Our own. */
  readonly audience: string;
  /** Where we take answers. */
  readonly recipient: string;
  /** Of the request that this browser was sent with. */
  readonly requestId: string;
  /** ms since 1970. */
  readonly now: number;
  /** Told what is looked at next, and what is there. It changes nothing. */
  readonly look?: Look | undefined;
}

/** What is looked at in an answer, one after the other. */
export type SamlStep =
  | 'document'
  | 'status'
  | 'in_response_to'
  | 'destination'
  | 'response_issuer'
  | 'encryption'
  | 'signature'
  | 'assertion_issuer'
  | 'issue_instant'
  | 'recipient'
  | 'confirmation'
  | 'audience'
  | 'validity'
  | 'authentication';

export type Look = (step: SamlStep, found: string) => void;

/** What an identity provider has said of a person, signed and made for this sign-in. */
export interface SamlAssertion {
  readonly id: string;
  /** Null: there is none, or it is not one that stays with a person and means them here. */
  readonly persistentId: string | null;
  readonly nameId: { readonly value: string; readonly format: string | null } | null;
  /** Every value of every attribute, by name; those of two attributes of one name together. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** When the person proved who they are, in ms since 1970; null: it is not known. */
  readonly authenticatedAt: number | null;
  /** Of which class the proof was; null: it is not known. */
  readonly contextClass: string | null;
  readonly sessionIndex: string | null;
  /** When a session that rests on it must be over, in ms since 1970; null: whenever. */
  readonly sessionEndsAt: number | null;
  /** When it is too old to be used, in ms since 1970. */
  readonly usableUntil: number;
}

/**
 * Reads what is signed, and nothing else. Throws SamlRefused unless it was made by that identity provider, for us, for this
 * request and for now (SAML 2.0 profiles §4.1.4.3).
 * @param assertion what the signature covers
 */
export function readAssertion(assertion: XmlElement, expected: Expected): SamlAssertion {
  const { now, look } = expected;
  const issuer = textOf(child(assertion, 'saml:Issuer'));
  look?.('assertion_issuer', `the Issuer of the assertion is ${issuer}, the one of the document is ${expected.issuer}`);
  if (issuer !== expected.issuer) refuse('another issuer has made the assertion');
  const made = instantOf(assertion, 'IssueInstant') ?? refuse('the assertion does not say when it was made');
  look?.('issue_instant', `it was made ${distance(made, now)}`);
  if (made > now + CLOCK_TOLERANCE) refuse('the assertion is of the future');
  const confirmedUntil = checkConfirmation(child(assertion, 'saml:Subject'), expected);
  const conditionsEnd = checkConditions(child(assertion, 'saml:Conditions'), expected);
  const usableUntil = Math.min(made + MAX_ASSERTION_AGE, confirmedUntil, conditionsEnd) + CLOCK_TOLERANCE;
  look?.(
    'validity',
    `made ${distance(made, now)}, and NotOnOrAfter is ${distance(Math.min(confirmedUntil, conditionsEnd), now)}`,
  );
  if (now >= usableUntil) refuse('the assertion is too old');
  look?.('authentication', 'how and when the person proved who they are');
  return {
    id: assertion.getAttribute('ID'),
    ...namesOf(child(child(assertion, 'saml:Subject'), 'saml:NameID'), expected),
    attributes: attributesOf(assertion),
    ...proofOf(assertion, now),
    usableUntil,
  };
}

/** The one bearer confirmation. Returns until when it counts. */
function checkConfirmation(subject: XmlElement | undefined, { recipient, requestId, now, look }: Expected): number {
  const confirmation = child(subject, 'saml:SubjectConfirmation');
  const data = child(confirmation, 'saml:SubjectConfirmationData');
  look?.('confirmation', `the confirmation is ${confirmation?.getAttribute('Method') ?? 'not there'}`);
  if (confirmation?.getAttribute('Method') !== 'urn:oasis:names:tc:SAML:2.0:cm:bearer' || !data)
    return refuse('the assertion is not for whoever brings it');
  look?.('recipient', `Recipient is ${data.getAttribute('Recipient') || 'not said'}, ours is ${recipient}`);
  if (data.getAttribute('Recipient') !== recipient) refuse('the assertion is for another recipient');
  look?.('in_response_to', answering('the assertion', data.getAttribute('InResponseTo'), requestId));
  if (data.getAttribute('InResponseTo') !== requestId) refuse('the assertion answers another request');
  look?.('confirmation', 'from when and until when it may be brought');
  const notBefore = instantOf(data, 'NotBefore');
  if (notBefore !== null && notBefore > now + CLOCK_TOLERANCE) refuse('the assertion does not count yet');
  return instantOf(data, 'NotOnOrAfter') ?? refuse('the assertion does not say until when it may be brought');
}

/** Each restriction must name us. Returns until when the conditions hold. */
function checkConditions(conditions: XmlElement | undefined, { audience, now, look }: Expected): number {
  if (!conditions) return refuse('the assertion has no conditions');
  const restrictions = childElements(conditions).filter((each) => nameOf(each) === 'saml:AudienceRestriction');
  const isForUs = (restriction: XmlElement) => childElements(restriction).some((each) => textOf(each) === audience);
  look?.('audience', `Audience is ${listed(restrictions.flatMap(childElements).map(textOf))}, ours is ${audience}`);
  if (restrictions.length === 0 || !restrictions.every(isForUs)) refuse('the assertion is for another audience');
  look?.('validity', 'from when it counts');
  const notBefore = instantOf(conditions, 'NotBefore');
  if (notBefore !== null && notBefore > now + CLOCK_TOLERANCE) refuse('the assertion does not count yet');
  return instantOf(conditions, 'NotOnOrAfter') ?? Infinity;
}

/**
 * The name of the subject. A persistent one is an identity, unless it says that it is of another directory, or meant for
 * another service (SAML 2.0 core §8.3.7).
 */
function namesOf(
  element: XmlElement | undefined,
  { issuer, audience }: Expected,
): Pick<SamlAssertion, 'nameId' | 'persistentId'> {
  const value = textOf(element);
  if (!element || value === '') return { nameId: null, persistentId: null };
  const format = element.getAttribute('Format') || null;
  const isOurs =
    format === NAME_FORMATS.persistent &&
    [issuer, ''].includes(element.getAttribute('NameQualifier')) &&
    [audience, ''].includes(element.getAttribute('SPNameQualifier'));
  return { nameId: { value, format }, persistentId: isOurs ? value : null };
}

function attributesOf(assertion: XmlElement): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const statements = childElements(assertion).filter((each) => nameOf(each) === 'saml:AttributeStatement');
  for (const attribute of statements.flatMap(childElements)) {
    const name = guardedName(attribute.getAttribute('Name'));
    found.set(name, [...(found.get(name) ?? []), ...childElements(attribute).map(textOf)]);
  }
  return found;
}

/** How and when they proved who they are. What two statements say is not known: which of them counts, neither says. */
function proofOf(
  assertion: XmlElement,
  now: number,
): Pick<SamlAssertion, 'authenticatedAt' | 'contextClass' | 'sessionIndex' | 'sessionEndsAt'> {
  const statements = childElements(assertion).filter((each) => nameOf(each) === 'saml:AuthnStatement');
  if (statements.length === 0) return refuse('the assertion does not say that anybody has signed in');
  const ends = statements.map((each) => instantOf(each, 'SessionNotOnOrAfter')).filter((end) => end !== null);
  const sessionEndsAt = ends.length === 0 ? null : Math.min(...ends);
  if (sessionEndsAt !== null && sessionEndsAt <= now) refuse('the session at the identity provider is over');
  const [only, another] = statements;
  if (another) return { authenticatedAt: null, contextClass: null, sessionIndex: null, sessionEndsAt };
  const context = textOf(child(child(only, 'saml:AuthnContext'), 'saml:AuthnContextClassRef'));
  return {
    authenticatedAt: instantOf(only!, 'AuthnInstant'),
    contextClass: context === '' || context === UNSPECIFIED_CONTEXT ? null : context,
    sessionIndex: only!.getAttribute('SessionIndex') || null,
    sessionEndsAt,
  };
}

/** When something is, from now. */
export function distance(at: number, now: number): string {
  if (at === Infinity) return 'never';
  const seconds = Math.round(Math.abs(at - now) / 1000);
  return `${new Date(at).toISOString()}, ${at > now ? `in ${seconds} s` : `${seconds} s ago`}`;
}

/** Which request something says that it answers. */
export const answering = (what: string, inResponseTo: string | null, requestId: string): string =>
  `${what} answers ${inResponseTo || 'no request'}, and ${requestId} was sent`;

const listed = (texts: readonly string[]): string => texts.join(', ') || 'not said';

const refuse = (message: string): never => {
  throw new SamlRefused('not_for_us', message);
};
