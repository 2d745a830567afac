import { Refusal } from '#http';
import { administratorOf, refusedKey } from '#identity';
import { groupsOf } from '#policy';
import type { Snapshots } from '#snapshot';
import { PersonReader, type Store } from '#store';
import type { PersonalRights } from '../http/token-principals.js';
import { isStillVouchedFor, isSuspended, subjectOf } from '../sign-in/person-sessions.js';

/** What people may administer by what their identity provider said of them at their last sign-in. */
export function personalRights(store: Store, snapshots: Snapshots): PersonalRights {
  const people = new PersonReader(store);
  return async ({ tenant, person, proof, validUntil, ...proven }) => {
    const known = await people.find(tenant, person);
    const snapshot = await snapshots.of(tenant);
    const { policies } = snapshot;
    const issuer = known && policies.documents.find('Issuer', known.issuer)?.document;
    const subject = subjectOf(person);
    const stands = known && issuer && isStillVouchedFor(policies, known.issuer, person, known.claims);
    if (!stands || isSuspended(snapshot, subject))
      throw refusedKey({ tenant, credential: proven.credential, reason: 'disabled' });
    const { claims } = known;
    const groups = groupsOf(issuer, claims);
    const verified = { id: person, issuer: known.issuer, claims, groups };
    const rights = administratorOf(policies.documents, verified, store.clock.now());
    if (rights.roles.length === 0)
      throw new Refusal('not_an_administrator', `${person} has no right to administer: nothing binds them to a role`);
    return {
      kind: 'administrator',
      ...proven,
      tenant,
      name: known.name ?? person,
      subject,
      roles: rights.roles,
      ability: rights.ability,
      assurance: null,
      proof: { epoch: proof.epoch, keys: [...new Set([...proof.keys, ...rights.keys])] },
      validUntil: Math.min(validUntil, rights.validUntil ?? Infinity),
    };
  };
}
