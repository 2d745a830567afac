import { Refusal } from '#http';
import { administratorOf, refusedKey } from '#identity';
import { groupsOfPerson, type IssuerDocument } from '#policy';
import type { Snapshots } from '#snapshot';
import { PersonReader, type PersonDetail, type Store } from '#store';
import type { PersonalRights } from '../http/token-principals.js';
import { letsDevicesIn } from './device-flow.js';
import { isPersonOf, isSuspended, limitsOf, subjectOf } from '../sign-in/person-sessions.js';

/** What an identity provider said of a person when they last signed in, and until when that counts (ms since 1970). */
export interface LastSignIn {
  readonly person: PersonDetail;
  readonly issuer: IssuerDocument;
  readonly countsUntil: number;
}

/**
 * Finds the last sign-in of a person that still counts: who is suspended has none, nor has anybody of an Issuer that is not
 * the same any more; and it counts for no longer than a session could that began with it.
 */
export function lastSignIns(
  store: Store,
  snapshots: Snapshots,
): (tenant: string, person: string) => Promise<LastSignIn | undefined> {
  const people = new PersonReader(store);
  return async (tenant, id) => {
    const person = await people.find(tenant, id);
    const snapshot = await snapshots.of(tenant);
    const { policies } = snapshot;
    const issuer = person && policies.documents.find('Issuer', person.issuer)?.document;
    if (!issuer || isSuspended(snapshot, subjectOf(id))) return undefined;
    const countsUntil = Date.parse(person.lastAt) + limitsOf(policies).absoluteMs;
    if (!(countsUntil > store.clock.now())) return undefined;
    return isPersonOf(policies, { ...person, person: id }) ? { person, issuer, countsUntil } : undefined;
  };
}

/** What people may administer by what their identity provider said of them at their last sign-in. */
export function personalRights(store: Store, snapshots: Snapshots): PersonalRights {
  const lastSignIn = lastSignIns(store, snapshots);
  return async ({ tenant, person, proof, validUntil, ...proven }) => {
    const last = await lastSignIn(tenant, person);
    const { policies } = await snapshots.of(tenant);
    // People get tokens by signing in a device, and in no other way.
    if (!last || !letsDevicesIn(policies))
      throw refusedKey({ tenant, credential: proven.credential, reason: 'disabled' });
    const { claims, issuer, name } = last.person;
    const verified = { id: person, issuer, claims, groups: groupsOfPerson(policies, last.issuer, claims) };
    const rights = administratorOf(policies.documents, verified, store.clock.now());
    if (rights.roles.length === 0)
      throw new Refusal('not_an_administrator', `${person} has no right to administer: nothing binds them to a role`);
    return {
      kind: 'administrator',
      ...proven,
      tenant,
      name: name ?? person,
      subject: subjectOf(person),
      roles: rights.roles,
      ability: rights.ability,
      assurance: null,
      proof: { epoch: proof.epoch, keys: [...new Set([...proof.keys, ...rights.keys])] },
      validUntil: Math.min(validUntil, last.countsUntil, rights.validUntil ?? Infinity),
    };
  };
}
