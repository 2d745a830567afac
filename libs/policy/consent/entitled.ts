import { compilePrincipals } from '../compile/principals.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { ResolvedRequest } from '../decide/request.js';
import { parsePrincipal, subjectKey } from '../documents/names.js';
import type { ConsentBlock } from '../documents/schema.js';
import { own } from '../json.js';
import type { JsonObject } from '../model.js';
import type { KnownPerson } from './person.js';

/** Whom an agreement is about: the person on whose behalf something is to happen, and the server where it is. */
export type Concerned = {
  readonly subject: Pick<ResolvedRequest['subject'], 'type' | 'id' | 'key'>;
  readonly server: Pick<NonNullable<ResolvedRequest['server']>, 'id'> | null;
};

/** As whom somebody may answer: as one of those that the block names, or because the glass may be broken. */
export type Entitlement = 'entitled' | 'break_glass' | 'none';

/**
 * Whether a person may agree to what a consent block asks. Only what is certain counts: a group that may be there, or a
 * role that a rule in error could give, entitles nobody. The manager is the one that is stored for the subject, never one
 * that a host asserts; the owner is that of the server. With `notSelf` the person concerned may only break the glass, where
 * the block names them for that: it is for when nobody else is there; and of somebody of whom it is not known as whom they
 * sign in, nobody is known to be another.
 * @param person as of `personAt`
 */
export function entitlementOf(
  set: PolicySet,
  block: Pick<ConsentBlock, 'by' | 'notSelf' | 'breakGlass'>,
  { subject, server }: Concerned,
  person: KnownPerson,
): Entitlement {
  const isSelf = person.key === subject.key;
  if (isSelf && block.by.includes('subject')) return 'entitled';
  const named = block.by.flatMap((by): readonly string[] => {
    if (by === 'subject') return [];
    if (by === 'manager') return managerOf(set, subject);
    if (by === 'owner') return ownerOf(set, server);
    return [by];
  });
  const isOther = !isSelf && signsInAs(set, subject);
  if ((isOther || !block.notSelf) && isOneOf(set, named, person)) return 'entitled';
  return isOneOf(set, block.breakGlass ?? [], person) ? 'break_glass' : 'none';
}

/**
 * Whether somebody may agree in the place of another, who is asked: that other must be entitled by themselves, at each use
 * and not only when it was delegated. What people are asked about themselves nobody answers for them, nobody answers about
 * themselves in another's place, and with `notSelf` the person concerned delegates it to nobody. The glass is broken by
 * nobody for another.
 * @param delegate as of `personAt`, as is the delegator
 */
export function mayStandIn(
  set: PolicySet,
  block: Pick<ConsentBlock, 'by' | 'notSelf'>,
  concerned: Concerned,
  delegate: KnownPerson,
  delegator: KnownPerson,
): boolean {
  if (delegate.key === delegator.key || delegate.key === concerned.subject.key) return false;
  const by = block.by.filter((who) => who !== 'subject');
  return entitlementOf(set, { by, notSelf: block.notSelf }, concerned, delegator) === 'entitled';
}

/**
 * Whether it is known as whom the person concerned signs in: by a name of an Issuer, or an alias that is one. Of somebody who
 * is known by the word of a host alone nobody can tell whether the approver is another.
 */
function signsInAs(set: PolicySet, { type, id }: Concerned['subject']): boolean {
  const names = [{ type, id }, ...(set.subject(type, id)?.aliases ?? [])];
  return names.some((name) => {
    const issuer = set.documents.find('Issuer', name.id.slice(0, Math.max(name.id.indexOf('/'), 0)))?.document;
    return issuer?.signIn !== undefined && issuer.subjectType === name.type;
  });
}

/** Names of people may be aliases: they are compared by the one Subject that they stand for. */
function isOneOf(set: PolicySet, refs: readonly string[], { roles }: KnownPerson): boolean {
  if (refs.length === 0) return false;
  const canonical = refs.map((ref) => {
    const named = parsePrincipal(ref);
    const stored = named?.kind === 'subject' ? set.subject(named.type, named.id) : undefined;
    return stored ? `${stored.type}:${stored.id}` : ref;
  });
  return compilePrincipals(canonical)(roles) === 'true';
}

function managerOf(set: PolicySet, { type, id }: Concerned['subject']): readonly string[] {
  const stored = set.subject(type, id)?.properties as JsonObject | undefined;
  const manager = stored && own(stored, 'manager');
  if (typeof manager !== 'string') return [];
  const named = parsePrincipal(manager);
  if (named) return named.kind === 'subject' ? [manager] : [];
  const key = subjectKey(type, manager);
  return parsePrincipal(key) ? [key] : [];
}

const ownerOf = (set: PolicySet, server: Concerned['server']): readonly string[] => {
  const owner = server ? set.server({ name: server.id })?.owner : undefined;
  return owner === undefined ? [] : [owner];
};
