import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '#http';
import {
  abilityOf,
  covers,
  exceeding,
  foreignWorkload,
  hasOwner,
  may,
  ownersOf,
  rolesOfCredential,
  type AdministratorAbility,
  type AdministratorPrincipal,
} from '#identity';
import {
  documentName,
  type AnyDocument,
  type DocumentSet,
  type Kind,
  type PolicySet,
  type SuspensionDocument,
} from '#policy';
import type { TenantSnapshot } from '#snapshot';
import type { StoredCredential } from '#store';
import { permit } from '../http/rights.js';
import { asChange, type Plan, type PlannedDocument } from './documents/plan.js';

/** Throws Refusal if an administrator may not change one of some documents. */
export function permitDocuments(principal: AdministratorPrincipal, documents: readonly PlannedDocument[]): void {
  for (const { kind, name, change } of documents) {
    if (change !== 'unchanged') permit(principal, change === 'deleted' ? 'delete' : 'write', kind, name);
  }
}

/** Throws Refusal if an administrator may not read one of the documents that would change. */
export function permitReading(principal: AdministratorPrincipal, documents: readonly PlannedDocument[]): void {
  for (const { kind, name, change } of documents) if (change !== 'unchanged') permit(principal, 'read', kind, name);
}

/** What is looked at to find out who is an owner. */
type OwnedState = Pick<TenantSnapshot, 'credentials' | 'policies'>;

const ownedBy = (snapshot: OwnedState) => ({ credentials: snapshot.credentials(), policies: snapshot.policies });

/** Documents on which the rights of administrators rest. */
const RIGHTS_KINDS: readonly Kind[] = ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding'];

/** Documents that say who is an owner: a Subject can make somebody one of those who are suspended. */
const OWNING_KINDS: readonly Kind[] = [...RIGHTS_KINDS, 'Subject'];

/**
 * Throws Refusal for a change of documents that gives somebody more than its maker has, that asks less of those who do
 * more than its maker may, that says anew whose workloads are whose, or that leaves no owner.
 * @param now ms since 1970
 */
export function refuseExcess(
  { name, ability }: AdministratorPrincipal,
  snapshot: OwnedState,
  present: DocumentSet,
  { documents, after }: Pick<Plan, 'documents' | 'after'>,
  now: number,
): void {
  const demands = documents.find(({ before, after: next }) => !isDeepStrictEqual(demandsOf(before), demandsOf(next)));
  if (demands && !may(ability, 'write', 'AdministratorBinding')) throw foreignDemands(name);
  const changed = documents.filter(({ change }) => change !== 'unchanged');
  const ofRights = changed.filter(({ kind }) => RIGHTS_KINDS.includes(kind));
  const excess = exceeding(ability, present, after, ofRights);
  if (excess) throw exceedsOwn(name, `the ${excess.kind} '${documentName(excess)}'`);
  const workload = foreignWorkload(ability, snapshot.credentials(), ofRights);
  if (workload) throw foreignClient(name, workload);
  const ofOwners = changed.filter(({ kind }) => OWNING_KINDS.includes(kind));
  if (ofOwners.length === 0) return;
  const next = { credentials: snapshot.credentials(), policies: snapshot.policies.fork(ofOwners.map(asChange)) };
  if (!hasOwner(next, now) && hasOwner(ownedBy(snapshot), now)) throw lastOwner();
}

/** What a Tenant document demands of people who administer, how long it lets them be signed in, and who is told of what is asked. */
function demandsOf(document: AnyDocument | undefined): unknown {
  if (document?.kind !== 'Tenant') return undefined;
  const { signIn, administration, notifications } = document;
  return signIn || administration || notifications ? { signIn, administration, notifications } : undefined;
}

/** What becomes of a credential: the roles that it gives, or that it is of no use any more. */
export type CredentialFate = { readonly roles: readonly string[] } | 'taken over' | 'ended';

