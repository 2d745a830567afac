import { digest } from '../json.js';
import { identitiesOf } from './identities.js';
import { parsePrincipal, subjectKey } from './names.js';
import type { AnyDocument, BindingDocument, SubjectDocument, SuspensionDocument } from './schema.js';

/**
 * What a change may concern, and what a decision rests on: a decision is overtaken by a change if they share a key, or
 * if the change touches `*`. A server has a key for its name and one for the identity by which a host may find it; an API
 * key or client (a credential) has one of its own, so that ending it does not hold up those who use another, and so has one
 * access token. An issuer has one for its name and one for the text that its tokens say; on `administration` rests what an
 * administrator may do.
 */
export type TouchKey =
  | '*'
  | 'administration'
  | `credential:${string}`
  | `token:${string}`
  | `issuer:${string}`
  | `subject:${string}`
  | `group:${string}`
  | `host:${string}`
  | `server:${string}`;

/**
 * The keys that a change of one document touches; none for a Test, on which no decision rests. Both versions count: a binding moved from Ann to Bob concerns both.
 *
 * INVARIANT: every decision whose result could differ under the change shares a key with it. Where that is not plain,
 * the answer is `*`.
 */
export function touchedKeys(before: AnyDocument | undefined, after: AnyDocument | undefined): readonly TouchKey[] {
  const keys = [before, after].flatMap((document) => (document ? keysOf(document) : []));
  return keys.includes('*') ? ['*'] : [...new Set(keys)];
}

function keysOf(document: AnyDocument): readonly TouchKey[] {
  switch (document.kind) {
    case 'Role':
    case 'Policy':
    case 'Tenant':
    case 'Guardrail':
      return ['*'];
    case 'Binding':
      return document.subjects.flatMap((ref) => keysOfPrincipal(ref));
    case 'Subject':
      return keysOfSubject(document);
    case 'Scope':
      return document.server === undefined ? [`host:${document.host!}`] : [`server:${document.server}`];
    case 'Resource':
      return document.server === undefined ? ['*'] : [`server:${document.server}`];
    case 'Server':
      return [`server:${document.name}`, ...identitiesOf(document).map(keyOfServerIdentity)];
    case 'Host':
      return [`host:${document.name}`];
    case 'Test':
      return [];
    case 'Issuer':
      return [keyOfIssuer(document.name), keyOfIssuerText(document.issuer), 'administration'];
    case 'Mapping':
      return [keyOfIssuer(document.issuer), 'administration'];
    case 'AdministratorRole':
    case 'AdministratorBinding':
      return ['administration'];
    case 'Suspension':
      return [keyOfSuspension(document)];
  }
}

function keyOfSuspension({ of, name }: SuspensionDocument): TouchKey {
  switch (of) {
    case 'Server':
      return `server:${name}`;
    case 'Host':
      return `host:${name}`;
    case 'Subject':
      return `subject:${name}`;
    case 'Tenant':
      return '*';
  }
}

/** The key of a server's identity, short however long a command line is. No name of a server begins so. */
export const keyOfServerIdentity = (identity: string): TouchKey => `server:#${digest(identity)}`;

/** The key of an Issuer by its name. */
export const keyOfIssuer = (name: string): TouchKey => `issuer:${name}`;

/**
 * The key of what tokens call their issuer: which Issuer a token is one of may change when another of the same text comes.
 * No name of an Issuer begins so.
 */
export const keyOfIssuerText = (issuer: string): TouchKey => `issuer:#${digest(issuer)}`;

/** Stands for every group in what a decision rests on whose subject's groups are not known. */
export const ANY_GROUP: TouchKey = 'group:*';

function keysOfPrincipal(ref: BindingDocument['subjects'][number]): readonly TouchKey[] {
  const principal = parsePrincipal(ref);
  if (principal?.kind === 'group') return [`group:${principal.name}`, ANY_GROUP];
  return principal?.kind === 'subject' ? [`subject:${subjectKey(principal.type, principal.id)}`] : ['*'];
}

/** A subject and each of its aliases: giving someone's alias to another changes who a request is about. */
function keysOfSubject({ type, id, aliases = [] }: SubjectDocument): readonly TouchKey[] {
  return [{ type, id }, ...aliases].map((ref): TouchKey => `subject:${subjectKey(ref.type, ref.id)}`);
}
