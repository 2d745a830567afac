import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '#http';
import {
  abilityOf,
  covers,
  exceeding,
  hasOwner,
  may,
  rolesOfCredential,
  type AdministratorAbility,
  type AdministratorPrincipal,
} from '#identity';
import { documentName, type AnyDocument, type DocumentSet } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import type { StoredCredential } from '#store';
import { permit } from '../http/rights.js';
import type { Plan, PlannedDocument } from './documents/plan.js';

/** Throws Refusal if an administrator may not change one of some documents. */
export function permitDocuments(principal: AdministratorPrincipal, documents: readonly PlannedDocument[]): void {
  for (const { kind, name, change } of documents) {
    if (change !== 'unchanged') permit(principal, change === 'deleted' ? 'delete' : 'write', kind, name);
  }
}

/** Documents on which the rights of administrators rest. */
const RIGHTS_KINDS: readonly string[] = ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding'];

/**
 * Throws Refusal for a change of documents that gives somebody more than its maker has, that asks less of those who do
 * more than its maker may, or that leaves no owner.
 * @param now ms since 1970
 */
export function refuseExcess(
  { name, ability }: AdministratorPrincipal,
  snapshot: Pick<TenantSnapshot, 'credentials'>,
  present: DocumentSet,
  { documents, after }: Pick<Plan, 'documents' | 'after'>,
  now: number,
): void {
  const demands = documents.find(({ before, after: next }) => !isDeepStrictEqual(demandsOf(before), demandsOf(next)));
  if (demands && !may(ability, 'write', 'AdministratorBinding')) throw foreignDemands(name);
  const changed = documents.filter(({ kind, change }) => change !== 'unchanged' && RIGHTS_KINDS.includes(kind));
  if (changed.length === 0) return;
  const excess = exceeding(ability, present, after, changed);
  if (excess) throw exceedsOwn(name, `the ${excess.kind} '${documentName(excess)}'`);
  const isOwned = (state: DocumentSet) => hasOwner(snapshot.credentials(), state, now);
  if (isOwned(present) && !isOwned(after)) throw lastOwner();
}

/** What a Tenant document demands of people who administer, and how long it lets them be signed in. */
function demandsOf(document: AnyDocument | undefined): unknown {
  if (document?.kind !== 'Tenant') return undefined;
  const { signIn, administration } = document;
  return signIn || administration ? { signIn, administration } : undefined;
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
  snapshot: Pick<TenantSnapshot, 'credentials' | 'policies'>,
  before: StoredCredential | undefined,
  fate: CredentialFate,
  now: number,
): void {
  const { documents } = snapshot.policies;
  const roles = [...(before ? rolesOfCredential(before) : []), ...(typeof fate === 'object' ? fate.roles : [])];
  if (!covers(maker.ability, abilityOf(roles, documents))) {
    throw exceedsOwn(maker.name, before ? `the credential ${before.id}` : `the roles ${roles.join(', ')}`);
  }
  if (!before || fate === 'taken over') return;
  const others = [...snapshot.credentials()].filter(({ id }) => id !== before.id);
  const after = fate === 'ended' ? others : [...others, { ...before, rights: { roles: fate.roles } }];
  if (hasOwner(snapshot.credentials(), documents, now) && !hasOwner(after, documents, now)) throw lastOwner();
}

/** Whether somebody may do something with a credential: with one of an administrator, only who may grant. */
export const mayWithCredential = (
  ability: AdministratorAbility,
  action: 'write' | 'rotate' | 'delete',
  object: 'Key' | 'Client',
  { principalKind, principal }: Pick<StoredCredential, 'principalKind' | 'principal'>,
): boolean =>
  may(ability, action, object, principal) && (principalKind === 'host' || may(ability, 'grant', object, principal));

const exceedsOwn = (who: string, what: string): Refusal =>
  new Refusal(
    'grant_exceeds_own',
    `'${who}' does not have everything that ${what} gives, so it may neither give it nor take it away: ask an owner`,
  );

const foreignDemands = (who: string): Refusal =>
  new Refusal(
    'grant_exceeds_own',
    `'${who}' may not change who administers, so it may not change signIn or administration of the Tenant document either: ask an owner`,
  );

const lastOwner = (): Refusal =>
  new Refusal('last_owner', 'nobody would be an owner any more: make another owner first');
