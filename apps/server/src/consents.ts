import { ConsentAnswers, ConsentRequests, type ConsentEvents } from '#consent';
import type { Snapshots } from '#snapshot';
import { ConsentReader, ConsentStore, PersonReader, type CountedEvents, type Store } from '#store';
import type { Standing } from './admin/changes.js';
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
  refused: CountedEvents,
  metrics: ConsentEvents,
): ConsentParts {
  const reader = new ConsentReader(store);
  const written = new ConsentStore(store);
  return {
    requests: new ConsentRequests(reader, written, snapshots, (tenant, opened, { host, agent, subject }) => {
      metrics.opened(opened.outcome);
      if (opened.outcome !== 'budget') return;
      const about = { event: 'prompt_budget', budget: opened.why, host, agent };
      // A host that asks about many people is one event, and not one of each of them.
      refused.note(tenant, opened.why === 'host' ? about : { ...about, subject: subject.key });
    }),
    answers: new ConsentAnswers(reader, new PersonReader(store), written, snapshots, store.clock, standing, metrics),
    links: new ReviewLinks(store, address),
  };
}
