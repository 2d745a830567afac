import { ConsentAnswers, ConsentLinks, ConsentRequests } from '#consent';
import type { KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import { ConsentReader, ConsentStore, PersonReader, type CountedEvents, type Store } from '#store';
import type { Standing } from './admin/changes.js';
import { signInPath } from './admin/step-up.js';
import type { ConsentParts } from './app.module.js';
import { ReviewLinks } from './fronts/requests/review-links.js';
import type { PublicAddress } from './http/public-address.js';

/**
 * What asks people, takes their answers, and says where they are given.
 * @param refused told of requests that are one too many, for administrators
 */
export function assembleConsents(
  store: Store,
  snapshots: Snapshots,
  standing: Standing,
  address: PublicAddress,
  keyCheck: KeyCheck,
  refused: CountedEvents,
): ConsentParts {
  const reader = new ConsentReader(store);
  const written = new ConsentStore(store);
  return {
    requests: new ConsentRequests(reader, written, (tenant, budget, { host, agent, subject }) =>
      refused.note(tenant, { event: 'prompt_budget', budget, host, agent, subject: subject.key }),
    ),
    answers: new ConsentAnswers(
      reader,
      new PersonReader(store),
      written,
      snapshots,
      store.clock,
      standing,
      (principal, acr) => signInPath(store, principal, { acr, maxAge: null }),
    ),
    links: new ReviewLinks(store, address, new ConsentLinks(keyCheck)),
  };
}
