import { Refusal } from '#http';
import { audiencesOf, TOLERANCE_MS, TokenRefused, type VerifiedToken } from '#identity';
import {
  groupsOfPerson,
  layer,
  mapClaims,
  own,
  type DecisionInput,
  type Json,
  type JsonObject,
  type PolicySet,
} from '#policy';
import type { TenantSnapshot } from '#snapshot';

type ProvenSubject = DecisionInput['subject'];

/**
 * Looks at a verified token on one state. Throws TokenRefused, and Refusal where its Issuer has changed since it was verified:
 * by the new one it may not be good.
 *
 * INVARIANT: no decision rests on a token that has expired, that was issued before its subject was denied, or whose Issuer
 * is not the one that it was verified by.
 */
export function checkStanding(
  { issuer, subject, issuedAt, expiresAt }: VerifiedToken,
  snapshot: Pick<TenantSnapshot, 'policies' | 'denies'>,
  now: number,
): void {
  const { name } = issuer.document;
  const stored = snapshot.policies.documents.find('Issuer', name);
  if (!stored) throw new TokenRefused('issuer_unknown', 'its Issuer was deleted', name);
  if (stored !== issuer) {
    throw new Refusal('too_many_changes', 'the identity provider of the subject has changed meanwhile: ask again');
  }
  if (expiresAt <= now) throw new TokenRefused('expired', 'it has expired meanwhile', name);
  // A provider whose clock is ahead says that it issued later than it did.
  if (snapshot.denies([`subject:${subject!.id}`], issuedAt - TOLERANCE_MS)) {
    throw new TokenRefused('denied', 'tokens of its subject from before are not good any more', name);
  }
}

/**
 * What a token makes of its subject on one state: groups, roles and attributes by the Mappings of its issuer.
 * @param asserted attributes that the host may add; what the claims give wins over them
 */
export function provenSubject(token: VerifiedToken, policies: PolicySet, asserted: JsonObject): ProvenSubject {
  const subject = mappedSubject(token, policies);
  return { ...subject, properties: layer(subject.properties, asserted) };
}

/** Worked out once for each token, and state of the documents and of who is provisioned. */
const known = new WeakMap<
  VerifiedToken,
  { readonly documents: PolicySet['documents']; readonly person: unknown; readonly subject: ProvenSubject }
>();

function mappedSubject(token: VerifiedToken, { documents, provisioned }: PolicySet): ProvenSubject {
  const before = known.get(token);
  const person = provisioned.of(token.subject!.id);
  if (before?.documents === documents && before.person === person) return before.subject;
  const { document } = token.issuer;
  const groups = groupsOfPerson({ provisioned }, document, token.claims);
  const { roles, properties, unsure } = mapClaims(documents.all('Mapping'), document, token.claims, groups);
  const subject: ProvenSubject = {
    ...token.subject!,
    properties,
    assurance: 'verified',
    groups,
    roles,
    unsure,
    token: tokenView(token),
    issuer: { name: document.name, iss: document.issuer },
  };
  known.set(token, { documents, person, subject });
  return subject;
}

/** What conditions read as `subject.token`: the same members for every provider where they agree, and all claims as they are. */
function tokenView({ issuer, claims }: VerifiedToken): JsonObject {
  const first = (...names: string[]): Json | undefined => names.map((name) => own(claims, name)).find(isText);
  const members: Record<string, Json | undefined> = {
    issuer: issuer.document.name,
    iss: own(claims, 'iss'),
    sub: own(claims, 'sub'),
    aud: audiencesOf(claims),
    client_id: first('client_id', 'azp', 'appid', 'cid'),
    scope: scopesOf(own(claims, 'scope')) ?? scopesOf(own(claims, 'scp')),
    acr: own(claims, 'acr'),
    amr: own(claims, 'amr'),
    auth_time: own(claims, 'auth_time'),
    // RFC 8693, section 4.1: who acts for the subject; nested, for whom that one does.
    act: own(claims, 'act'),
    claims,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}

const isText = (value: Json | undefined): value is string => typeof value === 'string';

/** Scopes as RFC 8693 and Entra write them, in one text, or as Okta does, in a list. */
function scopesOf(value: Json | undefined): readonly string[] | undefined {
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '');
  return Array.isArray(value) && value.every(isText) ? value : undefined;
}