/**
 * Throws Refusal where the maker of a change would give a credential more than it has itself, would take over or end one
 * that is stronger, or would leave no owner. Only administrators' credentials need the right to grant.
 * @param before undefined: it is made
 * @param now ms since 1970
 */
export function refuseCredential(
  maker: AdministratorPrincipal,
  snapshot: OwnedState,
  before: StoredCredential | undefined,
  fate: CredentialFate,
  now: number,
): void {
  const { policies } = snapshot;
  const roles = [...(before ? rolesOfCredential(before) : []), ...(typeof fate === 'object' ? fate.roles : [])];
  if (!covers(maker.ability, abilityOf(roles, policies.documents))) {
    throw exceedsOwn(maker.name, before ? `the credential ${before.id}` : `the roles ${roles.join(', ')}`);
  }
  if (!before || fate === 'taken over') return;
  const others = [...snapshot.credentials()].filter(({ id }) => id !== before.id);
  const after = fate === 'ended' ? others : [...others, { ...before, rights: { roles: fate.roles } }];
  if (!hasOwner({ credentials: after, policies }, now) && hasOwner(ownedBy(snapshot), now)) throw lastOwner();
}

/**
 * Throws Refusal for a suspension that leaves no owner. Returns whether it ends an owner at all: then it is only right on
 * the state that it was looked at on.
 * @param now ms since 1970
 */
export function refuseLastOwners(snapshot: OwnedState, suspension: SuspensionDocument, now: number): boolean {
  const put = {
    kind: 'Suspension',
    name: documentName(suspension),
    stored: { document: suspension, version: 0 },
  } as const;
  const before = new Set(ownersOf(ownedBy(snapshot), now));
  const next = { credentials: snapshot.credentials(), policies: snapshot.policies.fork([put]) };
  const after = new Set(ownersOf(next, now));
  if (before.size > 0 && after.size === 0) throw lastOwner('or suspend the Tenant, if everything is to stop');
  return after.size < before.size;
}

/** Whether somebody may do something with a credential: with one of an administrator, only who may grant. */
export const mayWithCredential = (
  ability: AdministratorAbility,
  action: 'write' | 'rotate' | 'delete',
  object: 'Key' | 'Client',
  { principalKind, principal }: Pick<StoredCredential, 'principalKind' | 'principal'>,
): boolean =>
  may(ability, action, object, principal) && (principalKind === 'host' || may(ability, 'grant', object, principal));

/**
 * Throws Refusal where the maker of a connector's token does not have everything that people of its Issuer can come to have:
 * whoever holds the token says who they are, and what groups they are in.
 */
export function refuseConnector(
  { name, ability }: AdministratorPrincipal,
  { documents }: PolicySet,
  issuer: string,
): void {
  const document = documents.find('Issuer', issuer)?.document;
  const excess = document && exceeding(ability, documents, documents, [{ before: document, after: document }]);
  if (excess) throw exceedsOwn(name, `the Issuer '${issuer}'`);
}

const exceedsOwn = (who: string, what: string): Refusal =>
  new Refusal(
    'grant_exceeds_own',
    `'${who}' does not have everything that ${what} gives, so it may neither give it nor take it away: ask an owner`,
  );

const foreignDemands = (who: string): Refusal =>
  new Refusal(
    'grant_exceeds_own',
    `'${who}' may not change who administers, so it may not change signIn, administration or notifications of the Tenant document either: ask an owner`,
  );

const foreignClient = (who: string, { id, principal, issuer }: StoredCredential): Refusal =>
  new Refusal(
    'grant_exceeds_own',
    `the client ${id} of the host '${principal}' rests on the Issuer '${issuer}', and '${who}' may not write clients of that host: ` +
      'ask somebody who may, or an owner',
  );

const lastOwner = (otherwise?: string): Refusal =>
  new Refusal(
    'last_owner',
    `nobody would be an owner any more: make another owner first${otherwise === undefined ? '' : `, ${otherwise}`}`,
  );
